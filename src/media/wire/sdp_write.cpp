#include "media/wire/sdp_write.hpp"

#include <concepts>
#include <string_view>

namespace media::wire {

namespace {

class Writer {
  public:
    /// Numbers and texts, one behind the other, and the line end.
    template <class... Parts>
    void line(const Parts&... parts) {
        (append(parts), ...);
        text_ += "\r\n";
    }
    std::string take() { return std::move(text_); }

  private:
    void append(std::string_view part) { text_ += part; }
    void append(std::unsigned_integral auto number) { text_ += std::to_string(number); }

    std::string text_;
};

std::string fingerprint_text(core::BytesView digest) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string text;
    text.reserve(digest.size() * 3);
    for (const std::uint8_t byte : digest) {
        if (!text.empty()) text += ':';
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::string_view type_of(const AnswerMedia& media) {
    if (!media.type.empty()) return media.type;
    return media.kind == MediaKind::audio ? "audio" : "video";
}

void write_rejected(Writer& out, const AnswerMedia& media) {
    out.line("m=", type_of(media), " 0 ", media.protocol, " ", media.rejected_formats);
    out.line("c=IN IP4 0.0.0.0");
    if (!media.mid.empty()) out.line("a=mid:", media.mid);
    out.line("a=inactive");
}

/// RFC 8445 section 5.1.2.1: host candidates of component 1; of several, the earlier the better.
void write_candidates(Writer& out, const SdpAnswer& answer) {
    constexpr std::uint32_t kHost = 126U << 24;
    constexpr std::uint32_t kComponentRest = 255;
    // RFC 6544 section 4.2: a passive TCP candidate has direction preference 4 of 7 and stands behind UDP.
    constexpr std::uint32_t kTcpHost = 99U << 24;
    std::uint32_t foundation = 1;
    std::uint32_t preference = 65535;
    for (const TransportAddress& address : answer.udp_candidates) {
        out.line("a=candidate:", foundation++, " 1 udp ", kHost | preference-- << 8 | kComponentRest, " ",
                 address.ip_text(), " ", address.port, " typ host");
    }
    preference = (4U << 13) | 0x1FFF;
    for (const TransportAddress& address : answer.tcp_candidates) {
        out.line("a=candidate:", foundation++, " 1 tcp ", kTcpHost | preference-- << 8 | kComponentRest, " ",
                 address.ip_text(), " ", address.port, " typ host tcptype passive");
    }
    out.line("a=end-of-candidates");
}

void write_codec(Writer& out, const Codec& codec) {
    const std::uint8_t type = codec.payload_type;
    if (!codec.name.empty()) {
        if (codec.channels > 1) {
            out.line("a=rtpmap:", type, " ", codec.name, "/", codec.clock_rate, "/", codec.channels);
        } else {
            out.line("a=rtpmap:", type, " ", codec.name, "/", codec.clock_rate);
        }
    }
    for (const std::string& feedback : codec.feedback) out.line("a=rtcp-fb:", type, " ", feedback);
    if (!codec.fmtp.empty()) out.line("a=fmtp:", type, " ", codec.fmtp);
}

void write_stream(Writer& out, const AnswerMedia& media, const SdpAnswer& answer) {
    if (!media.msid_stream.empty()) out.line("a=msid:", media.msid_stream, " ", media.msid_track);
    if (!media.ssrc) return;
    if (media.rtx_ssrc) out.line("a=ssrc-group:FID ", *media.ssrc, " ", *media.rtx_ssrc);
    for (const auto& ssrc : {media.ssrc, media.rtx_ssrc}) {
        if (!ssrc) continue;
        out.line("a=ssrc:", *ssrc, " cname:", answer.cname);
        if (!media.msid_stream.empty()) out.line("a=ssrc:", *ssrc, " msid:", media.msid_stream, " ", media.msid_track);
    }
}

void write_simulcast(Writer& out, const std::vector<std::string>& rids) {
    if (rids.empty()) return;
    std::string list;
    for (const std::string& rid : rids) {
        out.line("a=rid:", rid, " recv");
        if (!list.empty()) list += ';';
        list += rid;
    }
    out.line("a=simulcast:recv ", list);
}

void write_media(Writer& out, const AnswerMedia& media, const SdpAnswer& answer) {
    std::string formats;
    for (const Codec& codec : media.codecs) formats += ' ' + std::to_string(codec.payload_type);
    const TransportAddress nowhere = TransportAddress::v4(0, 0, 0, 0, 9);
    const TransportAddress& address = !answer.udp_candidates.empty()   ? answer.udp_candidates.front()
                                      : !answer.tcp_candidates.empty() ? answer.tcp_candidates.front()
                                                                       : nowhere;
    out.line("m=", type_of(media), " ", address.port, " ", media.protocol, formats);
    out.line("c=IN ", address.is_v6 ? "IP6" : "IP4", " ", address.ip_text());
    out.line("a=rtcp-mux");
    out.line("a=rtcp-rsize");
    out.line("a=mid:", media.mid);
    out.line("a=ice-ufrag:", answer.ice_ufrag);
    out.line("a=ice-pwd:", answer.ice_pwd);
    out.line("a=fingerprint:sha-256 ", fingerprint_text(answer.fingerprint_sha256));
    out.line("a=setup:passive");
    write_candidates(out, answer);
    for (const Codec& codec : media.codecs) write_codec(out, codec);
    for (const HeaderExtension& extension : media.extensions) {
        if (extension.direction == Direction::sendrecv) {
            out.line("a=extmap:", extension.id, " ", extension.uri);
        } else {
            out.line("a=extmap:", extension.id, "/", direction_name(extension.direction), " ", extension.uri);
        }
    }
    out.line("a=", direction_name(media.direction));
    write_stream(out, media, answer);
    write_simulcast(out, media.receive_rids);
}

}  // namespace

std::string write_answer(const SdpAnswer& answer) {
    Writer out;
    out.line("v=0");
    out.line("o=- ", answer.session_id, " ", answer.session_version, " IN IP4 127.0.0.1");
    out.line("s=-");
    out.line("t=0 0");
    std::string bundle;
    for (const AnswerMedia& media : answer.media) {
        if (!media.rejected) bundle += " " + media.mid;
    }
    out.line("a=group:BUNDLE", bundle);
    out.line("a=ice-lite");
    out.line("a=msid-semantic: WMS *");
    if (answer.extmap_allow_mixed) out.line("a=extmap-allow-mixed");
    for (const AnswerMedia& media : answer.media) {
        if (media.rejected) {
            write_rejected(out, media);
        } else {
            write_media(out, media, answer);
        }
    }
    return out.take();
}

}  // namespace media::wire
