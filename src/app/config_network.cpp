#include <algorithm>
#include <string>

#include "app/config_reader.hpp"
#include "net/address_ranges.hpp"

namespace app {
namespace {

constexpr std::string_view kAddresses = "addresses or host names, such as 127.0.0.1 or 192.0.2.1,2001:db8::1";
constexpr std::string_view kAnyV4 = "0.0.0.0";
constexpr std::string_view kAnyV6 = "::";

/// False: complained.
bool read_hosts(Reader& reader, std::string_view name, std::vector<std::string>& out) {
    if (!reader.find(name)) return true;
    bool has_v4 = false;
    for (const auto& text : reader.list(name)) {
        auto host = parse_host(text);
        if (!host) {
            out.clear();
            break;
        }
        const auto address = net::parse_address(*host);
        has_v4 |= address && address->is_v4();
        if (std::ranges::find(out, *host) == out.end()) out.push_back(std::move(*host));
    }
    if (out.empty()) {
        reader.complain(name, kAddresses);
        return false;
    }
    // `::` by itself has always meant both families.
    if (!has_v4 && std::ranges::find(out, kAnyV6) != out.end()) out.emplace_back(kAnyV4);
    return true;
}

bool is_loopback(const std::string& host) {
    const auto address = net::parse_address(host);
    return host == "localhost" || (address && address->is_loopback());
}

/// Behind a proxy of the same machine the API listens on the loopback address only. Media passes no such proxy, so it
/// does not follow there: nobody could be heard.
void read_listening(Reader& reader, Config& config) {
    if (!read_hosts(reader, "HOST", config.hosts) || !read_hosts(reader, "MEDIA_HOST", config.media_hosts)) return;
    if (config.media_hosts.empty() && !std::ranges::all_of(config.hosts, is_loopback)) {
        config.media_hosts = config.hosts;
    }
    reader.number("MEDIA_PORT", config.media_port, 1, 65535);
    reader.number("MEDIA_THREADS", config.media_threads, 1, 64);
    reader.number("PUBLIC_MEDIA_PORT", config.public_media_port, 1, 65535);
}

void read_tls(Reader& reader, Config& config) {
    net::TlsFiles files;
    reader.text("TLS_CERT_FILE", files.certificate_file);
    reader.text("TLS_KEY_FILE", files.key_file);
    reader.text("TLS_PKCS12_FILE", files.pkcs12_file);
    reader.text("TLS_PKCS12_PASSWORD", files.password);
    reader.text("TLS_PKCS12_PASSWORD_FILE", files.password_file);
    const bool is_pem = !files.certificate_file.empty() || !files.key_file.empty();
    const bool is_pkcs12 = !files.pkcs12_file.empty();
    if (is_pem && files.certificate_file.empty()) {
        return reader.complain("TLS_CERT_FILE", "the certificate, as TLS_KEY_FILE is set");
    }
    if (is_pem && files.key_file.empty()) {
        return reader.complain("TLS_KEY_FILE", "the private key, as TLS_CERT_FILE is set");
    }
    if (is_pem && is_pkcs12) {
        return reader.complain("TLS_PKCS12_FILE", "to be set instead of TLS_CERT_FILE and TLS_KEY_FILE, not with them");
    }
    if (!is_pkcs12 && (!files.password.empty() || !files.password_file.empty())) {
        return reader.complain("TLS_PKCS12_FILE", "the file that TLS_PKCS12_PASSWORD belongs to");
    }
    if (!files.password.empty() && !files.password_file.empty()) {
        return reader.complain("TLS_PKCS12_PASSWORD_FILE", "to be set instead of TLS_PKCS12_PASSWORD, not with it");
    }
    if (is_pem || is_pkcs12) config.tls = std::move(files);
}

void read_proxies(Reader& reader, Config& config) {
    for (const auto& text : reader.list("TRUSTED_PROXIES")) {
        const auto range = net::AddressRange::parse(text);
        if (!range) {
            return reader.complain("TRUSTED_PROXIES",
                                   "addresses or ranges such as 192.0.2.7,10.0.0.0/8,fd00::/8, with commas between");
        }
        config.trusted_proxies.add(*range);
    }
}

std::string in_url(const std::string& host) {
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// The first may be a URL, and is what clients are told; the others are hosts.
void read_public_host(Reader& reader, Config& config, const std::string& scheme) {
    if (!reader.find("PUBLIC_HOST")) return;
    constexpr std::string_view kWanted =
        "a host or URL such as video.example.org or https://video.example.org, and perhaps more addresses behind "
        "commas";
    const auto texts = reader.list("PUBLIC_HOST");
    for (const auto& text : texts) {
        const bool first = config.public_hosts.empty();
        auto host = parse_host(text);
        const auto place = first && !host ? parse_place(text) : std::nullopt;
        if (place) host = parse_host(place->host);
        if (!host) return reader.complain("PUBLIC_HOST", kWanted);
        if (first) {
            config.public_url = place && !place->scheme.empty()
                                    ? place->url
                                    : scheme + "://" + in_url(*host) + ":" + std::to_string(config.port);
        }
        config.public_hosts.push_back(std::move(*host));
    }
    if (texts.empty()) reader.complain("PUBLIC_HOST", kWanted);
}

}  // namespace

void read_network(Reader& reader, Config& config) {
    read_listening(reader, config);
    read_tls(reader, config);
    read_proxies(reader, config);
    const std::string scheme = config.tls ? "https" : "http";
    read_public_host(reader, config, scheme);
    config.api_url = scheme + "://localhost:" + std::to_string(config.port);
    if (const auto value = reader.find("API_URL")) {
        const auto place = parse_place(*value);
        if (!place || place->scheme.empty()) {
            return reader.complain("API_URL", "a URL such as https://video.example.org");
        }
        config.api_url = place->url;
    }
}

}  // namespace app
