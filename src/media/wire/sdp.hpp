// Session descriptions (RFC 8866) as browsers offer them in a meeting: unified plan, one bundle, DTLS-SRTP (RFC 8829,
// 8843, 8842, 8285, 5576, 8851, 8853). Text in, plain values out; bounded in every direction. Candidates are ignored.
// The answer is written in sdp_write.hpp.
//
// Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "media/wire/codec.hpp"

namespace media::wire {

/// A line that receives a remote video takes nearly 5 KB, and a client may ask for 25 of them.
inline constexpr std::size_t kMaxSdpSize = 256 * 1024;
inline constexpr std::size_t kMaxSdpLine = 4096;
inline constexpr std::size_t kMaxSdpLines = 16 * 1024;
inline constexpr std::size_t kMaxMediaLines = 64;
inline constexpr std::size_t kMaxCodecsPerLine = 128;
inline constexpr std::size_t kMaxExtensionsPerLine = 64;
inline constexpr std::size_t kMaxSsrcsPerLine = 32;
inline constexpr std::size_t kMaxRidsPerLine = 8;

enum class MediaKind : std::uint8_t { audio, video, other };
enum class Direction : std::uint8_t { sendrecv, sendonly, recvonly, inactive };

std::string_view direction_name(Direction direction);
/// The same direction seen from the other side.
Direction reversed(Direction direction);
constexpr bool sends(Direction d) {
    return d == Direction::sendrecv || d == Direction::sendonly;
}
constexpr bool receives(Direction d) {
    return d == Direction::sendrecv || d == Direction::recvonly;
}

/// `a=extmap` (RFC 8285).
struct HeaderExtension {
    std::uint8_t id = 0;
    std::string uri{};
    Direction direction = Direction::sendrecv;  ///< From the suffix: `/recvonly`.
    friend bool operator==(const HeaderExtension&, const HeaderExtension&) = default;
};

/// `a=fingerprint`.
struct Fingerprint {
    std::string algorithm{};  ///< Lower case: `sha-256`.
    core::Bytes digest{};
    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

/// `a=ssrc-group`.
struct SsrcGroup {
    std::string semantics{};  ///< `FID`: media, then its RTX.
    std::vector<std::uint32_t> ssrcs{};
};

/// One stream of `a=simulcast:send`, in the order written.
struct SimulcastStream {
    std::string rid{};
    bool paused = false;  ///< Written with `~`.
};

struct MediaDescription {
    MediaKind kind = MediaKind::other;
    std::string type{};  ///< As written: `audio`, `video`, `application`.
    std::uint16_t port = 0;
    std::string protocol{};            ///< `UDP/TLS/RTP/SAVPF`.
    std::string formats{};             ///< The payload types as written, for a rejecting answer.
    std::string connection_address{};  ///< From `c=`, the session's if the line has none.
    bool bundle_only = false;
    std::string mid{};
    Direction direction = Direction::sendrecv;
    std::string msid_stream{};  ///< `-` when the track has no stream.
    std::string msid_track{};
    std::vector<Codec>
        codecs{};  ///< In the order of the m-line; payload types without rtpmap get a name only if static.
    std::vector<HeaderExtension> extensions{};
    bool extmap_allow_mixed = false;     ///< Of the line or of the session.
    std::vector<std::uint32_t> ssrcs{};  ///< In order of appearance, each once.
    std::string cname{};                 ///< Of the first ssrc.
    std::vector<SsrcGroup> ssrc_groups{};
    std::vector<std::string> send_rids{};  ///< `a=rid:X send`.
    std::vector<std::string> receive_rids{};
    std::vector<SimulcastStream> simulcast_send{};
    std::string ice_ufrag{};  ///< This and the next two fall back to the session's.
    std::string ice_pwd{};
    std::vector<Fingerprint> fingerprints{};
    std::string setup{};  ///< `actpass`, `active`, `passive`.
    bool rtcp_mux = false;
    bool rtcp_rsize = false;

    /// Port 0 alone does not say so: Firefox writes it with `a=bundle-only` into lines that are alive.
    bool rejected() const { return port == 0 && !bundle_only; }
    /// The id of an extension, or null.
    std::optional<std::uint8_t> extension_id(std::string_view uri) const;
    /// The RTX SSRC that belongs to a media SSRC (FID group), or null.
    std::optional<std::uint32_t> rtx_ssrc(std::uint32_t media_ssrc) const;
};

struct SdpOffer {
    std::uint64_t session_id = 0;
    std::uint64_t session_version = 0;
    std::vector<std::string> bundle{};  ///< Mids of `a=group:BUNDLE`.
    bool extmap_allow_mixed = false;    ///< At session level.
    bool ice_lite = false;
    std::vector<MediaDescription> media{};
};

/// Reads an offer (or an answer: the form is the same). Fails with `invalid` and a text that names the line's number
/// and what was wrong, never the line itself.
core::Result<SdpOffer> parse_sdp(std::string_view text);

}  // namespace media::wire
