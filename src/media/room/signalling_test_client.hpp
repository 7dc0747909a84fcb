// A meeting client's side of the signalling, for tests: offers and frames as a browser sends them, and what came back.
// One test, one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "media/wire/frames.hpp"
#include "media/wire/signalling.pb.h"

namespace media::room::test {

namespace proto = wire::proto;

/// One receive-only line of an offer.
struct ReceiveLine {
    std::string mid;
    std::uint32_t stream_id = 0;  ///< What receive_stream_ids says of it.
    bool stopped = false;
};

struct OfferText {
    std::string ufrag = "cUfr";
    std::string pwd = "clientpasswordclientpass";
    std::string fingerprint =
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";
    std::uint32_t audio_ssrc = 1001;
    std::uint32_t video_ssrc = 0;  ///< 0: the camera is off.
    std::vector<ReceiveLine> receive;
    /// kbit/s of the simulcast layers low, mid and hi, 0: off; empty: one plain stream.
    std::vector<std::uint32_t> layers{};
    bool vp9 = true;
    std::uint8_t vp8_payload_type = 96;

    std::string transport(std::string_view mid) const {
        return "c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=ice-ufrag:" + ufrag + "\r\na=ice-pwd:" + pwd +
               "\r\na=fingerprint:sha-256 " + fingerprint + "\r\na=setup:actpass\r\na=mid:" + std::string(mid) + "\r\n";
    }
    std::string video_codecs() const {
        const std::string vp8 = std::to_string(vp8_payload_type);
        const std::string rtx = std::to_string(vp8_payload_type + 1);
        std::string text =
            "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
            "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
            "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n";
        for (const char* feedback : {"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"}) {
            text += "a=rtcp-fb:" + vp8 + " " + feedback + "\r\n";
        }
        text += "a=rtpmap:" + vp8 + " VP8/90000\r\na=rtpmap:" + rtx + " rtx/90000\r\na=fmtp:" + rtx + " apt=" + vp8 +
                "\r\n";
        if (vp9) text += "a=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\n";
        return text;
    }
    std::string video_formats() const {
        return std::to_string(vp8_payload_type) + " " + std::to_string(vp8_payload_type + 1) + (vp9 ? " 98" : "");
    }
    std::string text() const {
        std::string bundle = "0 1";
        for (const ReceiveLine& line : receive) {
            if (!line.stopped) bundle += " " + line.mid;
        }
        std::string sdp =
            "v=0\r\no=mozilla-chrome 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE " + bundle + "\r\n";
        sdp += "m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n" + transport("0") +
               "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\na=msid:s t\r\n"
               "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:111 opus/48000/2\r\n"
               "a=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=ssrc:" +
               std::to_string(audio_ssrc) + " cname:c\r\n";
        sdp += "m=video 9 UDP/TLS/RTP/SAVPF " + video_formats() + "\r\n" + transport("1") + video_codecs();
        if (!layers.empty()) {
            sdp +=
                "a=sendrecv\r\na=msid:s v\r\na=rid:low send\r\na=rid:mid send\r\na=rid:hi send\r\n"
                "a=simulcast:send low;mid;hi\r\n";
        } else if (video_ssrc != 0) {
            const std::string media = std::to_string(video_ssrc);
            const std::string rtx = std::to_string(video_ssrc + 1);
            sdp += "a=sendrecv\r\na=msid:s v\r\na=ssrc-group:FID " + media + " " + rtx + "\r\na=ssrc:" + media +
                   " cname:c\r\na=ssrc:" + rtx + " cname:c\r\n";
        } else {
            sdp += "a=inactive\r\n";
        }
        for (const ReceiveLine& line : receive) {
            const std::string port = line.stopped ? "0" : "9";
            sdp += "m=video " + port + " UDP/TLS/RTP/SAVPF " + video_formats() + "\r\n" + transport(line.mid) +
                   video_codecs() + (line.stopped ? "a=inactive\r\n" : "a=recvonly\r\n");
        }
        return sdp;
    }
};

inline OfferText camera_on(std::uint32_t video_ssrc) {
    OfferText offer;
    offer.video_ssrc = video_ssrc;
    return offer;
}

/// A camera with three layers at these kbit/s.
inline OfferText simulcast(std::uint32_t low, std::uint32_t mid, std::uint32_t hi) {
    OfferText offer;
    offer.layers = {low, mid, hi};
    return offer;
}

inline std::string message(proto::Frame frame, proto::Frame::Type type) {
    frame.set_type(type);
    frame.set_timestamp_ms(1);
    return wire::wrap_frame(frame);
}

inline proto::Frame join_frame(std::uint64_t audio_session_id) {
    proto::Frame frame;
    frame.mutable_join()->set_protocol_version(2);
    frame.mutable_join()->set_flags(2);
    frame.mutable_join()->set_wants_compressed_sdp(true);
    frame.mutable_join()->set_audio_session_id(audio_session_id);
    return frame;
}

inline std::string join(std::uint64_t audio_session_id) {
    return message(join_frame(audio_session_id), proto::Frame::JOIN);
}

/// As a client with the priority-based policy does; `asks` is what it wants of the server, `supports` what it could do.
inline std::string adaptive_join(std::uint64_t audio_session_id, proto::NetworkAdaption asks,
                                 const std::vector<proto::NetworkAdaption>& supports) {
    proto::Frame frame = join_frame(audio_session_id);
    frame.mutable_join()->set_server_side_network_adaption(asks);
    for (const auto what : supports) frame.mutable_join()->add_supported_server_side_network_adaptions(what);
    frame.mutable_join()->set_wants_all_temporal_layers_in_index(true);
    return message(frame, proto::Frame::JOIN);
}

inline std::string adaptive_join(std::uint64_t audio_session_id) {
    return adaptive_join(
        audio_session_id, proto::ADAPTION_BANDWIDTH_PROBING_AND_VIDEO_QUALITY,
        {proto::ADAPTION_NONE, proto::ADAPTION_BANDWIDTH_PROBING, proto::ADAPTION_BANDWIDTH_PROBING_AND_VIDEO_QUALITY});
}

inline proto::Frame subscribe_frame(const OfferText& offer, bool muted = false) {
    proto::Frame frame;
    proto::Subscribe& body = *frame.mutable_sub();
    const bool sends = offer.video_ssrc != 0 || !offer.layers.empty();
    body.set_duplex(sends ? proto::DUPLEX : proto::RX);
    proto::StreamDescriptor& audio = *body.add_send_streams();
    audio.set_stream_id(1);
    audio.set_group_id(1);
    audio.set_track_label("AmazonChimeExpressAudio");
    audio.set_media_type(proto::AUDIO);
    for (const std::uint32_t kbps :
         offer.layers.empty() ? std::vector<std::uint32_t>(sends ? 1 : 0, 1500) : offer.layers) {
        proto::StreamDescriptor& video = *body.add_send_streams();
        video.set_stream_id(2);
        video.set_group_id(2);
        video.set_framerate(15);
        video.set_max_bitrate_kbps(kbps);
        video.set_track_label("AmazonChimeExpressVideo");
        video.set_media_type(proto::VIDEO);
    }
    body.add_receive_stream_ids(0);
    for (const ReceiveLine& line : offer.receive) body.add_receive_stream_ids(line.stopped ? 0 : line.stream_id);
    body.set_sdp_offer(offer.text());
    body.set_audio_muted(muted);
    return frame;
}

inline std::string subscribe(const OfferText& offer, bool muted = false) {
    return message(subscribe_frame(offer, muted), proto::Frame::SUBSCRIBE);
}

inline std::string leave() {
    proto::Frame frame;
    frame.mutable_leave();
    return message(frame, proto::Frame::LEAVE);
}

inline std::string ping(std::uint32_t id) {
    proto::Frame frame;
    frame.mutable_ping_pong()->set_type(proto::PingPong::PING);
    frame.mutable_ping_pong()->set_ping_id(id);
    return message(frame, proto::Frame::PING_PONG);
}

/// The value behind `a=NAME:` of an SDP text, from its first occurrence at or behind `from`.
inline std::string sdp_value(std::string_view sdp, std::string_view name, std::size_t from = 0) {
    const std::string key = "a=" + std::string(name) + ":";
    const auto at = sdp.find(key, from);
    if (at == std::string_view::npos) return {};
    const auto begin = at + key.size();
    return std::string(sdp.substr(begin, sdp.find('\r', begin) - begin));
}

}  // namespace media::room::test
