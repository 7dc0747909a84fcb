// Meeting: who joins and leaves, is muted, is heard.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "media/room/meeting.hpp"
#include "media/room/meeting_connection.hpp"

namespace media::room {

namespace proto = wire::proto;

namespace {

constexpr std::uint32_t kJoinedElsewhere = 301;
constexpr std::uint32_t kNotAllowed = 403;

}  // namespace

void Meeting::on_join(Connection& connection, const Frame& frame, Moment now, Outputs& out) {
    if (connection.phase != Phase::fresh) {
        return refuse(connection, Frame::JOIN_ACK, 400, "joined already", now, out);
    }
    if (connection.identity.content && !core::sends(connection.identity.capabilities.content)) {
        return refuse(connection, Frame::JOIN_ACK, kNotAllowed, "may not share content", now, out);
    }
    const proto::Join& join = frame.join();
    connection.audio_session_id = join.audio_session_id();
    connection.periodic_key_frames =
        connection.identity.content && !join.disable_periodic_keyframe_request_on_content_sender();
    agree_on_adaptation(connection, join);
    replace_older(connection, now, out);
    if (!has_room(connection)) return refuse(connection, Frame::JOIN_ACK, 409, "no room", now, out);

    connection.phase = Phase::joined;
    Frame ack = wire::make_frame(Frame::JOIN_ACK, now.wall);
    // There also without servers: the client then neither forces a relay nor waits for all candidates.
    proto::TurnCredentials& turn = *ack.mutable_joinack()->mutable_turn_credentials();
    const TurnCredentials given = needs_relay(connection) ? connection.turn : TurnCredentials{};
    turn.set_username(given.username);
    turn.set_password(given.password);
    turn.set_ttl(static_cast<std::uint32_t>(given.life.count()));
    for (const std::string& uri : given.uris) turn.add_uris(uri);
    ack.mutable_joinack()->set_video_subscription_limit(kMaxPublishers);
    // Absent means: the client adapts on its own, whatever it asked for.
    if (connection.adaptation == Adaptation::probing) {
        ack.mutable_joinack()->set_default_server_side_network_adaption(proto::ADAPTION_BANDWIDTH_PROBING);
    } else if (connection.adaptation == Adaptation::server) {
        ack.mutable_joinack()->set_default_server_side_network_adaption(
            proto::ADAPTION_BANDWIDTH_PROBING_AND_VIDEO_QUALITY);
    }
    send(connection.peer, ack, out);
    send_index(connection, now, out);
}

/// A member that is already in the roster comes back to its own place.
bool Meeting::has_room(const Connection& newcomer) const {
    if (roster_.find(newcomer.full_id)) return true;
    const bool content = newcomer.identity.content;
    const auto joining = static_cast<std::size_t>(std::ranges::count_if(connections_, [&](const auto& entry) {
        const Connection& other = entry.second;
        return other.phase == Phase::joined && other.identity.content == content && !roster_.find(other.full_id);
    }));
    return content ? roster_.content_shares() + joining < kMaxContentShares
                   : roster_.attendees() + joining < settings_.max_attendees;
}

bool Meeting::needs_relay(const Connection& connection) const {
    if (connection.turn.at_once) return true;
    return std::ranges::any_of(std::array{false, true}, [&](bool content) {
        const Member* member = roster_.find(Identity{connection.identity.attendee_id, {}, content}.full_id());
        return member && member->needs_relay;
    });
}

/// Called when a connection ends: if no check ever came through although there was time, the next one gets a relay.
void Meeting::note_unreached(const Connection& connection, Moment now) {
    if (connection.reached || !connection.answered || now.steady - *connection.answered < kReachTime) return;
    if (Member* member = roster_.find(connection.full_id)) member->needs_relay = true;
}

void Meeting::replace_older(const Connection& newer, Moment now, Outputs& out) {
    std::vector<PeerId> older;
    for (const auto& [id, connection] : connections_) {
        if (id == newer.peer || !connection.active() || connection.full_id != newer.full_id) continue;
        note_unreached(connection, now);
        older.push_back(id);
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
            put_out(connection, kJoinedElsewhere, close_code::kNormal, now, out);
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
        return other.peer != connection.peer && other.full_id == connection.full_id && other.active();
    });
    const bool joined = connection.phase != Phase::fresh;
    if (connection.phase != Phase::closing) begin_closing(connection, close_code::kNormal, now, out);
    if (joined && speaks) remove_member(connection.full_id, false, now, now, out);
    refresh_indexes(now, out);
}

void Meeting::enter_roster(Connection& connection, bool muted, Moment now, Outputs& out) {
    if (const Member* before = roster_.find(connection.full_id)) take_off_media(before->peer, out);
    std::uint32_t replaced = 0;
    const Member& member = roster_.enter(connection.identity, connection.peer, muted, now.wall, replaced);
    connection.phase = Phase::subscribed;
    connection.deadline.reset();
    connection.answered = now.steady;
    out.push_back(output::OpenMedia{connection.peer, member.person, connection.identity.content, *connection.remote});
    out.push_back(output::Allow{connection.peer, connection.identity.capabilities});
    // The new id first: whoever sees the old one go before that takes it for a leave.
    announce(Roster::present(member), connection.peer, now, out);
    if (replaced != 0) {
        announce(Roster::absent(replaced, false), connection.peer, now, out);
    } else {
        out.push_back(output::Connected{connection.identity.attendee_id, now.wall, connection.identity.content});
    }
}

void Meeting::remove_member(const std::string& full_id, bool dropped, Moment at, Moment now, Outputs& out) {
    const Member* member = roster_.find(full_id);
    if (!member) return;
    const Member gone = *member;
    take_off_media(gone.peer, out);
    unpublish(full_id, at, out);
    roster_.remove(full_id);
    announce(Roster::absent(gone.audio_stream_id, dropped), 0, now, out);
    out.push_back(output::Gone{gone.identity.attendee_id, at.wall, gone.identity.content, dropped});
}

/// Stops the media of a connection; its place in the roster and its sources in the INDEX stay.
void Meeting::take_off_media(PeerId peer, Outputs& out) {
    Member* member = roster_.find_peer(peer);
    if (!member) return;
    member->peer = 0;
    out.push_back(output::CloseMedia{peer});
}

void Meeting::on_audio_control(Connection& connection, bool muted, Moment now, Outputs& out) {
    Member* member = roster_.find_peer(connection.peer);
    if (!member || member->muted == muted) return;
    member->muted = muted;
    out.push_back(output::Mute{connection.peer, muted});
    proto::AudioStreamIdEntry entry;
    entry.set_audio_stream_id(member->audio_stream_id);
    entry.set_muted(muted);
    announce(entry, 0, now, out);
}

void Meeting::send_roster(const Connection& connection, Moment now, Outputs& out) const {
    Frame info = wire::make_frame(Frame::AUDIO_STREAM_ID_INFO, now.wall);
    for (const auto& [id, member] : roster_.members()) {
        *info.mutable_audio_stream_id_info()->add_streams() = Roster::present(member);
    }
    send(connection.peer, info, out);
}

void Meeting::announce(const proto::AudioStreamIdEntry& entry, PeerId except, Moment now, Outputs& out) const {
    Frame frame = wire::make_frame(Frame::AUDIO_STREAM_ID_INFO, now.wall);
    *frame.mutable_audio_stream_id_info()->add_streams() = entry;
    const std::string message = wire::wrap_frame(frame);
    for (const auto& [id, connection] : connections_) {
        if (id != except && connection.phase == Phase::subscribed) out.push_back(output::Send{id, message});
    }
}

void Meeting::send_metadata(const MediaReport& report, Moment now, Outputs& out) {
    constexpr std::uint8_t kSilent = 127;
    constexpr std::uint32_t kNoSignal = 0;
    constexpr std::uint32_t kGoodSignal = 2;
    std::map<PeerId, std::uint8_t> heard;
    for (const AudioLevel& level : report.levels) heard[level.peer] = level.level;
    std::map<PeerId, std::uint32_t> signal;
    for (const LinkReport& link : report.links) {
        if (link.signal_strength < kGoodSignal) signal[link.peer] = link.signal_strength;
    }
    const auto signal_of = [&](const Member& member) {
        if (member.lost && now.steady - member.lost->steady >= kMediaGrace) return kNoSignal;
        const auto weak = signal.find(member.peer);
        return weak == signal.end() ? kGoodSignal : weak->second;
    };
    Frame frame = wire::make_frame(Frame::AUDIO_METADATA, now.wall);
    proto::AudioMetadata& body = *frame.mutable_audio_metadata();
    const auto add = [&](const Member& member, std::uint8_t level, std::uint32_t strength) {
        proto::AttendeeAudioState& state = *body.add_attendee_states();
        state.set_audio_stream_id(member.audio_stream_id);
        state.set_volume(level);
        state.set_signal_strength(strength);
    };
    for (const auto& [id, member] : roster_.members()) {
        const auto level = heard.find(member.peer);
        const bool silent = member.muted || level == heard.end() || level->second >= kSilent;
        // Whoever is not listed has a good signal, for the client.
        const std::uint32_t strength = signal_of(member);
        if (!silent || strength != kGoodSignal) add(member, silent ? kSilent : level->second, strength);
    }
    // One entry with a volume makes the client set everybody else to silence; none would leave the last volumes.
    if (body.attendee_states().empty() && roster_.size() > 0) {
        add(roster_.members().begin()->second, kSilent, kGoodSignal);
    }
    send_attendees(frame, 0, out);
}

}  // namespace media::room
