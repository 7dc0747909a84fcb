// Where a peer's datagrams come from and go to. Plain values; any thread.
#pragma once

#include <chrono>
#include <cstdint>

#include "media/wire/address.hpp"

namespace media::transport {

/// Monotonic time. The machines of this room never read it themselves: it comes in as an argument.
using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// One way to a peer: UDP to an address, or one ICE-TCP connection.
struct Path {
    wire::TransportAddress address;
    std::uint32_t connection = 0;  ///< 0: UDP. Otherwise the owner's number of the TCP connection.

    bool operator==(const Path&) const = default;
};

}  // namespace media::transport
