// Which packets of a stream have been seen: unwraps 16-bit sequence numbers, tells repeats from late packets, and
// notices a sender that starts its numbers anew (RFC 3550 appendix A.1).
//
// A sender with RTX repeats packets nobody asked for to probe for bandwidth; whatever was already seen must be dropped
// before it is counted or forwarded. Owned by one stream; its thread only. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace media::room {

class SequenceWindow {
  public:
    /// So far behind the highest number repeats can still be told.
    static constexpr std::int64_t kWindow = 1024;
    /// A longer jump forward is believed only when the following number comes next (MAX_DROPOUT).
    static constexpr std::int64_t kMaxJump = 3000;

    enum class Kind : std::uint8_t {
        in_order,   ///< Higher than all before; numbers in between may be missing.
        late,       ///< Fills a gap.
        duplicate,  ///< Seen before.
        too_old,    ///< Behind the window, or a wild number that nothing confirms yet.
        restarted,  ///< The sender began anew: `sequence` has nothing to do with those before, but is higher.
    };
    struct Verdict {
        Kind kind;
        std::int64_t sequence;  ///< Unwrapped; positive.
        bool fresh() const { return kind == Kind::in_order || kind == Kind::late || kind == Kind::restarted; }
    };

    /// Judges a number and remembers it. Repeats never restart: a sender may repeat whatever it finds in its history.
    Verdict take(std::uint16_t sequence, bool is_repeat = false);

    bool started() const { return started_; }
    std::int64_t highest() const { return highest_; }

  private:
    bool seen(std::int64_t sequence) const { return (bits_[word(sequence)] >> (sequence & 63) & 1) != 0; }
    void mark(std::int64_t sequence) { bits_[word(sequence)] |= std::uint64_t{1} << (sequence & 63); }
    void unmark(std::int64_t sequence) { bits_[word(sequence)] &= ~(std::uint64_t{1} << (sequence & 63)); }
    static std::size_t word(std::int64_t sequence) { return static_cast<std::size_t>(sequence & (kWindow - 1)) / 64; }
    Verdict restart(std::uint16_t sequence, std::int64_t base);

    std::array<std::uint64_t, kWindow / 64> bits_{};
    std::int64_t highest_ = 0;
    std::uint32_t expected_after_wild_ = 0x10000;  ///< 0x10000: no wild number is waiting to be confirmed.
    bool started_ = false;
};

}  // namespace media::room
