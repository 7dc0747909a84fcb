// Listening TCP sockets for the addresses that an operator names.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace net {

/// Binds and listens on every address of `hosts`, which may be names; none: all of IPv4, and all of IPv6 where the
/// machine has it. IPv6 sockets take no IPv4 connections. With port 0 they share the first one's. What cannot be had is
/// an error with a message for the operator. Blocks while a name is looked up.
core::Result<std::vector<boost::asio::ip::tcp::acceptor>> listen_on(boost::asio::io_context& context,
                                                                    const std::vector<std::string>& hosts,
                                                                    std::uint16_t port);

}  // namespace net
