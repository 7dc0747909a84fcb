// Embedded meetings as service::MeetingFloor: for those that were made by the SDK's API.
#include <utility>

#include "core/bytes.hpp"
#include "meetings/embedded/embedded_meetings.hpp"
#include "meetings/embedded/meeting_orders.hpp"

namespace meetings::embedded {
namespace {

using consultation::Provider;
using core::Result;
using service::Task;

media::server::TranscriptionNews news_of(service::TranscriptionStatus status) {
    using From = service::TranscriptionStatus::Type;
    using To = media::server::TranscriptionNews::Type;
    const auto type = [&status] {
        switch (status.type) {
            case From::started:
                return To::started;
            case From::interrupted:
                return To::interrupted;
            case From::resumed:
                return To::resumed;
            case From::stopped:
                return To::stopped;
            case From::failed:
                break;
        }
        return To::failed;
    }();
    return {type, status.at, std::move(status.region), std::move(status.configuration), std::move(status.message)};
}

}  // namespace

std::string EmbeddedMeetings::join_token(const std::string& meeting_id, const std::string& attendee_id) const {
    return tokens_.token(meeting_id, attendee_id);
}

Task<Result<service::MediaPlacement>> EmbeddedMeetings::place(std::string meeting_id, std::string media_region,
                                                              std::string reached_at) {
    const auto home = co_await nodes_.address_of(meeting_id, std::move(media_region));
    if (!home) co_return std::unexpected(home.error());
    consultation::Meeting meeting;
    meeting.meeting_id = std::move(meeting_id);
    auto placed = placed_for(std::move(meeting), home->url.empty() ? reached_at : home->url);
    service::MediaPlacement placement;
    placement.audio_host_url = std::move(placed.audio_host_url);
    placement.audio_fallback_url = std::move(placed.audio_fallback_url);
    placement.signaling_url = std::move(placed.signaling_url);
    placement.turn_control_url = std::move(placed.turn_control_url);
    co_return placement;
}

Task<Result<void>> EmbeddedMeetings::close(std::string meeting_id) {
    return end_meeting(Provider::embedded, std::move(meeting_id));
}

Task<Result<void>> EmbeddedMeetings::put_out(std::string meeting_id, std::string attendee_id) {
    return remove_attendee(Provider::embedded, std::move(meeting_id), std::move(attendee_id));
}

Task<Result<void>> EmbeddedMeetings::set_capabilities(std::string meeting_id, std::vector<std::string> attendee_ids,
                                                      core::Capabilities capabilities) {
    for (auto& attendee_id : attendee_ids) {
        auto done = co_await set_capabilities(meeting_id, std::move(attendee_id), capabilities);
        if (!done) co_return done;
    }
    co_return Result<void>{};
}

Task<Result<void>> EmbeddedMeetings::tell_transcription(std::string meeting_id, service::TranscriptionStatus status) {
    const auto frame = media::server::transcription_frame(news_of(std::move(status)));
    service::MeetingOrder order;
    order.meeting_id = std::move(meeting_id);
    order.kind = kTranscriptOrder;
    order.detail = core::base64url(core::as_bytes(frame));
    return command(std::move(order));
}

}  // namespace meetings::embedded
