#include "net/forwarded.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <utility>
#include <vector>

namespace net {
namespace http = boost::beast::http;
namespace {

using boost::beast::iequals;

/// More hops than any request really passes; a header could hold thousands. The nearest ones count.
constexpr std::size_t kMaxHops = 32;
constexpr std::size_t kLongestHost = 255;

std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

/// The items of a field that may be a list and may be repeated, in order.
std::vector<std::string_view> items_of(const http::fields& fields, std::string_view name) {
    std::vector<std::string_view> items;
    const auto [begin, end] = fields.equal_range({name.data(), name.size()});
    for (auto at = begin; at != end; ++at) {
        std::string_view rest{at->value().data(), at->value().size()};
        for (;;) {
            const auto comma = rest.find(',');
            if (const auto item = trimmed(rest.substr(0, comma)); !item.empty()) items.push_back(item);
            if (comma == std::string_view::npos) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return items;
}

/// RFC 7239 section 6: an address, perhaps with a port. Names and `unknown` are no address.
std::optional<boost::asio::ip::address> node_address(std::string_view node) {
    if (node.starts_with('[')) return parse_address(node.substr(0, node.find(']') + 1));
    const auto colon = node.find(':');
    // One colon is that of a port, more are those of a bare IPv6 address.
    const bool has_port = colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos;
    return parse_address(has_port ? node.substr(0, colon) : node);
}

std::string scheme_of(std::string_view text) {
    for (const std::string_view known : {"https", "wss"}) {
        if (iequals(text, known)) return "https";
    }
    for (const std::string_view known : {"http", "ws"}) {
        if (iequals(text, known)) return "http";
    }
    return {};
}

std::string host_of(std::string_view text) {
    return is_sane_host(text) ? std::string{text} : std::string{};
}

/// Which of the senders, the nearest last, is the client: the first from the right that is no proxy of ours.
template <class Hops, class Node>
std::size_t client_among(const Hops& hops, const AddressRanges& trusted, Node node) {
    auto at = hops.size() - 1;
    for (const auto last = at - std::min(at, kMaxHops); at > last; --at) {
        const auto address = node_address(node(hops[at]));
        if (!address || !trusted.contains(*address)) break;
    }
    return at;
}

ForwardedClient read_x_forwarded(const std::vector<std::string_view>& senders,
                                 const std::vector<std::string_view>& schemes,
                                 const std::vector<std::string_view>& hosts, const AddressRanges& trusted) {
    ForwardedClient client;
    std::size_t hop = 0;
    if (!senders.empty()) {
        hop = client_among(senders, trusted, [](std::string_view sender) { return sender; });
        client.address = node_address(senders[hop]);
    }
    // Most proxies set these two anew; some append, in step with the senders.
    const auto of_hop = [&](const std::vector<std::string_view>& values) -> std::string_view {
        if (values.empty()) return {};
        return values.size() == senders.size() ? values[hop] : values.front();
    };
    client.scheme = scheme_of(of_hop(schemes));
    client.host = host_of(of_hop(hosts));
    return client;
}

/// One element of `Forwarded`.
struct Hop {
    std::string sender, scheme, host;
};

/// Reads `Forwarded` as RFC 7239 section 4 writes it down; what breaks the grammar makes the whole field worthless.
class ForwardedReader {
  public:
    explicit ForwardedReader(std::string_view text) : rest_(text) {}

    bool read(std::vector<Hop>& hops) {
        Hop hop;
        bool any = false;
        for (;;) {
            skip_blanks();
            if (!rest_.empty() && rest_.front() != ',' && rest_.front() != ';') {
                if (!read_pair(hop)) return false;
                any = true;
                skip_blanks();
            }
            if (rest_.empty() || rest_.front() == ',') {
                if (any) hops.push_back(std::exchange(hop, {}));
                if (hops.size() > kMaxHops) hops.erase(hops.begin());
                any = false;
                if (rest_.empty()) return true;
            } else if (rest_.front() != ';') {
                return false;
            }
            rest_.remove_prefix(1);
        }
    }

  private:
    bool read_pair(Hop& hop) {
        const auto name = read_token();
        if (name.empty() || rest_.empty() || rest_.front() != '=') return false;
        rest_.remove_prefix(1);
        std::string value;
        if (rest_.starts_with('"')) {
            if (!read_quoted(value)) return false;
        } else {
            value = read_token();
            if (value.empty()) return false;
        }
        if (iequals(name, "for")) {
            hop.sender = std::move(value);
        } else if (iequals(name, "proto")) {
            hop.scheme = std::move(value);
        } else if (iequals(name, "host")) {
            hop.host = std::move(value);
        }
        return true;
    }

    /// RFC 9110 section 5.6.2; colons and brackets as well, which many forget to quote.
    std::string_view read_token() {
        const auto is_token = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   std::string_view{"!#$%&'*+-.^_`|~:[]"}.find(c) != std::string_view::npos;
        };
        const auto end = std::ranges::find_if_not(rest_, is_token);
        const auto token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(token.size());
        return token;
    }

    bool read_quoted(std::string& out) {
        for (std::size_t at = 1; at < rest_.size(); ++at) {
            if (rest_[at] == '"') {
                rest_.remove_prefix(at + 1);
                return true;
            }
            if (rest_[at] == '\\') ++at;
            if (at == rest_.size()) break;
            out += rest_[at];
        }
        return false;
    }

    void skip_blanks() {
        while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
    }

    std::string_view rest_;
};

ForwardedClient read_rfc7239(const http::fields& fields, const AddressRanges& trusted) {
    std::vector<Hop> hops;
    const auto [begin, end] = fields.equal_range("Forwarded");
    for (auto at = begin; at != end; ++at) {
        if (!ForwardedReader({at->value().data(), at->value().size()}).read(hops)) return {};
    }
    if (hops.empty()) return {};
    const auto& hop =
        hops[client_among(hops, trusted, [](const Hop& each) -> std::string_view { return each.sender; })];
    return {node_address(hop.sender), scheme_of(hop.scheme), host_of(hop.host)};
}

}  // namespace

ForwardedClient read_forwarded(const http::fields& fields, const AddressRanges& trusted) {
    const auto senders = items_of(fields, "X-Forwarded-For");
    const auto schemes = items_of(fields, "X-Forwarded-Proto");
    const auto hosts = items_of(fields, "X-Forwarded-Host");
    if (senders.empty() && schemes.empty() && hosts.empty()) return read_rfc7239(fields, trusted);
    return read_x_forwarded(senders, schemes, hosts, trusted);
}

bool is_sane_host(std::string_view host) {
    return !host.empty() && host.size() <= kLongestHost && std::ranges::all_of(host, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == ':' || c == '[' || c == ']';
    });
}

namespace {

ForwardedClient client_of(const Request& request) {
    auto client = request.proxies ? read_forwarded(*request.fields, *request.proxies) : ForwardedClient{};
    if (client.host.empty()) client.host = host_of(request.header("Host"));
    if (client.scheme.empty()) client.scheme = request.is_secure ? "https" : "http";
    return client;
}

}  // namespace

std::string reached_host(const Request& request) {
    return client_of(request).host;
}

std::string reached_at(const Request& request) {
    const auto client = client_of(request);
    return client.host.empty() ? std::string{} : client.scheme + "://" + client.host;
}

}  // namespace net
