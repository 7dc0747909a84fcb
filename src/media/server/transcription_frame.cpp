#include "media/server/meeting_server.hpp"
#include "media/wire/signalling.pb.h"

namespace media::server {
namespace {

using Type = wire::proto::TranscriptionStatus;

auto wire_type(TranscriptionNews::Type type) {
    switch (type) {
        case TranscriptionNews::Type::started:
            return Type::STARTED;
        case TranscriptionNews::Type::interrupted:
            return Type::INTERRUPTED;
        case TranscriptionNews::Type::resumed:
            return Type::RESUMED;
        case TranscriptionNews::Type::stopped:
            return Type::STOPPED;
        case TranscriptionNews::Type::failed:
            break;
    }
    return Type::FAILED;
}

}  // namespace

std::string transcription_frame(const TranscriptionNews& news) {
    wire::proto::TranscriptFrame frame;
    auto& status = *frame.add_events()->mutable_status();
    status.set_type(wire_type(news.type));
    status.set_event_time(std::chrono::duration_cast<std::chrono::milliseconds>(news.at.time_since_epoch()).count());
    status.set_transcription_region(news.region);
    status.set_transcription_configuration(news.configuration);
    if (!news.message.empty()) status.set_message(news.message);
    return frame.SerializeAsString();
}

}  // namespace media::server
