// Port: who makes the meetings. `meetings/embedded` asks our own meeting server, `meetings/chime` AWS.
#pragma once

#include <string>
#include <string_view>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/task.hpp"

namespace service {

/// What one person needs to enter a meeting with the Chime client.
struct Credentials {
    std::string attendee_id;
    std::string external_user_id;
    std::string join_token;  ///< Secret; goes to its owner only, never to a log.
};

class MeetingProvider {
  public:
    virtual ~MeetingProvider() = default;

    /// Makes the meeting of (session, generation). Idempotent: the same pair gives the same meeting.
    virtual Task<core::Result<consultation::Meeting>> create_meeting(std::string session_id, int generation) = 0;

    /// Makes the identity of a person in the meeting, or gives their present one again (`known_attendee_id` not empty).
    virtual Task<core::Result<Credentials>> credentials(consultation::Meeting meeting, std::string external_user_id,
                                                        std::string known_attendee_id) = 0;

    /// The meeting with addresses for a client that reached the service at `reached_at` (scheme and host).
    virtual consultation::Meeting placed_for(consultation::Meeting meeting, std::string_view reached_at) const = 0;

    /// Ends the meeting for everybody; unknown meetings are fine.
    virtual Task<core::Result<void>> end_meeting(std::string meeting_id) = 0;

    /// Puts one attendee out; unknown ones are fine.
    virtual Task<core::Result<void>> remove_attendee(std::string meeting_id, std::string attendee_id) = 0;

    /// True when the provider tells us by itself who is connected (attendance then expires without news).
    virtual bool reports_presence() const = 0;
};

}  // namespace service
