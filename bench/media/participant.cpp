#include "participant.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>

#include "core/bytes.hpp"
#include "media/wire/frames.hpp"
#include "media/wire/rtp_extensions.hpp"

namespace bench {

namespace wire = media::wire;
namespace proto = media::wire::proto;

namespace {

constexpr Nanos kPing = 10 * kSecond;

/// SSRCs that nobody else of the tool has: its clients' numbers.
std::uint32_t ssrc_of(std::uint32_t client) {
    return 0x10000000 + client * 16;
}

}  // namespace

Participant::Participant(const Stage& stage, std::uint32_t client, const std::string& url,
                         const std::string& join_token, std::size_t others)
    : connection_(stage.port, stage.identity, client, stage.window, *this),
      sender_(stage.audio, stage.video, core::random_u32()),
      receiver_(stage.sampling),
      others_(others),
      socket_(WebSocketUrl::parse(url), "_aws_wt_session, " + join_token,
              {.opened = [this] { join(); },
               .message = [this](std::string_view message) { on_message(message); },
               .closed = [this] { trouble_ = "the signalling connection is over"; }}) {
    offer_.local = {connection_.ice().ufrag(), connection_.ice().password(), stage.identity.fingerprint(),
                    stage.video.codec, stage.port.name_of(client)};
    offer_.audio_ssrc = ssrc_of(client);
    offer_.video_ssrc = ssrc_of(client) + 1;
}

void Participant::say(proto::Frame& frame, proto::Frame::Type type) {
    frame.set_type(type);
    frame.set_timestamp_ms(static_cast<std::uint64_t>(now() / kMillisecond));
    socket_.send_binary(wire::wrap_frame(frame));
}

void Participant::join() {
    proto::Frame frame;
    proto::Join& body = *frame.mutable_join();
    body.set_protocol_version(2);
    body.set_flags(2);
    body.set_audio_session_id(core::random_u32());
    body.set_server_side_network_adaption(proto::ADAPTION_DEFAULT);
    body.mutable_client_details()->set_app_name("media load");
    say(frame, proto::Frame::JOIN);
    next_ping_ = now();
}

void Participant::on_message(std::string_view message) {
    const auto frame = wire::unwrap_frame(message);
    if (!frame || !frame->has_type()) return;
    if (frame->has_error() && frame->error().status() >= 400)
        trouble_ = "the server answered " + std::to_string(frame->error().status());
    try {
        switch (frame->type()) {
            case proto::Frame::INDEX:
                joined_ = true;
                on_index(frame->index());
                break;
            case proto::Frame::SUBSCRIBE_ACK:
                on_answer(frame->suback().sdp_answer());
                break;
            case proto::Frame::AUDIO_STATUS:
                if (frame->audio_status().audio_status() >= 300)
                    trouble_ =
                        "put out of the meeting with status " + std::to_string(frame->audio_status().audio_status());
                break;
            default:
                break;
        }
    } catch (const std::exception& e) {
        trouble_ = e.what();
    }
}

void Participant::on_index(const proto::Index& index) {
    listed_.clear();
    std::vector<std::uint32_t> groups;
    for (const auto& source : index.sources()) {
        // One stream of each camera, should it send layers.
        if (std::ranges::find(groups, source.group_id()) != groups.end()) continue;
        groups.push_back(source.group_id());
        listed_.push_back(source.stream_id());
    }
    std::ranges::sort(listed_);
    subscribe();
}

void Participant::subscribe() {
    if (negotiating_ || !joined_) return;
    const bool first = sender_.plan().audio_ssrc == 0;
    if (!first && listed_.size() < others_) return;
    bool changed = first;
    if (!first) {
        for (ReceiveLine& line : offer_.receive) {
            if (line.stream_id == 0 || std::ranges::binary_search(listed_, line.stream_id)) continue;
            line.stream_id = 0;
            changed = true;
        }
        for (const std::uint32_t id : listed_) {
            if (std::ranges::find(offer_.receive, id, &ReceiveLine::stream_id) != offer_.receive.end()) continue;
            offer_.receive.push_back({std::to_string(offer_.receive.size() + 2), id});
            changed = true;
        }
    }
    if (!changed) return;
    negotiating_ = true;
    proto::Frame frame;
    proto::Subscribe& body = *frame.mutable_sub();
    body.set_duplex(proto::DUPLEX);
    proto::StreamDescriptor& audio = *body.add_send_streams();
    audio.set_stream_id(1);
    audio.set_group_id(1);
    audio.set_track_label("AmazonChimeExpressAudio");
    audio.set_media_type(proto::AUDIO);
    proto::StreamDescriptor& video = *body.add_send_streams();
    video.set_stream_id(2);
    video.set_group_id(2);
    video.set_framerate(30);
    video.set_max_bitrate_kbps(1200);
    video.set_track_label("AmazonChimeExpressVideo");
    video.set_media_type(proto::VIDEO);
    body.add_receive_stream_ids(0);
    for (const ReceiveLine& line : offer_.receive) body.add_receive_stream_ids(line.stream_id);
    body.set_sdp_offer(write_offer(offer_));
    body.set_audio_host("audio");
    body.set_audio_checkin(false);
    body.set_audio_muted(false);
    say(frame, proto::Frame::SUBSCRIBE);
}

void Participant::on_answer(const std::string& sdp) {
    negotiating_ = false;
    const auto answer = wire::parse_sdp(sdp);
    if (!answer || answer->media.size() != offer_.receive.size() + 2) {
        trouble_ = "the server's answer cannot be read";
        return;
    }
    const wire::MediaDescription& audio = answer->media[0];
    const std::uint8_t transport_cc = audio.extension_id(wire::extension_uri::kTransportSequence).value_or(0);
    std::vector<ReceivedStream> streams;
    if (!audio.ssrcs.empty()) streams.push_back({.ssrc = audio.ssrcs.front()});
    for (std::size_t i = 2; i < answer->media.size(); ++i) {
        const wire::MediaDescription& line = answer->media[i];
        if (line.rejected() || line.ssrcs.empty() || !wire::sends(line.direction)) continue;
        streams.push_back({line.ssrcs.front(), line.rtx_ssrc(line.ssrcs.front()).value_or(0), true});
    }
    receiver_.set_streams(streams, offer_.audio_ssrc, transport_cc);
    sender_.set_plan({.audio_ssrc = offer_.audio_ssrc,
                      .video_ssrc = offer_.video_ssrc,
                      .audio_payload_type = kOpusPayloadType,
                      .video_payload_type = kVideoPayloadType,
                      .audio_level_id = audio.extension_id(wire::extension_uri::kAudioLevel).value_or(0),
                      .transport_cc_id = transport_cc});
    const Candidate candidate = find_candidate(sdp);
    connection_.start(audio.ice_ufrag, audio.ice_pwd, candidate.address, candidate.port);
    subscribe();
}

void Participant::on_rtcp(core::BytesView compound, Nanos arrived) {
    wire::RtcpReader reader(compound);
    while (const auto view = reader.next()) {
        if (view->type == wire::rtcp_type::kSenderReport) {
            const auto report = wire::RtcpReport::parse(*view);
            const auto info = report ? report->sender_info() : std::nullopt;
            if (info) receiver_.on_sender_report(report->sender_ssrc(), info->ntp, arrived);
        } else {
            sender_.on_feedback(*view, connection_.window());
        }
    }
}

void Participant::beat(Nanos now) {
    connection_.tick(now);
    if (socket_.open() && next_ping_ != 0 && now >= next_ping_) {
        next_ping_ = now + kPing;
        proto::Frame frame;
        frame.mutable_ping_pong()->set_type(proto::PingPong::PING);
        frame.mutable_ping_pong()->set_ping_id(++ping_id_);
        say(frame, proto::Frame::PING_PONG);
    }
    if (!connection_.media_ready()) return;
    sender_.beat(now, connection_);
    receiver_.beat(now, connection_);
    if (now >= next_report_) report(now);
}

void Participant::report(Nanos now) {
    // At a moment of its own, so that not everybody reports at once.
    next_report_ = now + (next_report_ == 0 ? kSecond * (connection_.client() % 16) / 16 : kSecond);
    std::array<std::uint8_t, 1200> room;
    wire::RtcpWriter writer(room);
    receiver_.report(writer, now);
    sender_.report(writer, now);
    connection_.send_rtcp(writer.written());
}

bool Participant::flowing() const {
    return connection_.media_ready() && offer_.receive.size() >= others_ && !negotiating_ && receiver_.flowing();
}

void Participant::leave() {
    proto::Frame frame;
    frame.mutable_leave();
    say(frame, proto::Frame::LEAVE);
    connection_.close();
    socket_.close();
}

}  // namespace bench
