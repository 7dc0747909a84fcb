// What both engines do to a change before they write it.
#pragma once

#include <string>

#include "consultation/session.hpp"

namespace store {

/// The `data` of a message as JSON text, in its order.
std::string payload_of(const consultation::Event& event);

/// Leaves the last word where a change speaks twice of one interval or one person's usage, so that each row is written
/// once.
void keep_last(consultation::Change& change);

}  // namespace store
