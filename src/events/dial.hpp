// Opens a TCP connection on a thread that may block, but can be called off at any moment, also while a name server or
// a host does not answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "core/result.hpp"
#include "events/waker.hpp"

namespace events {

/// A connected, non-blocking socket that sends small pieces at once, and that the kernel gives up when the other side
/// acknowledges nothing for `kSilence`. It is the caller's. Every address of the name is tried in turn.
/// `called_off` is asked whenever `waker` wakes. Errors: `unavailable`, naming no one.
core::Result<int> dial(const std::string& host, std::uint16_t port, std::chrono::milliseconds limit, const Waker& waker,
                       const std::function<bool()>& called_off);

inline constexpr std::chrono::seconds kSilence{20};

}  // namespace events
