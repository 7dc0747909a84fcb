#include "net/host_names.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <future>
#include <thread>
#include <utility>

#include "net/address_ranges.hpp"

namespace net {
namespace asio = boost::asio;
namespace {

using Addresses = std::vector<asio::ip::address>;

core::Result<Addresses> ask(const std::string& host) {
    asio::io_context context;
    boost::system::error_code error;
    Addresses addresses;
    for (const auto& entry : asio::ip::tcp::resolver(context).resolve(host, "", error)) {
        const auto address = without_mapping(entry.endpoint().address());
        if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
    }
    if (error || addresses.empty()) return core::fail(core::ErrorKind::invalid, "no such host name");
    return addresses;
}

}  // namespace

core::Result<Addresses> look_up(const std::string& host, std::chrono::milliseconds limit) {
    if (const auto address = parse_address(host)) return Addresses{*address};
    // The resolver cannot be interrupted. When it is late, its thread is left to end by itself.
    std::promise<core::Result<Addresses>> promise;
    auto answer = promise.get_future();
    std::thread([host, promise = std::move(promise)]() mutable { promise.set_value(ask(host)); }).detach();
    if (answer.wait_for(limit) != std::future_status::ready) {
        return core::fail(core::ErrorKind::timeout, "the name server does not answer");
    }
    return answer.get();
}

}  // namespace net
