// One receive-only m-line of one receiver: rewrites what its source sends into a stream of its own, starts it at key
// frames, changes to other layers of the same camera without a gap, and repeats what the receiver has lost. Owned by
// the receiving peer; the meeting's thread only. Allocates at set-up only.
//
// The simulcast layers of a camera are sources of their own: its group. The receiver names one of them; which one it is
// served from is chosen from time to time (`serve`), and takes over at its next key frame. Until then the old one
// flows.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "media/layers/layer_choice.hpp"
#include "media/layers/svc_filter.hpp"
#include "media/room/drop_counters.hpp"
#include "media/room/media_settings.hpp"
#include "media/room/repeat_limit.hpp"
#include "media/room/video_rewriter.hpp"
#include "media/room/video_source.hpp"
#include "media/wire/rtcp.hpp"

namespace media::room {

struct Peer;

class VideoSubscription {
  public:
    /// A key frame is begun with as long as no more packets than this came before its first one.
    static constexpr std::int64_t kMostBehind = 128;
    /// So long after a change of layers late packets of the old one are still let through.
    static constexpr auto kLateAfterSwitch = std::chrono::milliseconds(1500);

    /// `receiver` is its owner.
    VideoSubscription(Peer& receiver, Subscription settings, std::uint16_t first_sequence,
                      std::uint16_t first_rtx_sequence, std::uint32_t first_timestamp);

    Peer& receiver() const { return receiver_; }
    const std::string& mid() const { return settings_.mid; }
    StreamId stream_id() const { return settings_.stream_id; }
    std::uint32_t ssrc() const { return ssrc_; }
    const Subscription& settings() const { return settings_; }

    /// Takes over a new negotiation of the same m-line, or another layer.
    void renegotiate(const Subscription& settings);
    /// The layers of the named stream's group, the lowest first, the named one among them; empty: not published. What
    /// flows goes on when it is one of them. Sources that are gone may be destroyed afterwards. Forgets all watching:
    /// call `watch` next.
    void link(std::span<const std::unique_ptr<VideoSource>> videos, const VideoSource* named);
    /// Puts itself on the lists of its sources.
    void watch();

    std::size_t layer_count() const { return layer_count_; }
    VideoSource* layer(std::size_t index) const { return layers_[index].source; }
    /// Which of the layers the receiver named.
    std::size_t named() const { return named_; }
    GroupId group_id() const { return layer_count_ != 0 ? layers_[0].source->group_id() : 0; }

    /// From now on, as soon as it can be: this layer, and so much of it.
    void serve(std::size_t layer, layers::LayerLimit limit);
    /// Stopped by us because the link is too narrow; apart from the receiver's own pause.
    void set_held(bool held);
    bool held() const { return held_; }

    void set_paused(bool paused);
    bool paused() const { return paused_; }
    /// Whether the receiver can take packets.
    void set_open(bool open);
    bool wants_packets() const { return open_ && !paused_ && !held_ && target_ != nullptr; }
    /// Asks its source for a key frame when it cannot go on without one.
    void ask_for_key_frame();
    /// The receiver says that it cannot decode.
    void on_key_frame_request();
    /// Tells its sources whether it waits for a key frame of theirs, and lets go of what came before a switch.
    void look_after(Time now);

    /// Writes the packet of one of its sources for this receiver; 0: nothing to send.
    std::size_t forward(const VideoSource& from, const VideoPacket& packet, Time now, std::span<std::uint8_t> out,
                        RouterCounters& counters);

    /// When a key frame's first packet came late, what came before it follows: call after `forward` until it gives 0.
    std::size_t catch_up(Time now, std::span<std::uint8_t> out, RouterCounters& counters);

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
    struct Layer {
        VideoSource* source = nullptr;                       ///< Lives as long as it is linked.
        std::array<Payloads, kMaxCodecsPerLine> payloads{};  ///< By the source's codec index.
        bool watched = false;
        Payloads payload_of(std::uint8_t codec) const { return codec < payloads.size() ? payloads[codec] : Payloads{}; }
    };
    struct Outgoing {
        std::uint8_t payload_type = 0;
        bool marker = false;
        VideoRewriter::Stamp stamp;
    };
    Layer* find_layer(const VideoSource* source);
    void map_payloads(Layer& layer) const;
    bool waits_for(const Layer& layer) const;
    void begin(Layer& layer, const VideoPacket& packet, Time now);
    std::size_t forward_late(const VideoPacket& packet, std::span<std::uint8_t> out, RouterCounters& counters);
    std::size_t forward_current(const VideoPacket& packet, Time now, std::span<std::uint8_t> out,
                                RouterCounters& counters);
    std::size_t drop(std::optional<std::uint16_t> reserved, std::uint8_t payload_type, std::span<std::uint8_t> out);
    std::size_t filler(std::uint16_t sequence, std::uint8_t payload_type, std::span<std::uint8_t> out);
    std::size_t write(const Outgoing& what, core::BytesView payload, std::span<std::uint8_t> out,
                      RouterCounters& counters);
    std::size_t write_repeat(const Outgoing& what, std::uint8_t rtx_type, core::BytesView payload,
                             std::span<std::uint8_t> out);

    // What every packet touches stands together: a packet of one camera visits hundreds of these.
    Peer& receiver_;
    std::uint32_t ssrc_;
    Layer* active_ = nullptr;    ///< Whose numbers are the rewriter's current line.
    Layer* previous_ = nullptr;  ///< Whose are the line before; null: nothing of it is taken any more.
    Layer* target_ = nullptr;    ///< What is to be served.
    bool open_ = false;
    bool paused_ = false;
    bool held_ = false;
    bool new_line_ = true;  ///< The next packet's numbers have nothing to do with the last ones.
    std::uint32_t packets_ = 0;
    std::uint32_t octets_ = 0;
    /// Timestamp of the picture whose last packets were left out.
    std::optional<std::uint32_t> leaving_out_;
    std::int64_t caught_up_ = 0;    ///< The next number to catch up with …
    std::int64_t catch_up_to_ = 0;  ///< … and the end.
    layers::SvcFilter filter_;
    std::array<Layer, kMaxVideosPerPeer> layers_{};
    VideoRewriter rewriter_;
    layers::SvcFilter previous_filter_;
    RepeatLimit repeats_;
    Subscription settings_;
    std::size_t layer_count_ = 0;
    std::size_t named_ = 0;
    layers::LayerLimit target_limit_;
    Time switched_at_{};
    std::uint16_t rtx_sequence_;

  public:
    layers::ChoiceState choice;  ///< Of whoever calls `serve`.
};

}  // namespace media::room
