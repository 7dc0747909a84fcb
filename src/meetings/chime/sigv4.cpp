#include "meetings/chime/sigv4.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>

#include "core/bytes.hpp"

namespace meetings::chime {
namespace {

constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

void append_encoded(std::string& out, std::string_view text, std::string_view also_plain) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : text) {
        if (kUnreserved.contains(c) || also_plain.contains(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
}

/// RFC 3986 section 5.2.4, and without repeated slashes, as AWS counts them.
std::string without_dot_segments(std::string_view path) {
    std::vector<std::string_view> kept;
    for (auto rest = path; !rest.empty();) {
        const auto slash = rest.find('/');
        const auto segment = rest.substr(0, slash);
        rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
        if (segment == "..") {
            if (!kept.empty()) kept.pop_back();
        } else if (!segment.empty() && segment != ".") {
            kept.push_back(segment);
        }
    }
    std::string out;
    for (const auto segment : kept) out.append("/").append(segment);
    if (out.empty() || path.ends_with('/')) out += '/';
    return out;
}

/// The path as signed: what stands in the URL, encoded once more.
std::string canonical_path(std::string_view path) {
    std::string out;
    append_encoded(out, without_dot_segments(path), "/");
    return out;
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return out;
}

/// Without white space at the ends, and single spaces within.
std::string trimmed(std::string_view value) {
    constexpr std::string_view kWhite = " \t\r\n\f\v";
    std::string out;
    for (std::size_t at = 0; (at = value.find_first_not_of(kWhite, at)) != std::string_view::npos;) {
        const auto end = std::min(value.find_first_of(kWhite, at), value.size());
        if (!out.empty()) out += ' ';
        out += value.substr(at, end - at);
        at = end;
    }
    return out;
}

using SignedHeaders = std::map<std::string, std::string>;

SignedHeaders signed_headers(const Pairs& headers) {
    SignedHeaders out;
    for (const auto& [name, value] : headers) {
        auto key = lower(name);
        if (key == "user-agent" || key == "expect" || key == "x-amzn-trace-id") continue;
        const auto [place, is_new] = out.try_emplace(std::move(key), trimmed(value));
        if (!is_new) place->second += "," + trimmed(value);
    }
    return out;
}

/// `20260125T140000Z`.
std::string basic_time(core::Time time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    std::array<char, 40> text;
    const auto size = std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", int(date.year()),
                                    unsigned(date.month()), unsigned(date.day()), int(clock.hours().count()),
                                    int(clock.minutes().count()), int(clock.seconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

core::Sha256 keyed(core::BytesView key, std::string_view text) {
    return core::hmac_sha256(key, core::as_bytes(text));
}

std::string hash(std::string_view text) {
    return core::hex(core::sha256(core::as_bytes(text)));
}

core::Sha256 signing_key(const AwsKeys& keys, std::string_view date, std::string_view region,
                         std::string_view service) {
    const auto of_date = keyed(core::as_bytes("AWS4" + keys.secret_access_key), date);
    const auto of_region = keyed(of_date, region);
    const auto of_service = keyed(of_region, service);
    return keyed(of_service, "aws4_request");
}

}  // namespace

std::string percent_encoded(std::string_view text) {
    std::string out;
    append_encoded(out, text, {});
    return out;
}

std::string canonical_query(const Pairs& query) {
    Pairs encoded;
    encoded.reserve(query.size());
    for (const auto& [name, value] : query) encoded.emplace_back(percent_encoded(name), percent_encoded(value));
    std::ranges::sort(encoded);
    std::string out;
    for (const auto& [name, value] : encoded) {
        if (!out.empty()) out += '&';
        out.append(name).append("=").append(value);
    }
    return out;
}

Pairs signature_headers(const SignableRequest& request, const AwsKeys& keys, std::string_view region,
                        std::string_view service, core::Time now) {
    const auto time = basic_time(now);
    const auto date = time.substr(0, 8);
    Pairs added{{"X-Amz-Date", time}};
    if (!keys.session_token.empty()) added.emplace_back("X-Amz-Security-Token", keys.session_token);

    auto all = request.headers;
    all.emplace_back("Host", request.host);
    all.insert(all.end(), added.begin(), added.end());
    std::string lines, names;
    for (const auto& [name, value] : signed_headers(all)) {
        lines.append(name).append(":").append(value).append("\n");
        if (!names.empty()) names += ';';
        names += name;
    }
    const auto canonical = request.method + "\n" + canonical_path(request.path) + "\n" + request.query + "\n" + lines +
                           "\n" + names + "\n" + hash(request.body);
    const auto scope = date + "/" + std::string{region} + "/" + std::string{service} + "/aws4_request";
    const auto to_sign = std::string{kAlgorithm} + "\n" + time + "\n" + scope + "\n" + hash(canonical);
    const auto signature = core::hex(keyed(signing_key(keys, date, region, service), to_sign));
    added.emplace_back("Authorization", std::string{kAlgorithm} + " Credential=" + keys.access_key_id + "/" + scope +
                                            ", SignedHeaders=" + names + ", Signature=" + signature);
    return added;
}

}  // namespace meetings::chime
