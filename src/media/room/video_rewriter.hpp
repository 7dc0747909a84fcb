// Numbers of one forwarded video stream: turns the source's sequence numbers and timestamps into the subscription's
// own, without gaps for what is not forwarded (padding, pauses, layers) and without jumps when the source changes.
//
// Between two suppressed packets the distance between source and own number is constant: such a stretch is a segment.
// A packet that is missing inside a segment keeps its number reserved, so a late or repaired one goes out with its
// original relative number, and a receiver's NACK finds its way back to the source's number. That holds for the line
// before as well, when another source (another simulcast layer) has taken over.
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
    /// So many of the last own numbers can be filled in or repeated.
    static constexpr std::int64_t kRemembered = 1024;

    struct Stamp {
        std::uint16_t sequence = 0;
        std::uint32_t timestamp = 0;
    };
    /// Which run of numbers a source packet belongs to: what flows, or what flowed before.
    enum class Line : std::uint8_t { current, previous };
    /// What an own number was used for.
    enum class Use : std::uint8_t {
        reserved,  ///< Nothing yet: its packet is missing.
        filler,    ///< Padding in place of a packet that is not forwarded.
        sent,
        sent_marked,  ///< With the RTP marker.
    };
    /// Where an own number comes from.
    struct Origin {
        Line line = Line::current;
        std::int64_t source = 0;
        Use use = Use::reserved;
    };
    /// The own timestamp that a new source's first packet should have, to go on where the old one was.
    using Wished = std::optional<std::uint32_t>;

    VideoRewriter(std::uint16_t first_sequence, std::uint32_t first_timestamp)
        : next_out_(first_sequence), offsets_{first_timestamp, 0} {}

    /// Packets flow; false before `start` and after `suspend`.
    bool running() const { return running_; }

    /// Begins at this packet of the source of the current line; use `place` for it next.
    void start(std::int64_t sequence, std::uint32_t timestamp);
    /// The same for another source, or one that restarted its numbers. The current line becomes the previous one; what
    /// was before that is forgotten. Time goes on as `wished`, or else as it passed; never backwards.
    void start_line(std::int64_t sequence, std::uint32_t timestamp, Wished wished, Time now);
    /// What was sent so far can no longer be repeated or filled in; the numbers go on.
    void forget();
    /// Of the previous line only.
    void forget_previous();
    /// Nothing is forwarded until the next start; what is dropped meanwhile leaves no gap.
    void suspend() { running_ = false; }

    /// The numbers of a packet to forward. Null: it belongs before the start or to a forgotten or suppressed stretch,
    /// or its number is used already. A gap beyond kMaxGap suspends.
    std::optional<Stamp> place(std::int64_t sequence, std::uint32_t timestamp, bool marker, Time now);
    /// The same for a late packet of the previous line.
    std::optional<Stamp> place_previous(std::int64_t sequence, std::uint32_t timestamp, bool marker);

    /// A packet that will not be forwarded. Null: no number was used. Otherwise it came late and its number was already
    /// reserved: padding must be sent under that number, or the receiver asks for it again and again. `joined`: what is
    /// missing directly before it will not be forwarded either.
    std::optional<std::uint16_t> skip(std::int64_t sequence, bool joined = false);
    std::optional<std::uint16_t> skip_previous(std::int64_t sequence);

    /// What stands behind an own number; null when unknown.
    std::optional<Origin> origin_of(std::uint16_t own) const;
    /// The own timestamp of a packet of that line.
    std::uint32_t own_timestamp(Line line, std::uint32_t timestamp) const { return timestamp + offset(line); }

    /// The highest timestamp forwarded, and when; for sender reports and fillers.
    std::uint32_t last_timestamp() const { return last_timestamp_; }
    Time last_time() const { return last_time_; }
    bool ever_sent() const { return ever_sent_; }
    /// The number behind the last packet of the current line.
    std::int64_t next_source() const { return next_source_; }

  private:
    struct Segment {
        std::int64_t source = 0;
        std::int64_t out = 0;
        std::uint8_t line = 0;
    };
    const Segment& segment(std::size_t age) const { return segments_[(head_ + kSegments - age) % kSegments]; }
    void open_segment(std::int64_t source);
    void advance(std::int64_t numbers);
    std::uint8_t index(Line line) const { return line == Line::current ? line_ : line_ ^ 1U; }
    std::uint32_t offset(Line line) const { return offsets_[index(line)]; }
    void use(std::uint16_t own, Use what) { use_of(own) = what; }
    Use& use_of(std::uint16_t own) { return uses_[own % kRemembered]; }
    /// The own number of a source packet that is not the newest.
    std::optional<std::uint16_t> number_of(Line line, std::int64_t sequence) const;
    std::optional<Stamp> fill_in(Line line, std::int64_t sequence, std::uint32_t timestamp, bool marker);
    std::optional<std::uint16_t> fill_up(Line line, std::int64_t sequence);

    // What every packet touches stands together, the long lists behind it.
    std::size_t head_ = 0;   ///< Index of the newest segment.
    std::size_t count_ = 0;  ///< Segments known.
    std::int64_t next_source_ = 0;
    std::int64_t next_out_;
    std::array<std::uint32_t, 2>
        offsets_;              ///< Own − source's, by line; before the first start the first own timestamp.
    std::uint8_t line_ = 0;    ///< Which of the two is the current one.
    std::uint32_t ahead_ = 0;  ///< How far time had to be pushed on so as not to go backwards.
    std::uint32_t last_timestamp_ = 0;
    Time last_time_{};
    bool running_ = false;
    bool ever_sent_ = false;
    std::array<Segment, kSegments> segments_{};
    std::array<Use, kRemembered> uses_{};
};

}  // namespace media::room
