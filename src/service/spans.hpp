// Spans around what a use case waits for: the store, a meeting provider. See core/trace.hpp.
#pragma once

#include <string_view>
#include <utility>

#include "core/result.hpp"
#include "core/trace.hpp"
#include "service/task.hpp"

namespace service {
namespace detail {

template <class T>
Task<core::Result<T>> in_a_span(core::trace::Context parent, std::string_view name, Task<core::Result<T>> work) {
    core::trace::Work span(parent, name, core::trace::Kind::client);
    auto result = co_await std::move(work);
    if (!result) span.fail();
    co_return result;
}

}  // namespace detail

/// `work`, with a span of this name (a literal) where its trace is recorded; else nothing is added to it.
template <class T>
Task<core::Result<T>> in_span(const core::trace::Context& parent, std::string_view name, Task<core::Result<T>> work) {
    if (!parent.sampled || !core::trace::is_on()) return work;
    return detail::in_a_span(parent, name, std::move(work));
}

}  // namespace service
