#include "store/postgres/url.hpp"

#include <libpq-fe.h>

#include <memory>
#include <string_view>

namespace store::postgres {
namespace {

std::unexpected<core::Error> bad(const char* why) {
    return core::fail(core::ErrorKind::invalid,
                      std::string("DATABASE_URL ") + why + "; expected postgresql://user:password@host:port/database");
}

/// asyncpg takes `ssl=require` where libpq wants `sslmode=require`.
std::string with_sslmode(std::string text) {
    for (const std::string_view sign : {"?ssl=", "&ssl="}) {
        const auto at = text.find(sign);
        if (at == std::string::npos) continue;
        const auto end = text.find('&', at + 1);
        const auto value_at = at + sign.size();
        std::string value = text.substr(value_at, end == std::string::npos ? end : end - value_at);
        if (value == "true" || value == "True") value = "require";
        if (value == "false" || value == "False") value = "disable";
        const auto length = (end == std::string::npos ? text.size() : end) - at - 1;
        text.replace(at + 1, length, "sslmode=" + value);
    }
    return text;
}

}  // namespace

core::Result<Parameters> parse_url(const std::string& url) {
    const auto separator = url.find("://");
    if (separator == std::string::npos) return bad("has no scheme");
    const auto scheme = std::string_view(url).substr(0, url.find_first_of("+:"));
    if (scheme != "postgresql" && scheme != "postgres") return bad("has an unknown scheme");
    const std::string plain = with_sslmode("postgresql" + url.substr(separator));

    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
        PQconninfoParse(plain.c_str(), &message), PQconninfoFree);
    PQfreemem(message);
    if (!options) return bad("cannot be read");
    Parameters parameters;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) parameters.emplace_back(option->keyword, option->val);
    }
    return parameters;
}

}  // namespace store::postgres
