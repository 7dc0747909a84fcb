#include "meetings/chime/credential_sources.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address_v4.hpp>
#include <fstream>
#include <string_view>

#include "meetings/chime/credential_documents.hpp"
#include "net/sigv4.hpp"

namespace meetings::chime {
namespace {

constexpr std::size_t kMaxFile = 256 * 1024;
constexpr std::size_t kMaxAnswer = 64 * 1024;

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return {};
    std::string text(kMaxFile, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

std::string without_slash(std::string text) {
    while (text.ends_with('/')) text.pop_back();
    return text;
}

std::string first_line(std::string_view text) {
    auto line = text.substr(0, text.find_first_of("\r\n"));
    while (line.ends_with(' ')) line.remove_suffix(1);
    return std::string{line};
}

bool has_controls(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

}  // namespace

CredentialSources::CredentialSources(CredentialSettings settings, net::HttpClient& client)
    : settings_(std::move(settings)), client_(client) {
    const auto expanded = [this](std::string path, std::string_view usual) {
        if (path.empty()) path = usual;
        return path.starts_with("~/") ? settings_.home + path.substr(1) : path;
    };
    settings_.credentials_file = expanded(std::move(settings_.credentials_file), "~/.aws/credentials");
    settings_.config_file = expanded(std::move(settings_.config_file), "~/.aws/config");
    if (settings_.profile.empty()) settings_.profile = "default";
    if (settings_.metadata_endpoint.empty()) settings_.metadata_endpoint = "http://169.254.169.254";
    settings_.metadata_endpoint = without_slash(std::move(settings_.metadata_endpoint));
}

service::Task<core::Result<std::optional<AwsKeys>>> CredentialSources::load() {
    auto keys = checked_keys({.access_key_id = settings_.access_key_id,
                              .secret_access_key = settings_.secret_access_key,
                              .session_token = settings_.session_token},
                             "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    if (!keys || *keys) co_return keys;
    keys = from_files();
    if (!keys || *keys) co_return keys;
    if (!settings_.container_relative_uri.empty() || !settings_.container_full_uri.empty()) {
        auto given = co_await from_container();
        if (!given) co_return std::unexpected(given.error());
        co_return std::move(*given);
    }
    if (settings_.metadata_disabled) co_return std::nullopt;
    co_return co_await from_metadata();
}

core::Result<std::optional<AwsKeys>> CredentialSources::from_files() const {
    if (const auto text = read_file(settings_.credentials_file)) {
        auto keys = keys_in_credentials_file(*text, settings_.profile);
        if (!keys || *keys) return keys;
    }
    if (const auto text = read_file(settings_.config_file)) {
        auto keys = keys_in_config_file(*text, settings_.profile);
        if (!keys || *keys) return keys;
    }
    return std::nullopt;
}

bool CredentialSources::is_trusted_container_uri(std::string_view uri) {
    constexpr std::string_view kPlain = "http://", kSecure = "https://";
    const bool is_secure = uri.starts_with(kSecure);
    if ((!is_secure && !uri.starts_with(kPlain)) || has_controls(uri)) return false;
    uri.remove_prefix(is_secure ? kSecure.size() : kPlain.size());
    const auto authority = uri.substr(0, uri.find_first_of("/?#"));
    if (authority.empty() || authority.find_first_of("@\\") != std::string_view::npos) return false;
    if (is_secure) return true;
    const auto bracket = authority.rfind(']');
    const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    const std::string host{authority.substr(0, colon)};
    // This machine, and the addresses of ECS and of EKS Pod Identity.
    constexpr std::array<std::string_view, 5> kNear{"localhost", "[::1]", "169.254.170.2", "169.254.170.23",
                                                    "[fd00:ec2::23]"};
    if (std::ranges::find(kNear, host) != kNear.end()) return true;
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address_v4(host, error);
    return !error && address.is_loopback();
}

service::Task<core::Result<AwsKeys>> CredentialSources::from_container() {
    using core::ErrorKind;
    const auto& relative = settings_.container_relative_uri;
    const auto uri = relative.empty() ? settings_.container_full_uri : settings_.container_host + relative;
    if (relative.empty() ? !is_trusted_container_uri(uri) : !relative.starts_with('/'))
        co_return core::fail(ErrorKind::unavailable,
                             "The container's AWS credentials are not asked for at an address "
                             "that is neither https nor this machine's");
    net::OutgoingRequest request;
    request.url = uri;
    request.timeout = request.connect_timeout = settings_.timeout;
    request.max_body = kMaxAnswer;
    auto token = settings_.container_authorization_token;
    if (!settings_.container_authorization_token_file.empty()) {
        const auto text = read_file(settings_.container_authorization_token_file);
        if (!text) co_return core::fail(ErrorKind::unavailable, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE is unreadable");
        token = first_line(*text);
    }
    if (has_controls(token))
        co_return core::fail(ErrorKind::unavailable, "The container's authorization token cannot be one");
    if (!token.empty()) request.headers.emplace_back("Authorization", token);
    auto answer = co_await client_.send(std::move(request));
    if (!answer || answer->status != 200)
        co_return core::fail(ErrorKind::unavailable, "The container's endpoint for AWS credentials gives none");
    co_return keys_in_json(answer->body);
}

service::Task<core::Result<net::OutgoingResponse>> CredentialSources::ask_metadata(std::string method, std::string path,
                                                                                   net::HeaderList headers) {
    net::OutgoingRequest request;
    request.method = std::move(method);
    request.url = settings_.metadata_endpoint + path;
    request.headers = std::move(headers);
    request.timeout = request.connect_timeout = settings_.timeout;
    request.max_body = kMaxAnswer;
    return client_.send(std::move(request));
}

service::Task<core::Result<std::optional<AwsKeys>>> CredentialSources::from_metadata() {
    using core::ErrorKind;
    const auto path = std::string{"/latest/meta-data/iam/security-credentials/"};
    auto token = co_await ask_metadata("PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}});
    // Most machines are none of AWS's.
    if (!token || token->status != 200) co_return std::nullopt;
    const net::HeaderList with_token{{"X-aws-ec2-metadata-token", first_line(token->body)}};
    auto role = co_await ask_metadata("GET", path, with_token);
    if (role && role->status == 404) co_return std::nullopt;  // A machine without a role.
    if (!role || role->status != 200)
        co_return core::fail(ErrorKind::unavailable, "The machine's metadata service does not name its role");
    const auto name = first_line(role->body);
    if (name.empty()) co_return std::nullopt;
    if (has_controls(name) || has_controls(with_token[0].second))
        co_return core::fail(ErrorKind::unavailable, "The machine's metadata service answers nonsense");
    auto answer = co_await ask_metadata("GET", path + net::percent_encoded(name), with_token);
    if (!answer || answer->status != 200)
        co_return core::fail(ErrorKind::unavailable, "The machine's metadata service gives no AWS credentials");
    auto keys = keys_in_json(answer->body);
    if (!keys) co_return std::unexpected(keys.error());
    co_return std::move(*keys);
}

}  // namespace meetings::chime
