// Meeting: connections, the order of frames, endings, time.
#include "media/room/meeting.hpp"

#include <algorithm>
#include <utility>

#include "media/room/meeting_connection.hpp"

namespace media::room {

namespace proto = wire::proto;

namespace {

constexpr std::uint32_t kMeetingEnded = 410;
constexpr std::uint32_t kAttendeeRemoved = 411;
constexpr std::uint32_t kServerFault = 500;

proto::Frame audio_status(std::uint32_t status, Moment now) {
    proto::Frame frame = wire::make_frame(proto::Frame::AUDIO_STATUS, now.wall);
    frame.mutable_audio_status()->set_audio_status(status);
    return frame;
}

}  // namespace

Meeting::Meeting(MeetingSettings settings) : settings_(std::move(settings)), ssrcs_(settings_.seed) {}

Meeting::~Meeting() = default;

void Meeting::connect(PeerId peer, Identity identity, LocalTransport local, TurnCredentials turn, Moment now,
                      Outputs& out) {
    if (ended_) {
        out.push_back(output::Close{peer, close_code::kEnded});
        return;
    }
    if (connections_.size() >= kMaxConnections || connections_.contains(peer)) {
        out.push_back(output::Close{peer, close_code::kReconnect});
        return;
    }
    std::vector<PeerId> waiting;
    for (const auto& [id, connection] : connections_) {
        if (connection.phase == Phase::fresh && connection.identity.attendee_id == identity.attendee_id) {
            waiting.push_back(id);
        }
    }
    if (waiting.size() >= kMaxFresh) drop(waiting.front(), 0, out);
    connections_.try_emplace(peer, peer, std::move(identity), std::move(local), std::move(turn), ssrcs_, now);
}

void Meeting::receive(PeerId peer, std::string_view message, Moment now, Outputs& out) {
    Connection* connection = find(peer);
    if (!connection) return;
    connection->heard = now;
    const auto frame = wire::unwrap_frame(message);
    if (!frame) return drop(peer, close_code::kBadRequest, out);
    // Data messages have limits of their own, which are higher.
    TokenBucket& limit =
        frame->type() == Frame::DATA_MESSAGE && frame->has_type() ? connection->hard_messages : connection->frames;
    if (!limit.take(now.steady)) return drop(peer, close_code::kBadRequest, out);
    if (!frame->has_type()) return;
    const Phase phase = connection->phase;
    switch (frame->type()) {
        case Frame::PING_PONG:
            return on_ping(*connection, *frame, now, out);
        case Frame::LEAVE:
            return on_leave(*connection, now, out);
        default:
            break;
    }
    if (phase == Phase::closing) return;
    switch (frame->type()) {
        case Frame::JOIN:
            return on_join(*connection, *frame, now, out);
        case Frame::SUBSCRIBE:
            return on_subscribe(*connection, *frame, now, out);
        case Frame::PRIMARY_MEETING_JOIN:
            return on_primary_meeting_join(*connection, now, out);
        default:
            break;
    }
    // What follows is for those in the roster; from others it means nothing.
    if (phase != Phase::subscribed) return;
    switch (frame->type()) {
        case Frame::PAUSE:
            return on_pause(*connection, *frame, true, out);
        case Frame::RESUME:
            return on_pause(*connection, *frame, false, out);
        case Frame::AUDIO_CONTROL:
            return on_audio_control(*connection, frame->audio_control().muted(), now, out);
        case Frame::DATA_MESSAGE:
            return on_data_messages(*connection, *frame, now, out);
        case Frame::REMOTE_VIDEO_UPDATE:
            return on_remote_video_update(*connection, *frame, out);
        default:
            return;
    }
}

void Meeting::on_ping(Connection& connection, const Frame& frame, Moment now, Outputs& out) {
    if (!frame.has_ping_pong() || frame.ping_pong().type() != proto::PingPong::PING) return;
    Frame pong = wire::make_frame(Frame::PING_PONG, now.wall);
    pong.mutable_ping_pong()->set_type(proto::PingPong::PONG);
    pong.mutable_ping_pong()->set_ping_id(frame.ping_pong().ping_id());
    send(connection.peer, pong, out);
}

void Meeting::on_primary_meeting_join(const Connection& connection, Moment now, Outputs& out) {
    Frame answer = wire::make_frame(Frame::PRIMARY_MEETING_JOIN_ACK, now.wall);
    answer.mutable_primary_meeting_join_ack();
    answer.mutable_error()->set_status(403);
    answer.mutable_error()->set_description("this server has no primary meetings");
    send(connection.peer, answer, out);
}

void Meeting::begin_closing(Connection& connection, std::uint16_t code, Moment now, Outputs& out) {
    if (connection.phase == Phase::subscribed) {
        note_unreached(connection, now);
        Member* member = roster_.find_peer(connection.peer);
        take_off_media(connection.peer, out);
        if (member && !member->lost) member->lost = now;
    }
    connection.phase = Phase::closing;
    connection.close_with = code;
    connection.deadline = now.steady + kFarewell;
}

/// Ends a connection with the word that makes its client stop for good. Who is not in yet hears the close code only.
void Meeting::put_out(Connection& connection, std::uint32_t status, std::uint16_t code, Moment now, Outputs& out) {
    if (connection.phase == Phase::closing) return;
    const bool fresh = connection.phase == Phase::fresh;
    if (!fresh) send(connection.peer, audio_status(status, now), out);
    begin_closing(connection, code, now, out);
    if (fresh) connection.deadline = now.steady;
}

void Meeting::refuse(Connection& connection, Frame::Type type, std::uint32_t status, std::string_view why, Moment now,
                     Outputs& out) {
    Frame frame = wire::make_frame(type, now.wall);
    frame.mutable_error()->set_status(status);
    frame.mutable_error()->set_description(std::string(why));
    send(connection.peer, frame, out);
    begin_closing(connection, status >= 500 ? close_code::kReconnect : close_code::kBadRequest, now, out);
}

void Meeting::lost(PeerId peer, Moment now) {
    Connection* connection = find(peer);
    if (!connection) return;
    if (Member* member = roster_.find_peer(peer); member && connection->phase == Phase::subscribed) {
        note_unreached(*connection, now);
        member->lost = now;
    }
    connections_.erase(peer);
}

void Meeting::drop(PeerId peer, std::uint16_t code, Outputs& out) {
    Connection* connection = find(peer);
    if (!connection) return;
    lost(peer, connection->heard);
    out.push_back(output::Close{peer, code});
}

void Meeting::media_reached(PeerId peer) {
    if (Connection* connection = find(peer)) connection->reached = true;
}

void Meeting::media_lost(PeerId peer, Moment now, Outputs& out) {
    Connection* connection = find(peer);
    if (!connection || connection->phase != Phase::subscribed || connection->media_complained) return;
    connection->media_complained = true;
    send(peer, audio_status(kServerFault, now), out);  // The client connects anew.
}

void Meeting::end(Moment now, Outputs& out) {
    if (ended_) return;
    ended_ = true;
    for (auto& [id, connection] : connections_) put_out(connection, kMeetingEnded, close_code::kEnded, now, out);
    while (roster_.size() > 0) {
        const auto& [full_id, member] = *roster_.members().begin();
        const std::string id = full_id;
        if (member.peer != 0) out.push_back(output::CloseMedia{member.peer});
        // Whoever was lost before the end had left when it was lost.
        const bool dropped = member.lost && member.lost->steady < now.steady;
        const Moment at = dropped ? *member.lost : now;
        const Identity identity = member.identity;
        unpublish(id, at, out);
        out.push_back(output::Gone{identity.attendee_id, at.wall, identity.content, dropped});
        roster_.remove(id);
    }
}

void Meeting::remove_attendee(std::string_view attendee_id, Moment now, Outputs& out) {
    for (const bool content : {false, true}) {
        const std::string full_id = Identity{std::string(attendee_id), {}, content}.full_id();
        for (auto& [id, connection] : connections_) {
            if (connection.full_id == full_id) {
                put_out(connection, kAttendeeRemoved, close_code::kBadRequest, now, out);
            }
        }
        if (const Member* member = roster_.find(full_id)) {
            remove_member(full_id, false, member->lost.value_or(now), now, out);
        }
    }
    refresh_indexes(now, out);
}

void Meeting::tick(Moment now, const MediaReport& report, Outputs& out) {
    if (now.steady >= check_at_) {
        check_at_ = now.steady + kCheckInterval;
        check_time(now, out);
        if (index_due_) refresh_indexes(now, out);
    }
    if (wants_report(now)) {
        metadata_at_ = now.steady + kMetadataInterval;
        follow_streams(report, now, out);
        send_metadata(report, now, out);
    }
}

void Meeting::check_time(Moment now, Outputs& out) {
    std::vector<std::pair<PeerId, std::uint16_t>> over;
    for (const auto& [id, connection] : connections_) {
        if (connection.deadline && now.steady >= *connection.deadline) {
            const bool farewell = connection.phase == Phase::closing;
            over.emplace_back(id, farewell ? connection.close_with : close_code::kReconnect);
        } else if (now.steady - connection.heard.steady >= kSilence) {
            over.emplace_back(id, std::uint16_t{0});
        }
    }
    for (const auto& [id, code] : over) drop(id, code, out);

    bool changed = false;
    std::vector<std::pair<std::string, Moment>> gone;
    for (const auto& [full_id, member] : roster_.members()) {
        if (!member.lost) continue;
        const auto away = now.steady - member.lost->steady;
        if (away >= settings_.gone_after) {
            gone.emplace_back(full_id, *member.lost);
        } else if (away >= kMediaGrace) {
            take_off_media(member.peer, out);
            changed |= unpublish(full_id, *member.lost, out);
        }
    }
    for (const auto& [full_id, since] : gone) remove_member(full_id, true, since, now, out);
    if (changed || !gone.empty()) refresh_indexes(now, out);
}

bool Meeting::idle(Moment now) const {
    return connections_.empty() && roster_.size() == 0 && (ended_ || messages_.empty(now.steady));
}

Meeting::Connection* Meeting::find(PeerId peer) {
    const auto found = connections_.find(peer);
    return found == connections_.end() ? nullptr : &found->second;
}

void Meeting::send(PeerId to, const Frame& frame, Outputs& out) const {
    out.push_back(output::Send{to, wire::wrap_frame(frame)});
}

/// To everybody who takes part; content shares only send.
void Meeting::send_attendees(const Frame& frame, PeerId except, Outputs& out) const {
    const std::string message = wire::wrap_frame(frame);
    for (const auto& [id, connection] : connections_) {
        if (id == except || connection.phase != Phase::subscribed || connection.identity.content) continue;
        out.push_back(output::Send{id, message});
    }
}

}  // namespace media::room
