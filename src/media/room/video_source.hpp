// One published video: what comes in is sorted out (RTX unwrapped, repeats dropped), measured, repaired and kept for
// the receivers' NACKs. A simulcast layer is a source of its own. Owned by the publishing peer; the meeting's thread
// only. Allocates at its making, when its watchers are counted and while its cache grows with its rate.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/layers/layer_rates.hpp"
#include "media/layers/layer_reader.hpp"
#include "media/layers/stream_clock.hpp"
#include "media/room/drop_counters.hpp"
#include "media/room/key_frame_requests.hpp"
#include "media/room/media_settings.hpp"
#include "media/room/nack_generator.hpp"
#include "media/room/packet_cache.hpp"
#include "media/room/reception_stats.hpp"
#include "media/room/sequence_window.hpp"
#include "media/room/stale_pictures.hpp"
#include "media/wire/rtp.hpp"

namespace media::room {

class VideoSubscription;

/// A packet as all receivers share it. The payload lives as long as the packet it came in.
struct VideoPacket {
    std::int64_t sequence = 0;  ///< Unwrapped; says nothing beyond its source.
    std::uint32_t timestamp = 0;
    bool marker = false;
    bool starts_key_frame = false;
    bool restarted = false;  ///< The numbers have nothing to do with those before.
    bool cut_off = false;    ///< What is missing before it will not come: of use from a key frame on only.
    bool outage = false;     ///< The same, and how long the way from there takes may have changed with it.
    std::uint8_t codec = 0;  ///< Index into the source's codecs.
    layers::PacketLayer layer{};
    core::BytesView payload;  ///< Empty: padding only, not to be forwarded.
};

class VideoSource {
  public:
    /// Without a packet for longer, a stream does not flow: receivers are served from another layer of its group.
    static constexpr auto kSilence = std::chrono::milliseconds(1500);

    VideoSource(PeerId owner, VideoUplink uplink);

    PeerId owner() const { return owner_; }
    StreamId stream_id() const { return uplink_.stream_id; }
    GroupId group_id() const { return uplink_.group_id; }
    std::uint32_t ssrc() const { return uplink_.ssrc; }
    std::uint32_t announced_bps() const { return uplink_.max_bitrate_kbps * 1000; }
    const std::vector<CodecPayload>& codecs() const { return uplink_.codecs; }

    /// Whether this is still the same stream after a new negotiation; if so, takes over the new payload types.
    bool renegotiate(const VideoUplink& uplink);

    enum class Part : std::uint8_t { none, media, rtx };
    /// Whether a packet belongs here. Learns SSRCs that the offer did not name, but not those of simulcast layers.
    Part part_of(std::uint32_t ssrc, std::uint8_t payload_type);
    /// The same for a packet of an SSRC that belongs to nothing yet: a simulcast layer knows its own by the RTP stream
    /// id that it carries, or repairs (RFC 8852), and remembers the SSRC.
    Part learn(const wire::RtpView& packet);

    /// Takes a packet that belongs here. Null: dropped and counted.
    std::optional<VideoPacket> take(const wire::RtpView& packet, Part part, Time arrival, RouterCounters& counters);
    /// The highest number taken.
    std::int64_t newest() const { return number_base_ + window_.highest(); }
    bool flowing(Time now) const { return heard_ && now - *heard_ < kSilence; }

    /// The subscriptions that are to see this source's packets. They change while packets are forwarded, but never this
    /// source's during its own packet; nothing is allocated up to `expect_watchers`.
    std::span<VideoSubscription* const> watchers() const { return watchers_; }
    void expect_watchers(std::size_t count) { watchers_.reserve(count); }
    void add_watcher(VideoSubscription* watcher) { watchers_.push_back(watcher); }
    void remove_watcher(VideoSubscription* watcher);
    void clear_watchers() { watchers_.clear(); }

    /// Somebody cannot go on without a key frame of this source; looked after from time to time.
    void set_awaited(bool awaited) { awaited_ = awaited; }
    /// Whether to ask for a key frame now.
    bool key_frame_due(Time now) { return key_frames.poll(now, awaited_, !watchers_.empty(), rate.bps()); }

    NackGenerator nacks;
    KeyFrameRequests key_frames;
    ReceptionStats stats{90'000};
    PacketCache cache;
    layers::LayerRates rate;
    layers::StreamClock clock;

  private:
    /// The long number of a packet, and whether it is new.
    SequenceWindow::Verdict number(std::uint16_t sequence, bool is_repeat);
    bool is_stale(VideoPacket& packet, Time arrival);

    PeerId owner_;
    VideoUplink uplink_;
    bool ssrc_learnt_ = false;
    bool rtx_ssrc_learnt_ = false;
    bool awaited_ = false;
    bool begin_anew_ = false;  ///< The next packet is the first of another SSRC.
    SequenceWindow window_;
    std::int64_t number_base_ = 0;  ///< Added to the window's numbers: they only ever grow.
    StalePictures stale_;
    layers::LayerReader reader_;
    std::optional<Time> heard_;  ///< The last packet with a payload.
    std::vector<VideoSubscription*> watchers_;
};

}  // namespace media::room
