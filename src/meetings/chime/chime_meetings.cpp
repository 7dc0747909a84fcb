#include "meetings/chime/chime_meetings.hpp"

#include <algorithm>
#include <utility>

#include "meetings/chime/chime_names.hpp"

namespace meetings::chime {
namespace {

service::Credentials credentials_of(ChimeAttendee attendee) {
    return {std::move(attendee.attendee_id), std::move(attendee.external_user_id), std::move(attendee.join_token)};
}

consultation::Meeting meeting_of(ChimeMeeting made, const NewMeeting& asked, int generation) {
    consultation::Meeting meeting;
    meeting.provider = consultation::Provider::chime;
    meeting.meeting_id = std::move(made.meeting_id);
    meeting.external_meeting_id = asked.external_meeting_id;
    meeting.media_region = std::move(made.media_region);
    if (meeting.media_region.empty()) meeting.media_region = asked.media_region;
    meeting.audio_host_url = std::move(made.audio_host_url);
    meeting.audio_fallback_url = std::move(made.audio_fallback_url);
    meeting.signaling_url = std::move(made.signaling_url);
    meeting.turn_control_url = std::move(made.turn_control_url);
    meeting.generation = generation;
    return meeting;
}

/// What is not there any more need not be taken away.
core::Result<void> done_when_gone(core::Result<void> result) {
    if (!result && result.error().kind == core::ErrorKind::gone) return {};
    return result;
}

}  // namespace

NewMeeting ChimeMeetings::new_meeting(const service::MeetingPlan& plan) const {
    NewMeeting meeting;
    meeting.trace = plan.trace;
    meeting.client_request_token = request_token_for(plan.session_id, plan.generation);
    meeting.external_meeting_id = external_meeting_id_for(plan.session_id);
    meeting.media_region = plan.media_region.value_or(settings_.media_region);
    for (const auto& wanted : plan.external_user_ids) {
        auto id = external_user_id_for(wanted);
        // AWS refuses the same id twice.
        if (std::ranges::find(meeting.external_user_ids, id) == meeting.external_user_ids.end())
            meeting.external_user_ids.push_back(std::move(id));
    }
    meeting.tags = {{"Service", "PulseOne"},
                    {"Type", "VideoConsultation"},
                    {"DoctorId", tag_value_for(plan.doctor_id)},
                    {"PatientId", tag_value_for(plan.patient_id)},
                    {"SessionId", tag_value_for(plan.session_id)}};
    return meeting;
}

service::Task<core::Result<service::MadeMeeting>> ChimeMeetings::create_meeting(service::MeetingPlan plan) {
    const auto asked = new_meeting(plan);
    auto created = co_await api_.create_meeting(asked);
    if (!created) co_return std::unexpected(std::move(created.error()));
    service::MadeMeeting made;
    made.meeting = meeting_of(std::move(created->meeting), asked, plan.generation);
    for (auto& attendee : created->attendees) {
        const auto& ids = asked.external_user_ids;
        if (std::ranges::find(ids, attendee.external_user_id) != ids.end())
            made.attendees.push_back(credentials_of(std::move(attendee)));
    }
    co_return made;
}

service::Task<core::Result<service::Credentials>> ChimeMeetings::credentials(consultation::Meeting meeting,
                                                                             std::string external_user_id,
                                                                             std::string known_attendee_id, bool renew,
                                                                             core::trace::Context of) {
    if (renew && !known_attendee_id.empty()) {
        // If the old attendee stayed, AWS would give it again, and its removal, which may still be on its way, would
        // put out whoever has just come back.
        auto removed = done_when_gone(co_await api_.delete_attendee(meeting.meeting_id, known_attendee_id, of));
        if (!removed) co_return std::unexpected(std::move(removed.error()));
    }
    auto attendee =
        co_await api_.create_attendee(meeting.meeting_id, external_user_id_for(external_user_id), std::move(of));
    if (!attendee) co_return std::unexpected(std::move(attendee.error()));
    co_return credentials_of(std::move(*attendee));
}

consultation::Meeting ChimeMeetings::placed_for(consultation::Meeting meeting, std::string_view) const {
    return meeting;
}

service::Task<core::Result<void>> ChimeMeetings::end_meeting(consultation::Provider, std::string meeting_id) {
    co_return done_when_gone(co_await api_.delete_meeting(std::move(meeting_id)));
}

service::Task<core::Result<void>> ChimeMeetings::remove_attendee(consultation::Provider, std::string meeting_id,
                                                                 std::string attendee_id) {
    co_return done_when_gone(co_await api_.delete_attendee(std::move(meeting_id), std::move(attendee_id)));
}

service::Task<core::Result<std::vector<std::string>>> ChimeMeetings::roster(consultation::Meeting meeting) {
    auto ids = co_await api_.list_attendees(meeting.meeting_id);
    if (!ids || !ids->empty()) co_return ids;
    // An empty list may be that of a meeting that has ended.
    auto exists = co_await api_.get_meeting(std::move(meeting.meeting_id));
    if (!exists) co_return std::unexpected(std::move(exists.error()));
    co_return ids;
}

service::Task<core::Result<void>> ChimeMeetings::start_transcription(consultation::Meeting meeting,
                                                                     service::TranscriptionOptions options) {
    return api_.start_transcription(std::move(meeting.meeting_id), std::move(options));
}

service::Task<core::Result<void>> ChimeMeetings::stop_transcription(consultation::Meeting meeting) {
    return api_.stop_transcription(std::move(meeting.meeting_id));
}

}  // namespace meetings::chime
