// Meeting: negotiation, publications, rights.
#include <algorithm>
#include <utility>

#include "media/room/meeting.hpp"
#include "media/room/meeting_connection.hpp"
#include "media/room/signalling_inflate.hpp"

namespace media::room {

namespace proto = wire::proto;

namespace {

constexpr std::size_t kMaxReceiveIds = 64;
constexpr std::uint32_t kAllIsWell = 200;
constexpr std::uint32_t kVideoUnavailable = 206;
constexpr std::uint32_t kNotAllowed = 403;

std::vector<proto::StreamDescriptor> video_descriptors(const proto::Subscribe& subscribe) {
    std::vector<proto::StreamDescriptor> list;
    for (const proto::StreamDescriptor& stream : subscribe.send_streams()) {
        if (stream.media_type() == proto::VIDEO && list.size() < Sources::kMaxLayers) list.push_back(stream);
    }
    return list;
}

/// Whether a connection of this kind may send the video that it is for.
bool may_send(const Identity& identity) {
    return core::sends(identity.content ? identity.capabilities.content : identity.capabilities.video);
}

}  // namespace

void Meeting::on_subscribe(Connection& connection, const Frame& frame, Moment now, Outputs& out) {
    const auto bad = [&](std::string_view why) { refuse(connection, Frame::SUBSCRIBE_ACK, 400, why, now, out); };
    if (connection.phase == Phase::fresh) return bad("subscribe before join");
    if (!connection.negotiations.take(now.steady)) return bad("too many negotiations");
    const proto::Subscribe& subscribe = frame.sub();
    const auto offer = read_offer(connection, subscribe);
    if (!offer) return bad(offer.error().detail);

    const auto videos = video_descriptors(subscribe);
    const bool wanted = subscribe.duplex() != proto::RX && !videos.empty();
    std::vector<StreamId> receive(subscribe.receive_stream_ids().begin(), subscribe.receive_stream_ids().end());
    receive.resize(std::min(receive.size(), kMaxReceiveIds));
    const Negotiation::Demand demand{receive,
                                     [&](StreamId id) { return may_see(connection, sources_.find_listed(id)); }, wanted,
                                     may_publish(connection), connection.identity.content};
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
    publish(connection, videos, *answer, now, out);
    connection.downlink = answer->downlink;
    connection.downlink.adaptation = connection.adaptation;
    for (const auto& configuration : subscribe.video_subscription_configuration()) take_wish(connection, configuration);
    apply_wishes(connection);
    out.push_back(output::Negotiated{connection.peer, connection.uplink, connection.downlink});
    if (first) out.push_back(output::Mute{connection.peer, muted});

    send_subscribe_ack(connection, subscribe, *answer, wanted && !demand.camera_allowed, now, out);
    if (first) {
        send_roster(connection, now, out);
        if (!connection.identity.content) replay_messages(connection, now, out);
    }
    refresh_indexes(now, out);
}

core::Result<wire::SdpOffer> Meeting::read_offer(Connection& connection, const proto::Subscribe& subscribe) const {
    if (!subscribe.sdp_offer().empty()) return wire::parse_sdp(subscribe.sdp_offer());
    if (subscribe.compressed_sdp_offer().empty()) return core::fail(core::ErrorKind::invalid, "no offer");
    // We ask for plain offers, but a client may have been told otherwise by a server before us.
    const auto text = inflate_offer(subscribe.compressed_sdp_offer(), connection.offer_dictionary);
    if (!text) return core::fail(core::ErrorKind::invalid, "the compressed offer cannot be read");
    connection.offer_dictionary = text->substr(0, kOfferDictionary);
    return wire::parse_sdp(*text);
}

void Meeting::send_subscribe_ack(const Connection& connection, const proto::Subscribe& subscribe, const Answer& answer,
                                 bool camera_refused, Moment now, Outputs& out) const {
    Frame ack = wire::make_frame(Frame::SUBSCRIBE_ACK, now.wall);
    proto::SubscribeAck& body = *ack.mutable_suback();
    body.set_duplex(subscribe.duplex());
    body.set_sdp_answer(answer.sdp);
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
    if (camera_refused) {
        ack.mutable_error()->set_status(kVideoUnavailable);
        ack.mutable_error()->set_description(
            may_send(connection.identity) ? "as many cameras are on as the meeting carries" : "may not send video");
    }
    send(connection.peer, ack, out);
}

/// Shares are few by the connections that are let in; cameras are counted here.
bool Meeting::may_publish(const Connection& connection) const {
    if (!may_send(connection.identity)) return false;
    return connection.identity.content || sources_.of(connection.full_id) || sources_.cameras() < kMaxPublishers;
}

/// A content share receives no video, nobody sees their own, and rights count.
bool Meeting::may_see(const Connection& connection, const Publication* publication) const {
    if (!publication || connection.identity.content) return false;
    const core::Capabilities& rights = connection.identity.capabilities;
    return publication->identity.attendee_id != connection.identity.attendee_id &&
           core::receives(publication->identity.content ? rights.content : rights.video);
}

void Meeting::publish(Connection& connection, const std::vector<proto::StreamDescriptor>& videos, const Answer& answer,
                      Moment now, Outputs& out) {
    connection.uplink.audio = answer.audio;
    connection.uplink.videos.clear();
    if (!answer.camera) {
        unpublish(connection.full_id, now, out);
        return;
    }
    const bool began = sources_.of(connection.full_id) == nullptr;
    const Publication& publication = sources_.publish(connection.peer, connection.identity, videos, answer.rids, now);
    for (const PublishedStream& stream : publication.streams) {
        // Layers that are off now stay known: a browser names the rid of an SSRC only in its first packets.
        if (!stream.announced && stream.rid.empty()) continue;
        VideoUplink video = *answer.camera;
        video.stream_id = stream.stream_id;
        video.group_id = publication.group_id;
        video.max_bitrate_kbps = stream.max_bitrate_kbps;
        video.periodic_key_frames = connection.periodic_key_frames;
        if (!stream.rid.empty()) {
            video.rid = stream.rid;
            video.ssrc = 0;
            video.rtx_ssrc = 0;
        }
        connection.uplink.videos.push_back(std::move(video));
    }
    if (began) {
        const Identity& identity = connection.identity;
        out.push_back(output::Video{identity.attendee_id, now.wall, identity.content, true});
    }
}

bool Meeting::unpublish(const std::string& full_id, Moment at, Outputs& out) {
    const Publication* publication = sources_.of(full_id);
    if (!publication) return false;
    const Identity& identity = publication->identity;
    out.push_back(output::Video{identity.attendee_id, at.wall, identity.content, false});
    return sources_.unpublish(full_id);
}

void Meeting::set_capabilities(std::string_view attendee_id, core::Capabilities capabilities, Moment now,
                               Outputs& out) {
    for (auto& [id, connection] : connections_) {
        if (connection.identity.attendee_id != attendee_id) continue;
        connection.identity.capabilities = capabilities;
        if (!connection.active()) continue;
        if (connection.identity.content && !core::sends(capabilities.content)) {
            // Its client stops the share; the attendee's other connection, and with it the call, goes on.
            put_out(connection, kNotAllowed, close_code::kBadRequest, now, out);
            remove_member(connection.full_id, false, now, now, out);
        } else if (connection.phase == Phase::subscribed) {
            out.push_back(output::Allow{id, capabilities});
            withdraw(connection, now, out);
        }
    }
    for (const bool content : {false, true}) {
        Member* member = roster_.find(Identity{std::string(attendee_id), {}, content}.full_id());
        if (!member) continue;
        member->identity.capabilities = capabilities;
        // Those that are away for a moment.
        if (!may_send(member->identity)) unpublish(member->identity.full_id(), now, out);
    }
    refresh_indexes(now, out);
}

/// Takes from a connection at once what it may no longer send or receive.
void Meeting::withdraw(Connection& connection, Moment now, Outputs& out) {
    bool changed = std::erase_if(connection.downlink.subscriptions, [&](const Subscription& line) {
                       return !may_see(connection, sources_.find_stream(line.stream_id));
                   }) > 0;
    apply_wishes(connection);
    const bool stops = !may_send(connection.identity) && unpublish(connection.full_id, now, out);
    if (stops) {
        connection.uplink.videos.clear();
        // Any frame may carry an error; by this one the client turns its camera off.
        Frame frame = wire::make_frame(Frame::AUDIO_STATUS, now.wall);
        frame.mutable_audio_status()->set_audio_status(kAllIsWell);
        frame.mutable_error()->set_status(kVideoUnavailable);
        frame.mutable_error()->set_description("may not send video any more");
        send(connection.peer, frame, out);
        changed = true;
    }
    if (changed) out.push_back(output::Negotiated{connection.peer, connection.uplink, connection.downlink});
}

}  // namespace media::room
