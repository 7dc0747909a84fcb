// What stands in the fields of proxies, and ranges as they are written down. The first line is the range that is
// trusted, the next ones the fields, one each.
#include <cstdlib>

#include "net/forwarded.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest{reinterpret_cast<const char*>(data), size};
    const auto line = [&] {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto text = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        return text;
    };
    net::AddressRanges trusted;
    if (const auto range = net::AddressRange::parse(line())) {
        trusted.add(*range);
        if (trusted.contains(boost::asio::ip::address_v4::loopback()) &&
            trusted.contains(boost::asio::ip::address_v6::loopback())) {
            std::abort();
        }
    }
    boost::beast::http::fields fields;
    for (const auto* name : {"Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded",
                             "Forwarded", "X-Forwarded-For"}) {
        if (const auto value = line(); !value.empty()) fields.insert(name, {value.data(), value.size()});
    }
    const auto client = net::read_forwarded(fields, trusted);
    if (!client.scheme.empty() && client.scheme != "http" && client.scheme != "https") std::abort();
    if (!client.host.empty() && !net::is_sane_host(client.host)) std::abort();
    if (client.address && net::parse_address(client.address->to_string()) != client.address) std::abort();

    net::Request request;
    request.fields = &fields;
    request.proxies = &trusted;
    const auto reached = net::reached_at(request);
    if (!reached.empty() && !reached.starts_with("http://") && !reached.starts_with("https://")) std::abort();
    return 0;
}
