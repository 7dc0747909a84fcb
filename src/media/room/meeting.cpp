#include "media/room/meeting.hpp"

#include <algorithm>
#include <utility>

#include "media/room/meeting_connection.hpp"

namespace media::room {

namespace proto = wire::proto;

namespace {

constexpr std::uint32_t kJoinedElsewhere = 301;
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
    if (!connection->frames.take(now.steady)) return drop(peer, close_code::kBadRequest, out);
    const auto frame = wire::unwrap_frame(message);
    if (!frame) return drop(peer, close_code::kBadRequest, out);
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
        case Frame::PRIMARY_MEETING_JOIN: {
            Frame answer = wire::make_frame(Frame::PRIMARY_MEETING_JOIN_ACK, now.wall);
            answer.mutable_primary_meeting_join_ack();
            answer.mutable_error()->set_status(403);
            answer.mutable_error()->set_description("this server has no primary meetings");
            return send(peer, answer, out);
        }
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

void Meeting::on_join(Connection& connection, const Frame& frame, Moment now, Outputs& out) {
    if (connection.phase != Phase::fresh) {
        return refuse(connection, Frame::JOIN_ACK, 400, "joined already", now, out);
    }
    connection.audio_session_id = frame.join().audio_session_id();
    replace_older(connection, now, out);
    // A member that is already in the roster comes back to its own place.
    if (!roster_.find(connection.full_id)) {
        const auto joining = static_cast<std::size_t>(std::ranges::count_if(connections_, [&](const auto& entry) {
            return entry.second.phase == Phase::joined && entry.second.identity.content;
        }));
        const bool full = (!connection.identity.content && roster_.attendees() >= settings_.max_attendees) ||
                          (connection.identity.content && roster_.content_shares() + joining >= kMaxContentShares);
        if (full) return refuse(connection, Frame::JOIN_ACK, 409, "no room", now, out);
    }
    connection.phase = Phase::joined;
    Frame ack = wire::make_frame(Frame::JOIN_ACK, now.wall);
    // There also without servers: the client then neither forces a relay nor waits for all candidates.
    proto::TurnCredentials& turn = *ack.mutable_joinack()->mutable_turn_credentials();
    turn.set_username(connection.turn.username);
    turn.set_password(connection.turn.password);
    turn.set_ttl(static_cast<std::uint32_t>(connection.turn.life.count()));
    for (const std::string& uri : connection.turn.uris) turn.add_uris(uri);
    ack.mutable_joinack()->set_video_subscription_limit(kMaxPublishers);
    send(connection.peer, ack, out);
    send_index(connection, index_for(connection, codec_intersection()), now, out);
}

void Meeting::replace_older(const Connection& newer, Moment now, Outputs& out) {
    std::vector<PeerId> older;
    for (const auto& [id, connection] : connections_) {
        const bool active = connection.phase == Phase::joined || connection.phase == Phase::subscribed;
        if (id != newer.peer && active && connection.full_id == newer.full_id) older.push_back(id);
    }
    if (Member* member = roster_.find(newer.full_id)) {
        take_off_media(member->peer, out);
        if (!member->lost) member->lost = now;
    }
    for (const PeerId id : older) {
        Connection& connection = *find(id);
        if (connection.audio_session_id == newer.audio_session_id) {
            drop(id, 0, out);  // The same page, reconnecting: the old socket only looks alive.
        } else {
            send(id, audio_status(kJoinedElsewhere, now), out);
            begin_closing(connection, close_code::kNormal, now, out);
        }
    }
}

void Meeting::on_leave(Connection& connection, Moment now, Outputs& out) {
    Frame ack = wire::make_frame(Frame::LEAVE_ACK, now.wall);
    ack.mutable_leave_ack();
    send(connection.peer, ack, out);
    // A connection that was refused or replaced says LEAVE too. It speaks for the attendee unless another one does.
    const bool speaks = std::ranges::none_of(connections_, [&](const auto& entry) {
        const Connection& other = entry.second;
        return other.peer != connection.peer && other.full_id == connection.full_id &&
               (other.phase == Phase::joined || other.phase == Phase::subscribed);
    });
    const bool joined = connection.phase != Phase::fresh;
    if (connection.phase != Phase::closing) begin_closing(connection, close_code::kNormal, now, out);
    if (joined && speaks) remove_member(connection.full_id, false, now, now, out);
    refresh_indexes(now, out);
}

void Meeting::begin_closing(Connection& connection, std::uint16_t code, Moment now, Outputs& out) {
    if (connection.phase == Phase::subscribed) {
        Member* member = roster_.find_peer(connection.peer);
        take_off_media(connection.peer, out);
        if (member && !member->lost) member->lost = now;
    }
    connection.phase = Phase::closing;
    connection.close_with = code;
    connection.deadline = now.steady + kFarewell;
}

void Meeting::refuse(Connection& connection, Frame::Type type, std::uint32_t status, std::string_view why, Moment now,
                     Outputs& out) {
    Frame frame = wire::make_frame(type, now.wall);
    frame.mutable_error()->set_status(status);
    frame.mutable_error()->set_description(std::string(why));
    send(connection.peer, frame, out);
    begin_closing(connection, status >= 500 ? close_code::kReconnect : close_code::kBadRequest, now, out);
}

/// Stops the media of a connection; its place in the roster and its sources in the INDEX stay.
void Meeting::take_off_media(PeerId peer, Outputs& out) {
    Member* member = roster_.find_peer(peer);
    if (!member) return;
    member->peer = 0;
    out.push_back(output::CloseMedia{peer});
}

void Meeting::lost(PeerId peer, Moment now) {
    Connection* connection = find(peer);
    if (!connection) return;
    if (Member* member = roster_.find_peer(peer); member && connection->phase == Phase::subscribed) {
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

void Meeting::media_lost(PeerId peer, Moment now, Outputs& out) {
    Connection* connection = find(peer);
    if (!connection || connection->phase != Phase::subscribed || connection->media_complained) return;
    connection->media_complained = true;
    send(peer, audio_status(kServerFault, now), out);  // The client connects anew.
}

void Meeting::remove_member(const std::string& full_id, bool dropped, Moment at, Moment now, Outputs& out) {
    const Member* member = roster_.find(full_id);
    if (!member) return;
    const Member gone = *member;
    take_off_media(gone.peer, out);
    sources_.unpublish(full_id);
    roster_.remove(full_id);
    announce(Roster::absent(gone.audio_stream_id, dropped), 0, now, out);
    out.push_back(output::Gone{gone.identity.attendee_id, at.wall, gone.identity.content, dropped});
}

void Meeting::end(Moment now, Outputs& out) {
    if (ended_) return;
    ended_ = true;
    for (auto& [id, connection] : connections_) {
        if (connection.phase == Phase::closing) continue;
        const bool fresh = connection.phase == Phase::fresh;
        if (!fresh) send(id, audio_status(kMeetingEnded, now), out);
        begin_closing(connection, close_code::kEnded, now, out);
        if (fresh) connection.deadline = now.steady;
    }
    while (roster_.size() > 0) {
        const auto& [full_id, member] = *roster_.members().begin();
        const std::string id = full_id;
        if (member.peer != 0) out.push_back(output::CloseMedia{member.peer});
        // Whoever was lost before the end had left when it was lost.
        const core::Time at = member.lost && member.lost->steady < now.steady ? member.lost->wall : now.wall;
        out.push_back(output::Gone{member.identity.attendee_id, at, member.identity.content, member.lost.has_value()});
        sources_.unpublish(id);
        roster_.remove(id);
    }
}

void Meeting::remove_attendee(std::string_view attendee_id, Moment now, Outputs& out) {
    for (const bool content : {false, true}) {
        const std::string full_id = Identity{std::string(attendee_id), {}, content}.full_id();
        for (auto& [id, connection] : connections_) {
            if (connection.full_id != full_id || connection.phase == Phase::closing) continue;
            if (connection.phase != Phase::fresh) send(id, audio_status(kAttendeeRemoved, now), out);
            begin_closing(connection, close_code::kBadRequest, now, out);
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
    }
    if (wants_report(now)) {
        metadata_at_ = now.steady + kMetadataInterval;
        send_metadata(report.levels, now, out);
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
            changed |= sources_.unpublish(full_id);
        }
    }
    for (const auto& [full_id, since] : gone) remove_member(full_id, true, since, now, out);
    if (changed || !gone.empty()) refresh_indexes(now, out);
}

void Meeting::set_capabilities(std::string_view attendee_id, core::Capabilities capabilities, Moment now,
                               Outputs& out) {
    for (auto& [id, connection] : connections_) {
        if (connection.identity.attendee_id != attendee_id) continue;
        connection.identity.capabilities = capabilities;
        if (connection.phase == Phase::subscribed) out.push_back(output::Allow{id, capabilities});
    }
    refresh_indexes(now, out);
}

void Meeting::send_transcript(std::string_view frame, Moment now, Outputs& out) {
    Frame message = wire::make_frame(Frame::DATA_MESSAGE, now.wall);
    proto::DataMessage& data = *message.mutable_data_message()->add_messages();
    data.set_topic("aws:chime:transcription");
    data.set_data(std::string(frame));
    const std::string bytes = wire::wrap_frame(message);
    for (const auto& [id, connection] : connections_) {
        if (connection.phase == Phase::subscribed && !connection.identity.content)
            out.push_back(output::Send{id, bytes});
    }
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

}  // namespace media::room
