// One receive-only m-line of one receiver: rewrites what its source sends into a stream of its own, starts it at key
// frames, and repeats what the receiver has lost. Owned by the receiving peer; the meeting's thread only. Allocates at
// set-up only.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "media/room/drop_counters.hpp"
#include "media/room/media_settings.hpp"
#include "media/room/repeat_limit.hpp"
#include "media/room/video_rewriter.hpp"
#include "media/room/video_source.hpp"
#include "media/wire/rtcp.hpp"

namespace media::room {

class VideoSubscription {
  public:
    VideoSubscription(PeerId receiver, Subscription settings, std::uint16_t first_sequence,
                      std::uint16_t first_rtx_sequence, std::uint32_t first_timestamp);

    PeerId receiver() const { return receiver_; }
    const std::string& mid() const { return settings_.mid; }
    StreamId stream_id() const { return settings_.stream_id; }
    std::uint32_t ssrc() const { return settings_.ssrc; }
    VideoSource* source() const { return source_; }

    /// Takes over a new negotiation of the same m-line.
    void renegotiate(const Subscription& settings);
    /// Follows a source, or none; also after the source's codecs changed. The same one goes on undisturbed.
    void follow(VideoSource* source);

    void set_paused(bool paused);
    /// Whether the receiver can take packets.
    void set_open(bool open);
    bool wants_packets() const { return open_ && !paused_ && source_ != nullptr; }
    bool waits_for_key_frame() const { return wants_packets() && !rewriter_.running(); }

    /// Writes the packet for this receiver; 0: nothing to send.
    std::size_t forward(const VideoPacket& packet, Time now, std::span<std::uint8_t> out, RouterCounters& counters);

    /// Answers a NACK for one of our numbers; 0: no.
    std::size_t repeat(std::uint16_t sequence, Time now, std::chrono::microseconds round_trip, RepeatBudget& budget,
                       std::span<std::uint8_t> out, RouterCounters& counters);

    bool ever_sent() const { return rewriter_.ever_sent(); }
    wire::SenderInfo sender_info(std::uint64_t ntp, Time now) const;

  private:
    struct Payloads {
        std::uint8_t media = 0;  ///< 0: this receiver cannot take the codec.
        std::uint8_t rtx = 0;
        bool operator==(const Payloads&) const = default;
    };
    std::size_t filler(std::uint16_t sequence, std::uint8_t payload_type, std::span<std::uint8_t> out);
    void map_payloads();

    PeerId receiver_;
    Subscription settings_;
    VideoSource* source_ = nullptr;                       ///< Lives as long as it is followed.
    std::array<Payloads, kMaxCodecsPerLine> payloads_{};  ///< By the source's codec index.
    VideoRewriter rewriter_;
    RepeatLimit repeats_;
    std::uint16_t rtx_sequence_;
    bool open_ = false;
    bool paused_ = false;
    bool new_source_ = true;  ///< The next packet's numbers have nothing to do with the last ones.
    std::uint32_t packets_ = 0;
    std::uint32_t octets_ = 0;
};

}  // namespace media::room
