// What a negotiation tells the packet plane: which streams a peer sends and which it is to receive.
// Plain values; made on the meeting's thread by the signalling side, copied by `PacketRouter`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "media/wire/codec.hpp"

namespace media::room {

/// The packet plane never reads a clock: every call brings the time. Arrival times should come from the kernel.
using Time = std::chrono::steady_clock::time_point;

/// One attendee connection (a content share is a connection of its own). Chosen by the caller, never reused in a
/// meeting.
using PeerId = std::uint32_t;
/// Connections with equal person never hear each other: an attendee and its own content share.
using PersonId = std::uint32_t;
/// One published video source; the id that the meeting's INDEX shows. 0 = none.
using StreamId = std::uint32_t;

/// A codec with its profile. Payload types are mapped between peers by equality of this, never by number or fmtp text.
using CodecIdentity = wire::CodecIdentity;

// Longer lists are cut.
inline constexpr std::size_t kMaxPeers = 512;
inline constexpr std::size_t kMaxVideosPerPeer = 4;
inline constexpr std::size_t kMaxSubscriptionsPerPeer = 32;
inline constexpr std::size_t kMaxCodecsPerLine = 16;

/// One codec of one m-line with the payload types that stand for it there.
struct CodecPayload {
    CodecIdentity codec;
    std::uint8_t payload_type = 0;
    std::uint8_t rtx_payload_type = 0;  ///< 0: RTX not negotiated.
    bool operator==(const CodecPayload&) const = default;
};

/// Header extension ids of one m-line, 0 = not negotiated. Ids of one BUNDLE are one space.
struct ExtensionIds {
    std::uint8_t audio_level = 0;   ///< RFC 6464.
    std::uint8_t transport_cc = 0;  ///< Transport-wide sequence number.
    bool operator==(const ExtensionIds&) const = default;
};

struct AudioUplink {
    std::uint32_t ssrc = 0;         ///< 0: not in the offer, learnt from the first packet with the payload type.
    std::uint8_t payload_type = 0;  ///< Opus; other audio payload types are dropped.
    ExtensionIds extensions;
};

/// One camera or content source that a peer publishes.
struct VideoUplink {
    StreamId stream_id = 0;
    std::uint32_t ssrc = 0;      ///< 0: learnt from the first packet with one of the payload types.
    std::uint32_t rtx_ssrc = 0;  ///< 0: none, or learnt from the RTX payload types.
    std::vector<CodecPayload> codecs;
    ExtensionIds extensions;
};

/// All that a peer sends. `videos` is empty while the camera is off; more than one is for layers to come.
struct Uplink {
    AudioUplink audio;
    std::vector<VideoUplink> videos;
};

struct AudioDownlink {
    std::uint32_t ssrc = 0;         ///< Ours, non-zero; keep it for the life of the connection.
    std::uint8_t payload_type = 0;  ///< Opus in the receiver's offer. 0: this peer gets no audio.
};

/// One receive-only m-line of a receiver. `mid` is its identity: ssrc, numbering and pause survive a new negotiation.
struct Subscription {
    std::string mid;
    StreamId stream_id = 0;
    std::uint32_t ssrc = 0;      ///< Ours, non-zero, unique in the connection.
    std::uint32_t rtx_ssrc = 0;  ///< Ours; 0: repeats are sent plainly.
    std::vector<CodecPayload> codecs;
};

/// All that a peer is to receive.
struct Downlink {
    AudioDownlink audio;
    std::vector<Subscription> subscriptions;
};

}  // namespace media::room
