// What an operation that waits returns: a coroutine on the caller's executor (an event loop of the control plane).
#pragma once

#include <boost/asio/awaitable.hpp>

namespace service {

template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace service
