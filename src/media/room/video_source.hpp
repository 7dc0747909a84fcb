// One published video: what comes in is sorted out (RTX unwrapped, repeats dropped), measured, repaired and kept for
// the receivers' NACKs. Owned by the publishing peer; the meeting's thread only. Allocates at its making only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "media/room/drop_counters.hpp"
#include "media/room/key_frame_requests.hpp"
#include "media/room/media_settings.hpp"
#include "media/room/nack_generator.hpp"
#include "media/room/packet_cache.hpp"
#include "media/room/reception_stats.hpp"
#include "media/room/sequence_window.hpp"
#include "media/wire/rtp.hpp"

namespace media::room {

/// A packet as all receivers share it. The payload lives as long as the packet it came in.
struct VideoPacket {
    std::int64_t sequence = 0;  ///< Unwrapped; says nothing beyond its source.
    std::uint32_t timestamp = 0;
    bool marker = false;
    bool starts_key_frame = false;
    bool restarted = false;   ///< The numbers have nothing to do with those before.
    std::uint8_t codec = 0;   ///< Index into the source's codecs.
    core::BytesView payload;  ///< Empty: padding only, not to be forwarded.
};

/// Bits per second of what arrives.
class RateMeter {
  public:
    void take(std::size_t bytes) { bytes_ += bytes; }
    /// Call about once a second.
    void turn(Time now);
    std::uint32_t bps() const { return bps_; }

  private:
    std::uint64_t bytes_ = 0;
    std::uint32_t bps_ = 0;
    std::optional<Time> since_;
};

class VideoSource {
  public:
    VideoSource(PeerId owner, VideoUplink uplink);

    PeerId owner() const { return owner_; }
    StreamId stream_id() const { return uplink_.stream_id; }
    std::uint32_t ssrc() const { return uplink_.ssrc; }
    const std::vector<CodecPayload>& codecs() const { return uplink_.codecs; }

    /// Whether this is still the same stream after a new negotiation; if so, takes over the new payload types.
    bool renegotiate(const VideoUplink& uplink);

    enum class Part : std::uint8_t { none, media, rtx };
    /// Whether a packet belongs here. Learns SSRCs that the offer did not name.
    Part part_of(std::uint32_t ssrc, std::uint8_t payload_type);

    /// Takes a packet that belongs here. Null: dropped and counted.
    std::optional<VideoPacket> take(const wire::RtpView& packet, Part part, Time arrival, RouterCounters& counters);

    NackGenerator nacks;
    KeyFrameRequests key_frames;
    ReceptionStats stats{90'000};
    PacketCache cache;
    RateMeter rate;

  private:
    PeerId owner_;
    VideoUplink uplink_;
    bool ssrc_learnt_ = false;
    bool rtx_ssrc_learnt_ = false;
    SequenceWindow window_;
};

}  // namespace media::room
