// Addresses of host names, looked up at start.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace net {

/// The addresses of `host`, in the resolver's order and without repetition; an IP literal is its own. Blocks, at most
/// for `limit`: not for event loops. `timeout` when the resolver is silent, `invalid` when it knows no such name.
core::Result<std::vector<boost::asio::ip::address>> look_up(const std::string& host, std::chrono::milliseconds limit);

}  // namespace net
