// What a negotiation tells the packet plane: which streams a peer sends and which it is to receive.
// Plain values; made on the meeting's thread by the signalling side, copied by `PacketRouter`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "media/layers/layer_choice.hpp"
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
/// The layers of one camera or share together; in the INDEX likewise. 0 = none.
using GroupId = std::uint32_t;

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
    std::uint8_t abs_send_time = 0;
    std::uint8_t mid = 0;
    std::uint8_t rid = 0;                    ///< RFC 8852: names a simulcast layer …
    std::uint8_t repaired_rid = 0;           ///< … and the layer that an RTX stream repairs.
    std::uint8_t dependency_descriptor = 0;  ///< AV1 layers.
    bool operator==(const ExtensionIds&) const = default;
};

struct AudioUplink {
    std::uint32_t ssrc = 0;         ///< 0: not in the offer, learnt from the first packet with the payload type.
    std::uint8_t payload_type = 0;  ///< Opus; other audio payload types are dropped.
    ExtensionIds extensions{};
    std::uint8_t red_payload_type = 0;  ///< Opus with copies of earlier packets (RFC 2198); 0: not negotiated.
    bool takes(std::uint8_t type) const { return type != 0 && (type == payload_type || type == red_payload_type); }
};

/// One stream that a peer publishes: a camera or a share, or one simulcast layer of it.
struct VideoUplink {
    StreamId stream_id = 0;
    std::uint32_t ssrc = 0;      ///< 0: learnt from the first packet with one of the payload types.
    std::uint32_t rtx_ssrc = 0;  ///< 0: none, or learnt from the RTX payload types.
    std::vector<CodecPayload> codecs;
    ExtensionIds extensions{};
    GroupId group_id = 0;  ///< Equal for the layers of one camera; 0: a group of its own.
    /// Of a simulcast layer; its SSRC is learnt from packets that carry it (RFC 8853). Empty: no simulcast.
    std::string rid{};
    std::uint32_t max_bitrate_kbps = 0;  ///< As announced; 0: unknown.
    /// A share that wants to be asked for a key frame every 10 s, as the Chime SDK's service does.
    bool periodic_key_frames = false;
};

/// All that a peer sends. `videos` is empty while the camera is off; more than one: layers, the lowest first.
struct Uplink {
    AudioUplink audio;
    std::vector<VideoUplink> videos;
};

struct AudioDownlink {
    std::uint32_t ssrc = 0;         ///< Ours, non-zero; keep it for the life of the connection.
    std::uint8_t payload_type = 0;  ///< Opus in the receiver's offer. 0: this peer gets no audio.
    ExtensionIds extensions{};      ///< What may be stamped on packets to this receiver.
};

/// What a receiver gives up last when its link is too narrow for one stream (SdkVideoSubscriptionConfiguration).
using QualityPreference = layers::QualityPreference;

/// What a receiver wants of one of its videos. Only clients that leave adaptation to the server say so.
struct VideoWish {
    std::uint32_t priority = 0;  ///< The larger, the more important.
    std::uint32_t target_kbps = 0;
    QualityPreference preference = QualityPreference::balanced;
    bool operator==(const VideoWish&) const = default;
};

/// One receive-only m-line of a receiver. `mid` is its identity: ssrc, numbering and pause survive a new negotiation.
struct Subscription {
    std::string mid;
    StreamId stream_id = 0;
    std::uint32_t ssrc = 0;      ///< Ours, non-zero, unique in the connection.
    std::uint32_t rtx_ssrc = 0;  ///< Ours; 0: repeats are sent plainly.
    std::vector<CodecPayload> codecs;
    ExtensionIds extensions{};        ///< What may be stamped on packets to this receiver.
    std::optional<VideoWish> wish{};  ///< Set: the server chooses the layer of the stream's group.
};

/// Who fits the videos to the receiver's link.
enum class Adaptation : std::uint8_t {
    client,   ///< It asks for the streams it can take.
    probing,  ///< It does, from figures that the server measures (BITRATES).
    server,   ///< The server chooses layers and pauses groups.
};

/// All that a peer is to receive.
struct Downlink {
    AudioDownlink audio;
    std::vector<Subscription> subscriptions;
    Adaptation adaptation = Adaptation::client;
};

}  // namespace media::room
