// Which columns hold sealed texts. All others stay as they are: ids, times and states are what rows are found by.
#pragma once

#include <array>
#include <string_view>

#include "service/key_store.hpp"

namespace store::sealed {

/// A payload stays JSON: `{"sealed":"enc1:…"}`.
inline constexpr std::string_view kPayloadHead = R"({"sealed":")";
inline constexpr std::string_view kPayloadTail = R"("})";

inline constexpr service::SealedColumn kComplaint{"video_consultation_sessions", "chief_complaint", "session_id", ""};
inline constexpr service::SealedColumn kNotes{"video_consultation_sessions", "session_notes", "session_id", ""};
inline constexpr service::SealedColumn kReason{"video_consultation_sessions", "cancellation_reason", "session_id", ""};
inline constexpr service::SealedColumn kGuestName{"video_consultation_attendees", "guest_name", "attendee_id", ""};
inline constexpr service::SealedColumn kBrowser{"video_consultation_attendees", "browser_info", "attendee_id", ""};
inline constexpr service::SealedColumn kPayload{"video_consultation_outbox", "payload", "event_id", kPayloadHead};
inline constexpr service::SealedColumn kIssue{"video_consultation_metrics", "issue_description",
                                              "session_id || '/' || user_id || '/' || provider", ""};
inline constexpr service::SealedColumn kBodyHash{"video_consultation_idempotency", "body_hash", "user_id || '/' || key",
                                                 ""};
/// Sealed once and for all: the trail's MACs cover what is stored.
inline constexpr service::SealedColumn kDescription{"video_consultation_events", "event_description", "event_id", ""};

/// Those that can be sealed anew.
inline constexpr std::array kResealable{kComplaint, kNotes, kReason, kGuestName, kBrowser, kPayload, kIssue, kBodyHash};

}  // namespace store::sealed
