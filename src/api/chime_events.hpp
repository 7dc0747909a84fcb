// What Amazon EventBridge delivers about Chime meetings, read and checked. Pure.
// https://docs.aws.amazon.com/chime-sdk/latest/dg/using-events.html
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "api/faults.hpp"
#include "core/time.hpp"
#include "service/meter.hpp"

namespace api {

/// One event, or an array of at most `kMostEvents`. Gives those that tell who is in a meeting; others, and shapes that
/// are not AWS's, are left out, so that a sender is not made to repeat them. Nullopt, with the fault, when the text is
/// no JSON, neither object nor array, or too long an array. No event lies behind `now`.
std::optional<std::vector<service::ChimeEvent>> read_chime_events(std::string_view text, core::Time now,
                                                                  Faults& faults);

inline constexpr std::size_t kMostEvents = 100;

}  // namespace api
