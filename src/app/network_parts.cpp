#include "app/network_parts.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "net/address_ranges.hpp"
#include "net/host_names.hpp"

namespace app {
namespace {

constexpr std::chrono::seconds kNameTime{5};

std::string_view variable_of(const net::TlsFiles& files, net::TlsFault::Source source) {
    using Source = net::TlsFault::Source;
    switch (source) {
        case Source::certificate:
            return files.pkcs12_file.empty() ? "TLS_CERT_FILE" : "TLS_PKCS12_FILE";
        case Source::key:
            return "TLS_KEY_FILE";
        case Source::pkcs12:
            return "TLS_PKCS12_FILE";
        case Source::password:
            return "TLS_PKCS12_PASSWORD";
        case Source::password_file:
            return "TLS_PKCS12_PASSWORD_FILE";
    }
    return "TLS_CERT_FILE";
}

core::Result<> add_addresses(std::vector<std::string>& out, std::string_view variable, const std::string& host) {
    const auto found = net::look_up(host, kNameTime);
    if (!found) {
        return core::fail(core::ErrorKind::invalid, std::string{variable} + ": " + host +
                                                        " has no address that this machine can find (" +
                                                        found.error().detail + ")");
    }
    for (const auto& address : *found) {
        auto text = address.to_string();
        if (std::ranges::find(out, text) == out.end()) out.push_back(std::move(text));
    }
    return {};
}

}  // namespace

core::Result<std::shared_ptr<net::TlsIdentity>> open_tls(const net::TlsFiles& files) {
    auto opened = net::TlsIdentity::open(files);
    if (opened) return std::move(*opened);
    return core::fail(core::ErrorKind::invalid,
                      std::string{variable_of(files, opened.error().source)} + ": " + opened.error().why);
}

core::Result<MediaAddresses> media_addresses(const Config& config) {
    MediaAddresses addresses;
    const auto* variable = config.media_hosts == config.hosts ? "HOST" : "MEDIA_HOST";
    for (const auto& host : config.media_hosts) {
        if (auto added = add_addresses(addresses.listen, variable, host); !added) {
            return std::unexpected(added.error());
        }
    }
    const bool has_addresses =
        std::ranges::any_of(config.public_hosts, [](const auto& host) { return net::parse_address(host).has_value(); });
    for (const auto& host : config.public_hosts) {
        if (has_addresses && !net::parse_address(host)) continue;
        if (auto added = add_addresses(addresses.announced, "PUBLIC_HOST", host); !added) {
            return std::unexpected(added.error());
        }
    }
    return addresses;
}

std::string listening_at(const Config& config) {
    std::string text;
    const auto hosts = config.hosts.empty() ? std::vector<std::string>{"*"} : config.hosts;
    for (const auto& host : hosts) {
        text.append(text.empty() ? "" : " ").append(config.tls ? "https://" : "http://");
        const bool is_v6 = host.find(':') != std::string::npos;
        text.append(is_v6 ? "[" : "").append(host).append(is_v6 ? "]:" : ":").append(std::to_string(config.port));
    }
    return text;
}

}  // namespace app
