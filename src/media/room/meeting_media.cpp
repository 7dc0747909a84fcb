// Meeting: negotiation, sources, mute, volume and data messages.
#include <algorithm>
#include <map>
#include <utility>

#include "media/room/meeting.hpp"
#include "media/room/meeting_connection.hpp"

namespace media::room {

namespace proto = wire::proto;

namespace {

constexpr std::size_t kMaxReceiveIds = 64;
constexpr std::size_t kMaxMessagesPerFrame = 16;
constexpr std::size_t kReplayFrame = 32 * 1024;
constexpr std::uint32_t kVideoUnavailable = 206;

std::vector<proto::StreamDescriptor> video_descriptors(const proto::Subscribe& subscribe) {
    std::vector<proto::StreamDescriptor> list;
    for (const proto::StreamDescriptor& stream : subscribe.send_streams()) {
        if (stream.media_type() == proto::VIDEO && list.size() < Sources::kMaxLayers) list.push_back(stream);
    }
    return list;
}

void write_message(const DataMessage& from, proto::DataMessage& to) {
    to.set_topic(from.topic);
    to.set_data(from.data);
    to.set_lifetime_ms(from.lifetime_ms);
    to.set_sender_attendee_id(from.sender_attendee_id);
    to.set_sender_external_user_id(from.sender_external_user_id);
    to.set_ingest_time_ns(from.ingest_time_ns);
}

}  // namespace

void Meeting::on_subscribe(Connection& connection, const Frame& frame, Moment now, Outputs& out) {
    const auto bad = [&](std::string_view why) { refuse(connection, Frame::SUBSCRIBE_ACK, 400, why, now, out); };
    if (connection.phase == Phase::fresh) return bad("subscribe before join");
    if (!connection.negotiations.take(now.steady)) return bad("too many negotiations");
    const proto::Subscribe& subscribe = frame.sub();
    if (!subscribe.has_sdp_offer() || subscribe.sdp_offer().empty()) return bad("no offer");
    const auto offer = wire::parse_sdp(subscribe.sdp_offer());
    if (!offer) return bad(offer.error().detail);

    const auto videos = video_descriptors(subscribe);
    const bool wanted = subscribe.duplex() != proto::RX && !videos.empty();
    const bool publishing = sources_.of(connection.full_id) != nullptr;
    std::vector<StreamId> receive(subscribe.receive_stream_ids().begin(), subscribe.receive_stream_ids().end());
    receive.resize(std::min(receive.size(), kMaxReceiveIds));
    const Negotiation::Demand demand{
        receive, [&](StreamId id) { return sources_.lists(id) && !sources_.belongs(id, connection.full_id); }, wanted,
        publishing || sources_.size() < kMaxPublishers};
    const auto answer = connection.negotiation.answer(*offer, demand, settings_);
    if (!answer) return bad(answer.error().detail);
    if (connection.remote && *connection.remote != answer->remote) {
        // Another peer connection belongs on another signalling connection: let the client come anew.
        return refuse(connection, Frame::SUBSCRIBE_ACK, 500, "the transport of the offer has changed", now, out);
    }

    const bool first = connection.phase != Phase::subscribed;
    const bool muted = subscribe.audio_muted();
    if (first) {
        connection.remote = answer->remote;
        enter_roster(connection, muted, now, out);
    } else {
        on_audio_control(connection, muted, now, out);
    }
    connection.decodable = answer->decodable;
    publish(connection, videos, *answer, now);
    connection.downlink = answer->downlink;
    std::erase_if(connection.paused, [&](StreamId id) {
        return std::ranges::find(connection.downlink.subscriptions, id, &Subscription::stream_id) ==
               connection.downlink.subscriptions.end();
    });
    out.push_back(output::Negotiated{connection.peer, connection.uplink, connection.downlink});
    if (first) out.push_back(output::Mute{connection.peer, muted});

    Frame ack = wire::make_frame(Frame::SUBSCRIBE_ACK, now.wall);
    proto::SubscribeAck& body = *ack.mutable_suback();
    body.set_duplex(subscribe.duplex());
    body.set_sdp_answer(answer->sdp);
    if (const Publication* publication = sources_.of(connection.full_id)) {
        for (const PublishedStream& stream : publication->streams) {
            proto::StreamAllocation& allocation = *body.add_allocations();
            allocation.set_track_label(stream.track_label);
            allocation.set_stream_id(stream.stream_id);
            allocation.set_group_id(publication->group_id);
        }
    }
    for (const Subscription& subscription : connection.downlink.subscriptions) {
        proto::TrackMapping& track = *body.add_tracks();
        track.set_stream_id(subscription.stream_id);
        track.set_ssrc(subscription.ssrc);
        track.set_track_label("v_" + subscription.mid);
    }
    if (wanted && !demand.camera_allowed) {
        ack.mutable_error()->set_status(kVideoUnavailable);
        ack.mutable_error()->set_description("as many cameras are on as the meeting carries");
    }
    send(connection.peer, ack, out);

    if (first) {
        Frame info = wire::make_frame(Frame::AUDIO_STREAM_ID_INFO, now.wall);
        for (const auto& [id, member] : roster_.members()) {
            *info.mutable_audio_stream_id_info()->add_streams() = Roster::present(member);
        }
        send(connection.peer, info, out);
        if (!connection.identity.content) replay_messages(connection, now, out);
    }
    refresh_indexes(now, out);
}

void Meeting::enter_roster(Connection& connection, bool muted, Moment now, Outputs& out) {
    if (const Member* before = roster_.find(connection.full_id)) take_off_media(before->peer, out);
    std::uint32_t replaced = 0;
    const Member& member = roster_.enter(connection.identity, connection.peer, muted, now.wall, replaced);
    connection.phase = Phase::subscribed;
    connection.deadline.reset();
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

void Meeting::publish(Connection& connection, const std::vector<proto::StreamDescriptor>& videos, const Answer& answer,
                      Moment now) {
    connection.uplink.audio = answer.audio;
    connection.uplink.videos.clear();
    if (!answer.camera) {
        sources_.unpublish(connection.full_id);
        return;
    }
    const Publication& publication = sources_.publish(connection.peer, connection.identity, videos, now.wall);
    for (const PublishedStream& stream : publication.streams) {
        if (!stream.listed) continue;
        VideoUplink video = *answer.camera;
        video.stream_id = stream.stream_id;
        connection.uplink.videos.push_back(std::move(video));
    }
}

void Meeting::on_pause(Connection& connection, const Frame& frame, bool paused, Outputs& out) {
    for (const StreamId id : frame.pause().stream_ids()) {
        const auto& subscriptions = connection.downlink.subscriptions;
        if (std::ranges::find(subscriptions, id, &Subscription::stream_id) == subscriptions.end()) continue;
        const bool changed = paused ? connection.paused.insert(id).second : connection.paused.erase(id) > 0;
        if (changed) out.push_back(output::Pause{connection.peer, id, paused});
    }
}

void Meeting::on_remote_video_update(Connection& connection, const Frame& frame, Outputs& out) {
    bool changed = false;
    for (const auto& wish : frame.remote_video_update().added_or_updated_video_subscriptions()) {
        if (!sources_.lists(wish.stream_id()) || sources_.belongs(wish.stream_id(), connection.full_id)) continue;
        auto& subscriptions = connection.downlink.subscriptions;
        const auto line = std::ranges::find(subscriptions, wish.mid(), &Subscription::mid);
        if (line == subscriptions.end() || line->stream_id == wish.stream_id()) continue;
        line->stream_id = wish.stream_id();
        changed = true;
    }
    if (changed) out.push_back(output::Negotiated{connection.peer, connection.uplink, connection.downlink});
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

void Meeting::announce(const proto::AudioStreamIdEntry& entry, PeerId except, Moment now, Outputs& out) const {
    Frame frame = wire::make_frame(Frame::AUDIO_STREAM_ID_INFO, now.wall);
    *frame.mutable_audio_stream_id_info()->add_streams() = entry;
    const std::string message = wire::wrap_frame(frame);
    for (const auto& [id, connection] : connections_) {
        if (id != except && connection.phase == Phase::subscribed) out.push_back(output::Send{id, message});
    }
}

void Meeting::on_data_messages(Connection& connection, const Frame& frame, Moment now, Outputs& out) {
    std::size_t taken = 0;
    for (const proto::DataMessage& sent : frame.data_message().messages()) {
        if (++taken > kMaxMessagesPerFrame) return;
        if (!connection.hard_messages.take(now.steady)) return drop(connection.peer, close_code::kBadRequest, out);
        if (!MessageStore::valid(sent.topic(), sent.data())) continue;
        DataMessage message{
            sent.topic(), sent.data(), sent.lifetime_ms(), connection.full_id, connection.identity.external_user_id, 0};
        Frame relayed = wire::make_frame(Frame::DATA_MESSAGE, now.wall);
        if (!connection.messages.take(now.steady) || !message_rate_.take(now.steady)) {
            write_message(message, *relayed.mutable_data_message()->add_messages());  // Time 0: throttled.
            send(connection.peer, relayed, out);
            continue;
        }
        write_message(messages_.ingest(std::move(message), now.steady, now.wall),
                      *relayed.mutable_data_message()->add_messages());
        const std::string bytes = wire::wrap_frame(relayed);
        for (const auto& [id, other] : connections_) {
            if (id == connection.peer || other.phase != Phase::subscribed || other.identity.content) continue;
            out.push_back(output::Send{id, bytes});
        }
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

std::vector<std::uint32_t> Meeting::codec_intersection() const {
    std::size_t clients = 0;
    std::map<std::uint32_t, std::size_t> able;
    for (const auto& [id, connection] : connections_) {
        // A content share receives nothing, so it limits nobody.
        if (connection.phase != Phase::subscribed || connection.identity.content || connection.decodable.empty())
            continue;
        ++clients;
        for (const std::uint32_t codec : connection.decodable) ++able[codec];
    }
    std::vector<std::uint32_t> everybody;
    for (const auto& [codec, count] : able) {
        if (count == clients) everybody.push_back(codec);
    }
    return everybody;
}

proto::Index Meeting::index_for(const Connection& connection, const std::vector<std::uint32_t>& codecs) const {
    proto::Index index;
    const bool publishes = sources_.of(connection.full_id) != nullptr;
    index.set_at_capacity(!publishes && sources_.size() >= kMaxPublishers);
    // Somebody who joins is not in the roster before the subscribe that follows, but counts already.
    const std::size_t self = !connection.identity.content && !roster_.find(connection.full_id) ? 1 : 0;
    index.set_num_participants(static_cast<std::uint32_t>(roster_.attendees() + self));
    for (const auto& [full_id, publication] : sources_.all()) {
        // A content share receives no video, and nobody their own.
        if (connection.identity.content || publication.attendee_id == connection.full_id ||
            publication.attendee_id == connection.full_id + "#content") {
            continue;
        }
        for (const PublishedStream& stream : publication.streams) {
            if (!stream.listed) continue;
            proto::StreamDescriptor& source = *index.add_sources();
            source.set_stream_id(stream.stream_id);
            source.set_group_id(publication.group_id);
            source.set_framerate(stream.framerate);
            source.set_max_bitrate_kbps(stream.max_bitrate_kbps);
            source.set_track_label(stream.track_label);
            source.set_attendee_id(publication.attendee_id);
            source.set_external_user_id(publication.external_user_id);
            source.set_media_type(proto::VIDEO);
        }
    }
    for (const std::uint32_t codec : codecs) {
        index.add_supported_receive_codec_intersection(static_cast<proto::CodecCapability>(codec));
    }
    return index;
}

void Meeting::send_index(Connection& connection, proto::Index index, Moment now, Outputs& out) {
    connection.last_index = index.SerializeAsString();
    Frame frame = wire::make_frame(Frame::INDEX, now.wall);
    *frame.mutable_index() = std::move(index);
    send(connection.peer, frame, out);
}

void Meeting::refresh_indexes(Moment now, Outputs& out) {
    const std::vector<std::uint32_t> codecs = codec_intersection();
    for (auto& [id, connection] : connections_) {
        if (connection.phase != Phase::joined && connection.phase != Phase::subscribed) continue;
        proto::Index index = index_for(connection, codecs);
        if (index.SerializeAsString() != connection.last_index) send_index(connection, std::move(index), now, out);
    }
}

void Meeting::send_metadata(std::span<const AudioLevel> levels, Moment now, Outputs& out) {
    constexpr std::uint8_t kSilent = 127;
    constexpr std::uint32_t kGoodSignal = 2;
    std::map<PeerId, std::uint8_t> heard;
    for (const AudioLevel& level : levels) heard[level.peer] = level.level;
    Frame frame = wire::make_frame(Frame::AUDIO_METADATA, now.wall);
    proto::AudioMetadata& body = *frame.mutable_audio_metadata();
    const auto add = [&](const Member& member, std::uint8_t level) {
        proto::AttendeeAudioState& state = *body.add_attendee_states();
        state.set_audio_stream_id(member.audio_stream_id);
        state.set_volume(level);
        state.set_signal_strength(kGoodSignal);
    };
    for (const auto& [id, member] : roster_.members()) {
        const auto level = heard.find(member.peer);
        if (member.muted || level == heard.end() || level->second >= kSilent) continue;
        add(member, level->second);
    }
    // One entry with a volume makes the client set everybody else to silence; none would leave the last volumes.
    if (body.attendee_states().empty() && roster_.size() > 0) add(roster_.members().begin()->second, kSilent);
    const std::string message = wire::wrap_frame(frame);
    for (const auto& [id, connection] : connections_) {
        if (connection.phase != Phase::subscribed || connection.identity.content) continue;
        out.push_back(output::Send{id, message});
    }
}

}  // namespace media::room
