// Port from the meeting server to the use cases: whoever has meetings on it says who may connect, and is told what
// happens there. Consultation sessions have meetings, and so have the users of the SDK's API.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/capabilities.hpp"
#include "core/meeting_event.hpp"
#include "core/result.hpp"
#include "service/task.hpp"

namespace service {

/// The answer to a signalling connection that showed a good join token.
struct Admission {
    enum class Verdict { admitted, ended, unknown };
    Verdict verdict = Verdict::unknown;
    std::string external_user_id{};  ///< Of the attendee, when admitted; likewise the rest.
    core::Capabilities capabilities{};
    std::size_t max_attendees = 250;
};

/// Any control-plane thread. Meetings of somebody else are no error: `unknown`, and nothing happens.
class MeetingOwner {
  public:
    virtual ~MeetingOwner() = default;
    virtual Task<core::Result<Admission>> admit(std::string meeting_id, std::string attendee_id) = 0;
    /// Told at least once, in order for each attendee; again after `unavailable`.
    virtual Task<core::Result<void>> happened(core::MeetingEvent event) = 0;
    /// These are connected now. Told every 15 s or so.
    virtual Task<core::Result<void>> attendees_seen(std::vector<std::string> attendee_ids) = 0;
};

}  // namespace service
