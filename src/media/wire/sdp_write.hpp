// Writes an SDP answer of an ICE-lite, DTLS-passive server: one line for each line of the offer, one bundle
// (RFC 8866, 8829 section 5.3, 8839, 8843).
//
// Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "media/wire/address.hpp"
#include "media/wire/sdp.hpp"

namespace media::wire {

struct AnswerMedia {
    MediaKind kind = MediaKind::video;
    std::string mid{};
    bool rejected = false;  ///< Port 0, inactive, out of the bundle.
    std::string type{};     ///< For rejected lines of `MediaKind::other`: as in the offer.
    std::string protocol = "UDP/TLS/RTP/SAVPF";
    std::string rejected_formats = "0";         ///< What a rejected line lists; echo the offer's `formats`.
    Direction direction = Direction::inactive;  ///< From the server's point of view.
    std::vector<Codec> codecs{};                ///< Payload types of the offer, fmtp echoed.
    std::vector<HeaderExtension> extensions{};
    /// A line that sends: a track without a stream id is not played.
    std::string msid_stream{};
    std::string msid_track{};
    std::optional<std::uint32_t> ssrc{};
    std::optional<std::uint32_t> rtx_ssrc{};  ///< Written as `ssrc-group:FID`; needs `ssrc`.
    std::vector<std::string> receive_rids{};  ///< Simulcast that the server takes, in order.
};

struct SdpAnswer {
    std::uint64_t session_id = 1;
    std::uint64_t session_version = 1;  ///< Grows with each answer of a connection.
    std::string ice_ufrag{};
    std::string ice_pwd{};
    core::Bytes fingerprint_sha256{};                ///< 32 bytes.
    std::vector<TransportAddress> udp_candidates{};  ///< Most wanted first; the first one also stands in `c=` and `m=`.
    std::vector<TransportAddress> tcp_candidates{};  ///< ICE-TCP passive.
    std::string cname = "server";
    bool extmap_allow_mixed = false;
    std::vector<AnswerMedia> media{};
};

/// CRLF line ends. The strings are the server's own or come out of a parsed offer, so they hold no line ends.
std::string write_answer(const SdpAnswer& answer);

}  // namespace media::wire
