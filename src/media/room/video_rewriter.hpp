// Numbers of one forwarded video stream: turns the source's sequence numbers and timestamps into the subscription's
// own, without gaps for what is not forwarded (padding, pauses, later: layers) and without jumps when the source
// changes.
//
// Between two suppressed packets the distance between source and own number is constant: such a stretch is a segment.
// A packet that is missing inside a segment keeps its number reserved, so a late or repaired one goes out with its
// original relative number, and a receiver's NACK finds its way back to the source's number.
//
// Owned by one subscription; the meeting's thread only. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "media/room/media_settings.hpp"

namespace media::room {

class VideoRewriter {
  public:
    /// Older segments are forgotten; late packets and NACKs that belong to them are dropped.
    static constexpr std::size_t kSegments = 128;
    /// A longer gap is not kept open: the stream must start again at a key frame.
    static constexpr std::int64_t kMaxGap = 512;

    struct Stamp {
        std::uint16_t sequence = 0;
        std::uint32_t timestamp = 0;
    };

    VideoRewriter(std::uint16_t first_sequence, std::uint32_t first_timestamp)
        : next_out_(first_sequence), timestamp_offset_(first_timestamp) {}

    /// Packets flow; false before `start` and after `suspend`.
    bool running() const { return running_; }

    /// Begins at this packet of the source; use `place` for it next. A new source (or one that restarted its numbers)
    /// forgets all that could still be repeated of the old one.
    void start(std::int64_t sequence, std::uint32_t timestamp, bool new_source, Time now);
    /// What was sent so far can no longer be repeated or filled in; the numbers go on.
    void forget();
    /// Nothing is forwarded until the next `start`; what is dropped meanwhile leaves no gap.
    void suspend() { running_ = false; }

    /// The numbers of a packet to forward. Null: it belongs before the start or to a forgotten or suppressed stretch.
    /// A gap beyond kMaxGap suspends.
    std::optional<Stamp> place(std::int64_t sequence, std::uint32_t timestamp, Time now);

    /// A packet that will not be forwarded. Null: no number was used. Otherwise it came late and its number was already
    /// reserved: something must be sent under that number, or the receiver asks for it again and again.
    std::optional<std::uint16_t> skip(std::int64_t sequence);

    /// The source's number of a packet that was (or might have been) sent under `own`; null when unknown.
    std::optional<std::int64_t> source_of(std::uint16_t own) const;
    /// The own numbers of a source packet, changing nothing.
    std::optional<Stamp> stamp_of(std::int64_t sequence, std::uint32_t timestamp) const;

    /// Timestamp of the last forwarded packet; for sender reports and fillers.
    std::uint32_t last_timestamp() const { return last_timestamp_; }
    Time last_time() const { return last_time_; }
    bool ever_sent() const { return ever_sent_; }

  private:
    struct Segment {
        std::int64_t source = 0;
        std::int64_t out = 0;
    };
    const Segment& segment(std::size_t age) const { return segments_[(head_ - age) % kSegments]; }
    void open_segment(std::int64_t source);

    std::array<Segment, kSegments> segments_{};
    std::size_t head_ = 0;   ///< Index of the newest segment.
    std::size_t count_ = 0;  ///< Segments known.
    std::int64_t next_source_ = 0;
    std::int64_t next_out_;
    std::uint32_t timestamp_offset_;  ///< Own − source's; before the first start the first own timestamp.
    std::uint32_t last_timestamp_ = 0;
    Time last_time_{};
    bool running_ = false;
    bool ever_sent_ = false;
};

}  // namespace media::room
