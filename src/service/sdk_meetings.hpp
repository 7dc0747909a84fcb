// The meetings that applications make by the SDK's API, on our own meeting server: what each operation does, who may
// connect, and when a meeting ends by itself. Everything that is known is in the store, so it survives a restart and is
// the same in all processes of one database.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "service/meeting_floor.hpp"
#include "service/meeting_owner.hpp"
#include "service/sdk_meeting_store.hpp"
#include "service/task.hpp"

namespace service {

struct SdkMeetingsSettings {
    bool notify = false;                ///< What happens is written down to be told.
    std::chrono::minutes empty_for{5};  ///< Without anybody who may send for so long, a meeting ends.
    std::chrono::hours longest{24};     ///< No meeting lasts longer.
    int most_attendees = 1000;          ///< That a meeting can have been given, connected or not.
    int most_tags = 50;
};

struct WantedAttendee {
    std::string external_user_id;
    core::Capabilities capabilities;
};

/// What is asked for by CreateMeeting and CreateMeetingWithAttendees.
struct WantedMeeting {
    std::string request_token;
    std::string request_hash;  ///< The same words have the same.
    std::string control_region;
    std::string external_meeting_id, media_region;
    std::string details;  ///< See SdkMeeting.
    int max_attendees = 250;
    std::vector<WantedAttendee> attendees;
    Tags tags;
};

struct PlacedMeeting {
    SdkMeeting meeting;
    MediaPlacement placement;
};

struct InvitedAttendee {
    SdkAttendee attendee;
    std::string join_token;  ///< Secret.
};

struct CreatedMeeting {
    PlacedMeeting meeting;
    std::vector<InvitedAttendee> attendees;  ///< In the order in which they were asked for.
};

/// Errors: `not_found`, also for meetings that have ended; `conflict` for a request token that stands for another
/// meeting; `unprocessable` where a meeting has no room for more attendees or tags; `unavailable`. `reached_at` is
/// scheme and host by which the caller came. Any control-plane thread.
class SdkMeetings final : public MeetingOwner {
  public:
    /// All references must outlive this.
    SdkMeetings(SdkMeetingsSettings settings, SdkMeetingStore& store, MeetingFloor& floor, const core::Clock& clock);

    Task<core::Result<CreatedMeeting>> create(WantedMeeting wanted, std::string reached_at);
    Task<core::Result<PlacedMeeting>> meeting(std::string meeting_id, std::string reached_at);
    Task<core::Result<void>> end(std::string meeting_id);

    Task<core::Result<std::vector<InvitedAttendee>>> add_attendees(std::string meeting_id,
                                                                   std::vector<WantedAttendee> wanted);
    Task<core::Result<InvitedAttendee>> attendee(std::string meeting_id, std::string attendee_id);
    /// At most `limit`, from behind the id `after`.
    Task<core::Result<std::vector<InvitedAttendee>>> attendees(std::string meeting_id, std::string after, int limit);
    Task<core::Result<void>> remove_attendee(std::string meeting_id, std::string attendee_id);
    Task<core::Result<InvitedAttendee>> set_capabilities(std::string meeting_id, std::string attendee_id,
                                                         core::Capabilities capabilities);
    Task<core::Result<void>> set_capabilities_except(std::string meeting_id, std::vector<std::string> excluded,
                                                     core::Capabilities capabilities);

    /// Remembers what is wanted. There is no recogniser: the clients are told that it has failed.
    Task<core::Result<void>> start_transcription(std::string meeting_id, std::string configuration, std::string region);
    Task<core::Result<void>> stop_transcription(std::string meeting_id, std::string region);

    Task<core::Result<Tags>> tags(std::string meeting_id);
    Task<core::Result<void>> set_tags(std::string meeting_id, Tags tags);
    Task<core::Result<void>> remove_tags(std::string meeting_id, std::vector<std::string> keys);

    Task<core::Result<Admission>> admit(std::string meeting_id, std::string attendee_id) override;
    Task<core::Result<void>> happened(core::MeetingEvent event) override;
    Task<core::Result<void>> attendees_seen(std::vector<std::string> attendee_ids) override;

    /// Ends meetings that are empty or too old, and forgets those that ended a day ago. How many were ended.
    Task<core::Result<int>> sweep();

  private:
    InvitedAttendee invited(const std::string& meeting_id, SdkAttendee attendee) const;
    Task<core::Result<SdkMeeting>> running(std::string meeting_id);
    Task<core::Result<std::pair<SdkMeeting, bool>>> make(const WantedMeeting& wanted,
                                                         const std::vector<SdkAttendee>& attendees);
    Task<core::Result<PlacedMeeting>> placed(SdkMeeting meeting, std::string reached_at);
    Task<core::Result<std::vector<SdkAttendee>>> added(std::string meeting_id, std::vector<SdkAttendee> wanted);
    Task<void> put_right(Misplaced misplaced);
    Task<core::Result<void>> drop_notifications();
    void heard();
    bool may_judge_emptiness() const;

    const SdkMeetingsSettings settings_;
    SdkMeetingStore& store_;
    MeetingFloor& floor_;
    const core::Clock& clock_;
    /// Microseconds since 1970: since when, and until when, it was written down without a gap who is connected.
    std::atomic<std::int64_t> heard_since_{0}, heard_at_{0};
};

}  // namespace service
