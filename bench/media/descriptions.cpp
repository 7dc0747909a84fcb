#include "descriptions.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>

#include "media/wire/rtp_extensions.hpp"

namespace bench {

namespace wire = media::wire;

namespace {

std::string extension(int id, std::string_view uri) {
    return "a=extmap:" + std::to_string(id) + " " + std::string(uri) + "\r\n";
}

std::string transport(const LocalSide& local, const std::string& mid, const char* setup) {
    return "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:" + local.ufrag +
           "\r\na=ice-pwd:" + local.password + "\r\na=candidate:1 1 udp 2122260223 " + local.candidate +
           " typ host\r\na=end-of-candidates\r\na=fingerprint:sha-256 " + local.fingerprint + "\r\na=setup:" + setup +
           "\r\na=mid:" + mid + "\r\n";
}

std::string audio_part() {
    return extension(1, wire::extension_uri::kAudioLevel) + extension(2, wire::extension_uri::kAbsSendTime) +
           extension(3, wire::extension_uri::kTransportSequence) + extension(4, wire::extension_uri::kMid);
}

std::string opus_part() {
    const std::string pt = std::to_string(kOpusPayloadType);
    return "a=rtcp-mux\r\na=rtpmap:" + pt + " opus/48000/2\r\na=rtcp-fb:" + pt + " transport-cc\r\na=fmtp:" + pt +
           " minptime=10;useinbandfec=1\r\n";
}

std::string video_part() {
    return extension(2, wire::extension_uri::kAbsSendTime) + extension(3, wire::extension_uri::kTransportSequence) +
           extension(4, wire::extension_uri::kMid) + extension(10, wire::extension_uri::kRid) +
           extension(11, wire::extension_uri::kRepairedRid);
}

std::string codec_part(const std::string& codec) {
    const std::string pt = std::to_string(kVideoPayloadType);
    const std::string rtx = std::to_string(kRtxPayloadType);
    const std::string name = codec == "vp8" ? "VP8" : codec == "vp9" ? "VP9" : "H264";
    std::string text = "a=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:" + pt + " " + name + "/90000\r\n";
    for (const char* feedback : {"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"})
        text += "a=rtcp-fb:" + pt + " " + feedback + "\r\n";
    if (codec == "vp9") text += "a=fmtp:" + pt + " profile-id=0;x-google-start-bitrate=1000\r\n";
    if (codec == "h264") {
        text +=
            "a=fmtp:" + pt +
            " level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f;x-google-start-bitrate=1000\r\n";
    }
    return text + "a=rtpmap:" + rtx + " rtx/90000\r\na=fmtp:" + rtx + " apt=" + pt + "\r\n";
}

std::string video_line(const std::string& port) {
    return "m=video " + port + " UDP/TLS/RTP/SAVPF " + std::to_string(kVideoPayloadType) + " " +
           std::to_string(kRtxPayloadType) + "\r\n";
}

std::string head(const std::string& bundle) {
    return "v=0\r\no=mozilla-chrome 5893431134985122498 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE" + bundle +
           "\r\na=msid-semantic: WMS stream\r\n";
}

}  // namespace

std::string write_offer(const OfferPlan& plan) {
    std::string bundle = " 0 1";
    for (const ReceiveLine& line : plan.receive) {
        if (line.stream_id != 0) bundle += " " + line.mid;
    }
    // Janus would take the client part of DTLS itself if it were free to choose.
    const char* setup = plan.send_only ? "active" : "actpass";
    const std::string direction = plan.send_only ? "a=sendonly\r\n" : "a=sendrecv\r\n";
    const std::string video = std::to_string(plan.video_ssrc);
    const std::string rtx = std::to_string(plan.video_ssrc + 1);
    std::string sdp = head(bundle) + "m=audio 9 UDP/TLS/RTP/SAVPF " + std::to_string(kOpusPayloadType) + "\r\n" +
                      transport(plan.local, "0", setup) + audio_part() + direction + "a=msid:stream audio\r\n" +
                      opus_part() + "a=ssrc:" + std::to_string(plan.audio_ssrc) + " cname:bench\r\n";
    sdp += video_line("9") + transport(plan.local, "1", setup) + video_part() + direction + "a=msid:stream video\r\n" +
           codec_part(plan.local.codec) + "a=ssrc-group:FID " + video + " " + rtx + "\r\na=ssrc:" + video +
           " cname:bench\r\na=ssrc:" + rtx + " cname:bench\r\n";
    for (const ReceiveLine& line : plan.receive) {
        const bool stopped = line.stream_id == 0;
        sdp += video_line(stopped ? "0" : "9") + transport(plan.local, line.mid, setup) + video_part() +
               (stopped ? "a=inactive\r\n" : "a=recvonly\r\n") + codec_part(plan.local.codec);
    }
    return sdp;
}

std::string write_answer(const LocalSide& local, const wire::SdpOffer& offer) {
    std::string bundle;
    for (const auto& line : offer.media) bundle += " " + line.mid;
    std::string sdp = head(bundle);
    for (const auto& line : offer.media) {
        std::string formats;
        std::string codecs;
        for (const wire::Codec& codec : line.codecs) {
            const std::string pt = std::to_string(codec.payload_type);
            formats += " " + pt;
            codecs += "a=rtpmap:" + pt + " " + codec.name + "/" + std::to_string(codec.clock_rate) +
                      (codec.channels > 1 ? "/2" : "") + "\r\n";
            if (!codec.fmtp.empty()) codecs += "a=fmtp:" + pt + " " + codec.fmtp + "\r\n";
            for (const std::string& feedback : codec.feedback)
                codecs.append("a=rtcp-fb:").append(pt).append(" ").append(feedback).append("\r\n");
        }
        sdp += "m=" + line.type + " 9 UDP/TLS/RTP/SAVPF" + formats + "\r\n" + transport(local, line.mid, "active");
        for (const auto& offered : line.extensions) sdp += extension(offered.id, offered.uri);
        sdp +=
            std::string(wire::sends(line.direction) ? "a=recvonly\r\n" : "a=inactive\r\n") + "a=rtcp-mux\r\n" + codecs;
    }
    return sdp;
}

Candidate find_candidate(const std::string& sdp) {
    Candidate found;
    for (auto at = sdp.find("a=candidate:"); at != std::string::npos; at = sdp.find("a=candidate:", at + 1)) {
        std::array<char, 8> protocol{};
        std::array<char, 64> address{};
        unsigned port = 0;
        if (std::sscanf(sdp.c_str() + at, "a=candidate:%*s 1 %7s %*u %63s %u", protocol.data(), address.data(),
                        &port) != 3)
            continue;
        const std::string_view text = address.data();
        const bool udp = protocol[0] == 'u' || protocol[0] == 'U';
        if (!udp || text.find(':') != std::string_view::npos) continue;
        if (found.port != 0 && !text.starts_with("127.")) continue;
        found = {std::string(text), static_cast<std::uint16_t>(port)};
        if (text.starts_with("127.")) break;
    }
    if (found.port == 0) throw std::runtime_error("the server names no IPv4 candidate for UDP");
    return found;
}

std::uint8_t payload_type_of(const wire::MediaDescription& line, const std::string& codec) {
    const auto wanted = codec == "opus"  ? wire::CodecKind::opus
                        : codec == "vp8" ? wire::CodecKind::vp8
                        : codec == "vp9" ? wire::CodecKind::vp9
                                         : wire::CodecKind::h264;
    for (const wire::Codec& each : line.codecs) {
        if (wire::codec_identity(each).kind == wanted) return each.payload_type;
    }
    return 0;
}

}  // namespace bench
