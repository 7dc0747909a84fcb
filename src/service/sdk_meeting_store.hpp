// Port: the meetings that were made by the SDK's API (`/chime`), their attendees and tags. All processes of one
// database share them, and they survive a restart. An ended meeting is kept for a while, so that its people learn that
// it has ended; so is a removed attendee.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/capabilities.hpp"
#include "core/meeting_event.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "service/meeting_notification.hpp"
#include "service/task.hpp"

namespace service {

using Tags = std::vector<std::pair<std::string, std::string>>;  ///< By key; none twice.

struct SdkMeeting {
    std::string meeting_id;      ///< UUID, lower case.
    std::string request_token;   ///< ClientRequestToken; given up when the meeting ends.
    std::string request_hash;    ///< Of what was asked for under that token.
    std::string control_region;  ///< Of the caller's signature.
    std::string external_meeting_id, media_region;
    std::string details;  ///< JSON object: members of the answer that nothing depends on.
    int max_attendees = 250;
    core::Time created_at;
    core::Time active_at;  ///< When somebody who may send was last known to be there.
    std::optional<core::Time> ended_at{};
    std::optional<std::string> transcription{};  ///< JSON, while it is wanted.

    friend bool operator==(const SdkMeeting&, const SdkMeeting&) = default;
};

struct SdkAttendee {
    std::string attendee_id;  ///< UUID, lower case.
    std::string external_user_id;
    core::Capabilities capabilities;
    core::Time created_at;
    bool removed = false;

    friend bool operator==(const SdkAttendee&, const SdkAttendee&) = default;
};

/// A meeting, and one of its attendees if there is such a one.
struct SdkPlace {
    SdkMeeting meeting;
    std::optional<SdkAttendee> attendee;
};

/// Attendees who are connected although they should not be, or as they should not be.
struct Misplaced {
    enum class Why : std::uint8_t { meeting_ended, removed, capabilities_changed };
    std::string meeting_id, attendee_id;
    Why why = Why::removed;
    core::Capabilities capabilities;
};

/// When a running meeting is over by itself: nobody who may send was there since, or it was made before.
struct EndTerms {
    core::Time empty_since, created_before;
};

/// Why a set of tags was or was not written.
enum class TagOutcome : std::uint8_t { written, no_such_meeting, too_many };

/// Calls: any control-plane thread, bounded time; `unavailable` when the database is down. Where `notify` is asked for,
/// the notifications of the change are written in the same transaction.
class SdkMeetingStore : public MeetingNotificationQueue {
  public:
    /// False: another running meeting has the request token, and nothing was written.
    virtual Task<core::Result<bool>> create_meeting(SdkMeeting meeting, std::vector<SdkAttendee> attendees, Tags tags,
                                                    bool notify) = 0;
    /// The attendee may be left empty. Ended meetings and removed attendees are found as well.
    virtual Task<core::Result<std::optional<SdkPlace>>> find_place(std::string meeting_id, std::string attendee_id) = 0;
    virtual Task<core::Result<std::optional<SdkMeeting>>> find_by_request(std::string request_token) = 0;
    /// Adds those whose external id the meeting has not got, as long as it then has at most `most`, all or none.
    /// Answers those of the meeting with the given external ids; some are missing when there was no room, or no running
    /// meeting.
    virtual Task<core::Result<std::vector<SdkAttendee>>> add_attendees(std::string meeting_id,
                                                                       std::vector<SdkAttendee> attendees, int most,
                                                                       bool notify) = 0;
    /// Of a running meeting, by id, from behind `after`.
    virtual Task<core::Result<std::vector<SdkAttendee>>> list_attendees(std::string meeting_id, std::string after,
                                                                        int limit) = 0;
    /// False: no such attendee in a running meeting.
    virtual Task<core::Result<bool>> remove_attendee(std::string meeting_id, std::string attendee_id, core::Time now,
                                                     bool notify) = 0;
    /// Of these, or with `except` of all others. Answers whose were written.
    virtual Task<core::Result<std::vector<std::string>>> set_capabilities(std::string meeting_id,
                                                                          std::vector<std::string> attendee_ids,
                                                                          bool except, core::Capabilities capabilities,
                                                                          core::Time now, bool notify) = 0;
    /// With `terms` only if they hold. False: it was not ended, or not now, or never was.
    virtual Task<core::Result<bool>> end_meeting(std::string meeting_id, core::Time now, bool notify,
                                                 std::optional<EndTerms> terms = {}) = 0;
    /// False: no such running meeting.
    virtual Task<core::Result<bool>> set_transcription(std::string meeting_id,
                                                       std::optional<std::string> configuration) = 0;

    virtual Task<core::Result<Tags>> tags(std::string meeting_id) = 0;
    /// Adds these, replacing those of the same key, unless the meeting would have more than `most`.
    virtual Task<core::Result<TagOutcome>> set_tags(std::string meeting_id, Tags tags, int most) = 0;
    virtual Task<core::Result<void>> remove_tags(std::string meeting_id, std::vector<std::string> keys) = 0;

    /// Something happened to an attendee; `event_type` is what the notification is called. Unknown ones are no error.
    virtual Task<core::Result<void>> note_event(core::MeetingEvent event, std::string event_type, bool notify) = 0;
    /// These are connected. Meetings where one of them may send are active now. Answers those who should not be there,
    /// and those whose capabilities were changed after `changed_since`. Ids that are not of this store's are passed
    /// over.
    virtual Task<core::Result<std::vector<Misplaced>>> note_connected(std::vector<std::string> attendee_ids,
                                                                      core::Time now, core::Time changed_since) = 0;
    /// Running meetings for which the terms hold.
    virtual Task<core::Result<std::vector<std::string>>> due_to_end(EndTerms terms, int limit) = 0;
    /// Forgets meetings that ended before; returns how many.
    virtual Task<core::Result<int>> prune_meetings(core::Time ended_before, int limit) = 0;
};

}  // namespace service
