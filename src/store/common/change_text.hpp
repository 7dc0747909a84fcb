// What both engines do to a change before they write it.
#pragma once

#include <string>
#include <string_view>

#include "consultation/session.hpp"

namespace store {

/// The `data` of a message as JSON text, in its order.
std::string payload_of(const consultation::Event& event);

/// Leaves the last word where a change speaks twice of one interval, meeting or job, or of one person's usage at one
/// provider, so that each row is written once.
void keep_last(consultation::Change& change);

/// Who a person is within their meeting, as the change leaves it; empty when they are nobody there. Kept with an
/// interval when it begins.
std::string_view attendee_id_of(const consultation::Change& change, std::string_view user_id);

}  // namespace store
