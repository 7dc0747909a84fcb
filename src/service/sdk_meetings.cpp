#include "service/sdk_meetings.hpp"

#include <algorithm>

#include "core/bytes.hpp"

namespace service {
namespace {

using core::ErrorKind;
using core::Result;
using core::Time;
using Verdict = Admission::Verdict;

/// More than three times the pause between two reports of who is connected.
constexpr std::chrono::seconds kSilence{50};
/// So long reconnecting clients are given after we could not know of them. They try for two minutes.
constexpr std::chrono::minutes kReturn{2};
/// Changes of capabilities are told again to the server for so long, in case they were made elsewhere.
constexpr std::chrono::minutes kChanged{1};
constexpr std::chrono::hours kRemembered{24};
constexpr int kSweepLimit = 200;
/// Somebody else may do the same at the same time; then it is seen at the next attempt.
constexpr int kAttempts = 4;

constexpr std::string_view kNoRecogniser = "This installation has no speech recognition";

std::unexpected<core::Error> no_meeting(const std::string& meeting_id) {
    return core::fail(ErrorKind::not_found, "Meeting " + meeting_id + " not found");
}

std::unexpected<core::Error> no_attendee() {
    return core::fail(ErrorKind::not_found, "Attendee not found in this meeting");
}

std::vector<SdkAttendee> new_attendees(const std::vector<WantedAttendee>& wanted, Time now) {
    std::vector<SdkAttendee> attendees;
    attendees.reserve(wanted.size());
    for (const auto& one : wanted) attendees.push_back({core::uuid4(), one.external_user_id, one.capabilities, now});
    return attendees;
}

/// The first of each external id.
std::vector<SdkAttendee> without_repetitions(const std::vector<SdkAttendee>& attendees) {
    std::vector<SdkAttendee> different;
    for (const auto& one : attendees) {
        const bool is_new =
            std::ranges::find(different, one.external_user_id, &SdkAttendee::external_user_id) == different.end();
        if (is_new) different.push_back(one);
    }
    return different;
}

/// Who of `there` was asked for, as often and in the order in which they were; some may be missing.
std::vector<SdkAttendee> in_order(const std::vector<SdkAttendee>& asked, const std::vector<SdkAttendee>& there) {
    std::vector<SdkAttendee> answer;
    for (const auto& one : asked) {
        const auto found = std::ranges::find(there, one.external_user_id, &SdkAttendee::external_user_id);
        if (found != there.end()) answer.push_back(*found);
    }
    return answer;
}

std::string_view event_type_of(core::MeetingEvent::Kind kind) {
    using Kind = core::MeetingEvent::Kind;
    switch (kind) {
        case Kind::attendee_joined:
            return "chime:AttendeeJoined";
        case Kind::attendee_left:
            return "chime:AttendeeLeft";
        case Kind::attendee_dropped:
            return "chime:AttendeeDropped";
        case Kind::content_joined:
            return "chime:AttendeeContentJoined";
        case Kind::content_left:
            return "chime:AttendeeContentLeft";
        case Kind::content_dropped:
            return "chime:AttendeeContentDropped";
        case Kind::video_started:
            return "chime:AttendeeVideoStarted";
        case Kind::video_stopped:
            return "chime:AttendeeVideoStopped";
        case Kind::content_video_started:
            return "chime:AttendeeContentVideoStarted";
        case Kind::content_video_stopped:
            return "chime:AttendeeContentVideoStopped";
    }
    return {};
}

std::int64_t micros(Time time) {
    return time.time_since_epoch().count();
}

}  // namespace

SdkMeetings::SdkMeetings(SdkMeetingsSettings settings, SdkMeetingStore& store, MeetingFloor& floor,
                         const core::Clock& clock)
    : settings_(settings), store_(store), floor_(floor), clock_(clock) {}

InvitedAttendee SdkMeetings::invited(const std::string& meeting_id, SdkAttendee attendee) const {
    auto token = floor_.join_token(meeting_id, attendee.attendee_id);
    return {std::move(attendee), std::move(token)};
}

Task<Result<SdkMeeting>> SdkMeetings::running(std::string meeting_id) {
    auto found = co_await store_.find_place(meeting_id, {});
    if (!found) co_return std::unexpected(std::move(found.error()));
    if (!*found || (*found)->meeting.ended_at) co_return no_meeting(meeting_id);
    co_return std::move((*found)->meeting);
}

Task<Result<PlacedMeeting>> SdkMeetings::placed(SdkMeeting meeting, std::string reached_at) {
    auto placement = co_await floor_.place(meeting.meeting_id, meeting.media_region, std::move(reached_at));
    if (!placement) co_return std::unexpected(std::move(placement.error()));
    co_return PlacedMeeting{std::move(meeting), std::move(*placement)};
}

/// The meeting that the request token stands for, and whether it has just been made, with these attendees.
Task<Result<std::pair<SdkMeeting, bool>>> SdkMeetings::make(const WantedMeeting& wanted,
                                                            const std::vector<SdkAttendee>& attendees) {
    const auto now = clock_.now();
    const SdkMeeting meeting{.meeting_id = core::uuid4(),
                             .request_token = wanted.request_token,
                             .request_hash = wanted.request_hash,
                             .control_region = wanted.control_region,
                             .external_meeting_id = wanted.external_meeting_id,
                             .media_region = wanted.media_region,
                             .details = wanted.details,
                             .max_attendees = wanted.max_attendees,
                             .created_at = now,
                             .active_at = now};
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const auto created = co_await store_.create_meeting(meeting, attendees, wanted.tags, settings_.notify);
        if (!created) co_return std::unexpected(created.error());
        if (*created) co_return std::pair{meeting, true};
        auto earlier = co_await store_.find_by_request(wanted.request_token);
        if (!earlier) co_return std::unexpected(std::move(earlier.error()));
        if (!*earlier) continue;  // It has just ended.
        if ((*earlier)->request_hash != wanted.request_hash) {
            co_return core::fail(ErrorKind::conflict,
                                 "The ClientRequestToken was used for a meeting of other parameters");
        }
        co_return std::pair{std::move(**earlier), false};
    }
    co_return core::fail(ErrorKind::unavailable, "Too many requests with one ClientRequestToken",
                         std::chrono::seconds{1});
}

Task<Result<CreatedMeeting>> SdkMeetings::create(WantedMeeting wanted, std::string reached_at) {
    const auto asked = new_attendees(wanted.attendees, clock_.now());
    const auto different = without_repetitions(asked);
    auto made = co_await make(wanted, different);
    if (!made) co_return std::unexpected(std::move(made.error()));
    auto& [meeting, is_new] = *made;
    auto attendees = in_order(asked, different);
    if (!is_new && !asked.empty()) {
        auto earlier = co_await added(meeting.meeting_id, asked);
        if (!earlier) co_return std::unexpected(std::move(earlier.error()));
        attendees = std::move(*earlier);
    }
    CreatedMeeting created;
    for (auto& attendee : attendees) created.attendees.push_back(invited(meeting.meeting_id, std::move(attendee)));
    auto place = co_await placed(std::move(meeting), std::move(reached_at));
    if (!place) co_return std::unexpected(std::move(place.error()));
    created.meeting = std::move(*place);
    co_return created;
}

Task<Result<PlacedMeeting>> SdkMeetings::meeting(std::string meeting_id, std::string reached_at) {
    auto found = co_await running(std::move(meeting_id));
    if (!found) co_return std::unexpected(std::move(found.error()));
    co_return co_await placed(std::move(*found), std::move(reached_at));
}

Task<Result<void>> SdkMeetings::end(std::string meeting_id) {
    const auto ended = co_await store_.end_meeting(meeting_id, clock_.now(), settings_.notify);
    if (!ended) co_return std::unexpected(ended.error());
    if (!*ended) {
        // Deleting it twice is fine, as long as it is remembered.
        const auto found = co_await store_.find_place(meeting_id, {});
        if (!found) co_return std::unexpected(found.error());
        if (!*found) co_return no_meeting(meeting_id);
    }
    // Where it cannot be told now, `attendees_seen` makes up for it.
    co_await floor_.close(std::move(meeting_id));
    co_return Result<void>{};
}

/// Those of the meeting who have the external ids of `wanted`, in that order; new ones where there were none.
Task<Result<std::vector<SdkAttendee>>> SdkMeetings::added(std::string meeting_id, std::vector<SdkAttendee> wanted) {
    const auto different = without_repetitions(wanted);
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const auto there =
            co_await store_.add_attendees(meeting_id, different, settings_.most_attendees, settings_.notify);
        if (!there) co_return std::unexpected(there.error());
        auto answer = in_order(wanted, *there);
        if (answer.size() == wanted.size()) co_return answer;
        const auto still_there = co_await running(meeting_id);
        if (!still_there) co_return std::unexpected(still_there.error());
    }
    co_return core::fail(ErrorKind::unprocessable, "The meeting has " + std::to_string(settings_.most_attendees) +
                                                       " attendees or would have more; delete some that have left");
}

Task<Result<std::vector<InvitedAttendee>>> SdkMeetings::add_attendees(std::string meeting_id,
                                                                      std::vector<WantedAttendee> wanted) {
    auto there = co_await added(meeting_id, new_attendees(wanted, clock_.now()));
    if (!there) co_return std::unexpected(std::move(there.error()));
    std::vector<InvitedAttendee> answer;
    answer.reserve(there->size());
    for (auto& attendee : *there) answer.push_back(invited(meeting_id, std::move(attendee)));
    co_return answer;
}

Task<Result<InvitedAttendee>> SdkMeetings::attendee(std::string meeting_id, std::string attendee_id) {
    auto found = co_await store_.find_place(meeting_id, std::move(attendee_id));
    if (!found) co_return std::unexpected(std::move(found.error()));
    if (!*found || (*found)->meeting.ended_at) co_return no_meeting(meeting_id);
    auto& attendee = (*found)->attendee;
    if (!attendee || attendee->removed) co_return no_attendee();
    co_return invited(meeting_id, std::move(*attendee));
}

Task<Result<std::vector<InvitedAttendee>>> SdkMeetings::attendees(std::string meeting_id, std::string after,
                                                                  int limit) {
    if (auto found = co_await running(meeting_id); !found) co_return std::unexpected(std::move(found.error()));
    auto listed = co_await store_.list_attendees(meeting_id, std::move(after), limit);
    if (!listed) co_return std::unexpected(std::move(listed.error()));
    std::vector<InvitedAttendee> answer;
    answer.reserve(listed->size());
    for (auto& attendee : *listed) answer.push_back(invited(meeting_id, std::move(attendee)));
    co_return answer;
}

Task<Result<void>> SdkMeetings::remove_attendee(std::string meeting_id, std::string attendee_id) {
    const auto removed = co_await store_.remove_attendee(meeting_id, attendee_id, clock_.now(), settings_.notify);
    if (!removed) co_return std::unexpected(removed.error());
    if (!*removed) {
        if (auto found = co_await running(meeting_id); !found) co_return std::unexpected(std::move(found.error()));
        co_return no_attendee();
    }
    co_await floor_.put_out(std::move(meeting_id), std::move(attendee_id));
    co_return Result<void>{};
}

Task<Result<InvitedAttendee>> SdkMeetings::set_capabilities(std::string meeting_id, std::string attendee_id,
                                                            core::Capabilities capabilities) {
    const std::vector<std::string> ids(1, attendee_id);
    auto written =
        co_await store_.set_capabilities(meeting_id, ids, false, capabilities, clock_.now(), settings_.notify);
    if (!written) co_return std::unexpected(std::move(written.error()));
    if (!written->empty()) co_await floor_.set_capabilities(meeting_id, std::move(*written), capabilities);
    co_return co_await attendee(std::move(meeting_id), std::move(attendee_id));
}

Task<Result<void>> SdkMeetings::set_capabilities_except(std::string meeting_id, std::vector<std::string> excluded,
                                                        core::Capabilities capabilities) {
    if (auto found = co_await running(meeting_id); !found) co_return std::unexpected(std::move(found.error()));
    auto written = co_await store_.set_capabilities(meeting_id, std::move(excluded), true, capabilities, clock_.now(),
                                                    settings_.notify);
    if (!written) co_return std::unexpected(std::move(written.error()));
    if (!written->empty()) co_await floor_.set_capabilities(meeting_id, std::move(*written), capabilities);
    co_return Result<void>{};
}

Task<Result<void>> SdkMeetings::start_transcription(std::string meeting_id, std::string configuration,
                                                    std::string region) {
    const auto written = co_await store_.set_transcription(meeting_id, configuration);
    if (!written) co_return std::unexpected(written.error());
    if (!*written) co_return no_meeting(meeting_id);
    TranscriptionStatus status;
    status.type = TranscriptionStatus::Type::failed;
    status.at = clock_.now();
    status.region = std::move(region);
    status.configuration = std::move(configuration);
    status.message = kNoRecogniser;
    co_return co_await floor_.tell_transcription(std::move(meeting_id), std::move(status));
}

Task<Result<void>> SdkMeetings::stop_transcription(std::string meeting_id, std::string region) {
    auto found = co_await running(meeting_id);
    if (!found) co_return std::unexpected(std::move(found.error()));
    if (!found->transcription) co_return Result<void>{};
    const auto written = co_await store_.set_transcription(meeting_id, std::nullopt);
    if (!written) co_return std::unexpected(written.error());
    TranscriptionStatus status;
    status.type = TranscriptionStatus::Type::stopped;
    status.at = clock_.now();
    status.region = std::move(region);
    status.configuration = std::move(*found->transcription);
    co_return co_await floor_.tell_transcription(std::move(meeting_id), std::move(status));
}

Task<Result<Tags>> SdkMeetings::tags(std::string meeting_id) {
    if (auto found = co_await running(meeting_id); !found) co_return std::unexpected(std::move(found.error()));
    co_return co_await store_.tags(std::move(meeting_id));
}

Task<Result<void>> SdkMeetings::set_tags(std::string meeting_id, Tags tags) {
    const auto outcome = co_await store_.set_tags(meeting_id, std::move(tags), settings_.most_tags);
    if (!outcome) co_return std::unexpected(outcome.error());
    if (*outcome == TagOutcome::no_such_meeting) co_return no_meeting(meeting_id);
    if (*outcome == TagOutcome::too_many) {
        co_return core::fail(ErrorKind::unprocessable,
                             "A meeting can have " + std::to_string(settings_.most_tags) + " tags");
    }
    co_return Result<void>{};
}

Task<Result<void>> SdkMeetings::remove_tags(std::string meeting_id, std::vector<std::string> keys) {
    if (auto found = co_await running(meeting_id); !found) co_return std::unexpected(std::move(found.error()));
    co_return co_await store_.remove_tags(std::move(meeting_id), std::move(keys));
}

Task<Result<Admission>> SdkMeetings::admit(std::string meeting_id, std::string attendee_id) {
    auto found = co_await store_.find_place(std::move(meeting_id), std::move(attendee_id));
    if (!found) co_return std::unexpected(std::move(found.error()));
    Admission admission;
    if (!*found) co_return admission;
    auto& [meeting, attendee] = **found;
    if (meeting.ended_at) {
        admission.verdict = Verdict::ended;
    } else if (attendee && !attendee->removed) {
        admission.verdict = Verdict::admitted;
        admission.external_user_id = std::move(attendee->external_user_id);
        admission.capabilities = attendee->capabilities;
        admission.max_attendees = static_cast<std::size_t>(meeting.max_attendees);
    }
    co_return admission;
}

Task<Result<void>> SdkMeetings::happened(core::MeetingEvent event) {
    std::string type{event_type_of(event.kind)};
    co_return co_await store_.note_event(std::move(event), std::move(type), settings_.notify);
}

Task<Result<void>> SdkMeetings::attendees_seen(std::vector<std::string> attendee_ids) {
    const auto now = clock_.now();
    auto misplaced = co_await store_.note_connected(std::move(attendee_ids), now, now - kChanged);
    if (!misplaced) co_return std::unexpected(std::move(misplaced.error()));
    heard();
    for (auto& one : *misplaced) co_await put_right(std::move(one));
    co_return Result<void>{};
}

/// What was decided in another process, or while the server could not be told, is done here.
Task<void> SdkMeetings::put_right(Misplaced misplaced) {
    using Why = Misplaced::Why;
    switch (misplaced.why) {
        case Why::meeting_ended:
            co_await floor_.close(std::move(misplaced.meeting_id));
            break;
        case Why::removed:
            co_await floor_.put_out(std::move(misplaced.meeting_id), std::move(misplaced.attendee_id));
            break;
        case Why::capabilities_changed: {
            const std::vector<std::string> ids(1, misplaced.attendee_id);
            co_await floor_.set_capabilities(std::move(misplaced.meeting_id), ids, misplaced.capabilities);
            break;
        }
    }
}

void SdkMeetings::heard() {
    const auto now = clock_.now();
    if (heard_at_.exchange(micros(now)) < micros(now - kSilence)) heard_since_ = micros(now);
}

/// After a start, and after the database was away, people may be about to come back who could not be written down.
bool SdkMeetings::may_judge_emptiness() const {
    const auto now = clock_.now();
    const auto patience = std::min(settings_.empty_for, std::chrono::duration_cast<std::chrono::minutes>(kReturn));
    return heard_at_ >= micros(now - kSilence) && heard_since_ <= micros(now - patience);
}

Task<Result<int>> SdkMeetings::sweep() {
    const auto now = clock_.now();
    const EndTerms terms{may_judge_emptiness() ? now - settings_.empty_for : Time{}, now - settings_.longest};
    auto due = co_await store_.due_to_end(terms, kSweepLimit);
    if (!due) co_return std::unexpected(std::move(due.error()));
    int ended = 0;
    for (auto& meeting_id : *due) {
        const auto done = co_await store_.end_meeting(meeting_id, now, settings_.notify, terms);
        if (!done) co_return std::unexpected(done.error());
        // Another process was faster, or somebody has come.
        if (!*done) continue;
        ++ended;
        co_await floor_.close(std::move(meeting_id));
    }
    const auto forgotten = co_await store_.prune_meetings(now - kRemembered, kSweepLimit);
    if (!forgotten) co_return std::unexpected(forgotten.error());
    if (!settings_.notify) {
        if (auto dropped = co_await drop_notifications(); !dropped) co_return std::unexpected(dropped.error());
    }
    co_return ended;
}

/// Of a time when somebody was told: nobody will ever fetch them.
Task<Result<void>> SdkMeetings::drop_notifications() {
    const auto due = co_await store_.due_notifications(clock_.now() + kRemembered, kSweepLimit);
    if (!due) co_return std::unexpected(due.error());
    if (due->empty()) co_return Result<void>{};
    std::vector<std::int64_t> sequences;
    for (const auto& told : *due) sequences.push_back(told.sequence);
    co_return co_await store_.finish_notifications(std::move(sequences));
}

}  // namespace service
