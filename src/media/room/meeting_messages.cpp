// Meeting: data messages and transcripts.
#include <algorithm>
#include <utility>

#include "media/room/meeting.hpp"
#include "media/room/meeting_connection.hpp"

namespace media::room {

namespace proto = wire::proto;

namespace {

constexpr int kMaxMessagesPerFrame = 16;
constexpr std::size_t kReplayFrame = 32 * 1024;

void write_message(const DataMessage& from, proto::DataMessage& to) {
    to.set_topic(from.topic);
    to.set_data(from.data);
    to.set_lifetime_ms(from.lifetime_ms);
    to.set_sender_attendee_id(from.sender_attendee_id);
    to.set_sender_external_user_id(from.sender_external_user_id);
    to.set_ingest_time_ns(from.ingest_time_ns);
}

}  // namespace

void Meeting::on_data_messages(Connection& connection, const Frame& frame, Moment now, Outputs& out) {
    const auto& list = frame.data_message().messages();
    for (int i = 0; i < std::min(list.size(), kMaxMessagesPerFrame); ++i) {
        const proto::DataMessage& sent = list[i];
        // The first one is counted with its frame.
        const bool counted = i == 0 || connection.hard_messages.take(now.steady);
        if (!counted || !hard_message_rate_.take(now.steady)) {
            return drop(connection.peer, close_code::kBadRequest, out);
        }
        if (!MessageStore::valid(sent.topic(), sent.data())) continue;
        DataMessage message{
            sent.topic(), sent.data(), sent.lifetime_ms(), connection.full_id, connection.identity.external_user_id, 0};
        Frame relayed = wire::make_frame(Frame::DATA_MESSAGE, now.wall);
        if (!message_rate_.take(now.steady)) {
            write_message(message, *relayed.mutable_data_message()->add_messages());  // Time 0: throttled.
            send(connection.peer, relayed, out);
            continue;
        }
        write_message(messages_.ingest(std::move(message), now.steady, now.wall),
                      *relayed.mutable_data_message()->add_messages());
        send_attendees(relayed, connection.peer, out);
    }
}

void Meeting::replay_messages(const Connection& connection, Moment now, Outputs& out) {
    Frame frame = wire::make_frame(Frame::DATA_MESSAGE, now.wall);
    std::size_t bytes = 0;
    const auto flush = [&] {
        if (bytes == 0) return;
        send(connection.peer, frame, out);
        frame.mutable_data_message()->Clear();
        bytes = 0;
    };
    messages_.replay(now.steady, [&](const DataMessage& message) {
        if (message.sender_attendee_id == connection.full_id) return;
        write_message(message, *frame.mutable_data_message()->add_messages());
        bytes += message.data.size() + 256;
        if (bytes >= kReplayFrame) flush();
    });
    flush();
}

void Meeting::send_transcript(std::string_view transcript, Moment now, Outputs& out) {
    Frame frame = wire::make_frame(Frame::DATA_MESSAGE, now.wall);
    proto::DataMessage& data = *frame.mutable_data_message()->add_messages();
    data.set_topic("aws:chime:transcription");
    data.set_data(std::string(transcript));
    send_attendees(frame, 0, out);
}

}  // namespace media::room
