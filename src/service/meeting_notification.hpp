// What is told about the SDK's meetings as Amazon Chime tells it through EventBridge, and the port to those that wait
// to be sent. Rows are written by SdkMeetingStore together with the change they tell of.
// https://docs.aws.amazon.com/chime-sdk/latest/dg/using-events.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/capabilities.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "service/task.hpp"

namespace service {

struct MeetingNotification {
    std::int64_t sequence = 0;  ///< Grows; within one meeting in the order of the changes.
    std::string event_type;     ///< `chime:MeetingStarted`
    core::Time occurred_at;
    std::string meeting_id, external_meeting_id;
    std::string media_region, control_region;
    std::string attendee_id, external_user_id;         ///< Empty for events of the meeting.
    std::optional<core::Capabilities> capabilities{};  ///< Only where they are the news.
    int attempts = 0;                                  ///< Failed ones so far.
};

namespace event_type {
inline constexpr std::string_view kMeetingStarted = "chime:MeetingStarted";
inline constexpr std::string_view kMeetingEnded = "chime:MeetingEnded";
inline constexpr std::string_view kAttendeeAdded = "chime:AttendeeAdded";
inline constexpr std::string_view kAttendeeDeleted = "chime:AttendeeDeleted";
inline constexpr std::string_view kCapabilitiesUpdated = "chime:AttendeeCapabilitiesUpdated";
}  // namespace event_type

/// Calls as in SessionStore.
class MeetingNotificationQueue {
  public:
    virtual ~MeetingNotificationQueue() = default;
    /// Those whose next attempt is due, the first of each meeting only, so that order is kept; lowest sequence first.
    virtual Task<core::Result<std::vector<MeetingNotification>>> due_notifications(core::Time now, int limit) = 0;
    /// Delivered, or given up: either way out of the queue.
    virtual Task<core::Result<void>> finish_notifications(std::vector<std::int64_t> sequences) = 0;
    /// The rest of the meeting's waits as well.
    virtual Task<core::Result<void>> postpone_notification(std::int64_t sequence, core::Time next_attempt) = 0;
};

}  // namespace service
