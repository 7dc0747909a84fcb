// Session descriptions as a Chromium client writes them, reduced to one video codec, and what is needed of the other
// side's. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "media/wire/sdp.hpp"

namespace bench {

inline constexpr std::uint8_t kOpusPayloadType = 111;
inline constexpr std::uint8_t kVideoPayloadType = 98;
inline constexpr std::uint8_t kRtxPayloadType = 99;

/// What all lines of one connection say.
struct LocalSide {
    std::string ufrag;
    std::string password;
    std::string fingerprint;
    std::string codec;      ///< `vp8`, `vp9` or `h264`.
    std::string candidate;  ///< `ADDRESS PORT`.
};

struct ReceiveLine {
    std::string mid;
    std::uint32_t stream_id = 0;  ///< 0: stopped.
};

struct OfferPlan {
    LocalSide local;
    std::uint32_t audio_ssrc = 0;
    std::uint32_t video_ssrc = 0;  ///< Its RTX is the next number.
    bool send_only = false;        ///< Else audio and camera are `sendrecv`.
    std::vector<ReceiveLine> receive;
};
std::string write_offer(const OfferPlan& plan);

/// Receives everything that an offer sends; DTLS client.
std::string write_answer(const LocalSide& local, const media::wire::SdpOffer& offer);

struct Candidate {
    std::string address;
    std::uint16_t port = 0;
};
/// The first IPv4 UDP host candidate, one on loopback if there is one. Throws std::runtime_error without any.
Candidate find_candidate(const std::string& sdp);

/// The payload type of a codec (`opus`, `vp9` …) in that line, or 0.
std::uint8_t payload_type_of(const media::wire::MediaDescription& line, const std::string& codec);

}  // namespace bench
