#include "net/listeners.hpp"

#include <algorithm>
#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "net/address_ranges.hpp"
#include "net/host_names.hpp"

namespace net {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

constexpr std::chrono::seconds kNameTime{5};

struct Place {
    asio::ip::address address;
    bool optional = false;  ///< Only where the machine has such addresses.
};

std::string written(const asio::ip::address& address, std::uint16_t port) {
    const auto text = address.to_string();
    return (address.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

std::string explain(const boost::system::error_code& error) {
    if (error == asio::error::address_in_use) return "the port is in use by another program";
    if (error == asio::error::access_denied) return "ports below 1024 need more rights";
    return error.message();
}

bool is_absent(const boost::system::error_code& error) {
    return error == asio::error::address_family_not_supported || error == boost::system::errc::address_not_available;
}

core::Result<std::vector<Place>> places_of(const std::vector<std::string>& hosts) {
    if (hosts.empty())
        return std::vector<Place>{{asio::ip::address_v4::any(), false}, {asio::ip::address_v6::any(), true}};
    std::vector<Place> places;
    for (const auto& host : hosts) {
        const auto found = look_up(host, kNameTime);
        if (!found) {
            return core::fail(core::ErrorKind::internal, "cannot listen on " + host + ": " + found.error().detail);
        }
        for (const auto& address : *found) {
            const auto same = [&](const Place& place) { return place.address == address; };
            // A name may stand for more than this machine has: `localhost` for `::1`, where IPv6 is turned off.
            if (std::ranges::none_of(places, same)) places.push_back({address, found->size() > 1});
        }
    }
    return places;
}

tcp::acceptor open(asio::io_context& context, const tcp::endpoint& endpoint, boost::system::error_code& error) {
    tcp::acceptor acceptor(context);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    return acceptor;
}

}  // namespace

core::Result<std::vector<tcp::acceptor>> listen_on(asio::io_context& context, const std::vector<std::string>& hosts,
                                                   std::uint16_t port) {
    const auto places = places_of(hosts);
    if (!places) return std::unexpected(places.error());
    std::vector<tcp::acceptor> acceptors;
    boost::system::error_code error;
    for (const auto& place : *places) {
        auto acceptor = open(context, {place.address, port}, error);
        if (error && place.optional && is_absent(error)) continue;
        if (error) {
            return core::fail(core::ErrorKind::internal,
                              "cannot listen on " + written(place.address, port) + ": " + explain(error));
        }
        if (port == 0) port = acceptor.local_endpoint().port();
        acceptors.push_back(std::move(acceptor));
    }
    if (acceptors.empty()) {
        return core::fail(core::ErrorKind::internal, "cannot listen on " + hosts.front() + ": " + error.message());
    }
    return acceptors;
}

}  // namespace net
