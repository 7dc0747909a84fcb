#include "media/room/sequence_window.hpp"

namespace media::room {

SequenceWindow::Verdict SequenceWindow::restart(std::uint16_t sequence, std::int64_t base) {
    bits_.fill(0);
    highest_ = base + sequence;
    expected_after_wild_ = 0x10000;
    started_ = true;
    mark(highest_);
    return {Kind::restarted, highest_};
}

SequenceWindow::Verdict SequenceWindow::take(std::uint16_t sequence, bool is_repeat) {
    if (!started_) {
        // One cycle up, so that packets before the first one have positive numbers too.
        restart(sequence, 0x10000);
        return {Kind::in_order, highest_};
    }
    const auto step =
        static_cast<std::int16_t>(static_cast<std::uint16_t>(sequence - static_cast<std::uint16_t>(highest_)));
    const std::int64_t wide = highest_ + step;
    if (step > kMaxJump || step <= -kWindow) {
        if (is_repeat) return {Kind::too_old, wide};
        if (sequence == expected_after_wild_) return restart(sequence, ((highest_ >> 16) + 2) << 16);
        expected_after_wild_ = static_cast<std::uint16_t>(sequence + 1);
        return {Kind::too_old, wide};
    }
    if (step > 0) {
        if (step >= kWindow) {
            bits_.fill(0);
        } else {
            for (std::int64_t n = highest_ + 1; n < wide; ++n) unmark(n);
        }
        highest_ = wide;
        mark(wide);
        expected_after_wild_ = 0x10000;
        return {Kind::in_order, wide};
    }
    if (seen(wide)) return {Kind::duplicate, wide};
    mark(wide);
    return {Kind::late, wide};
}

}  // namespace media::room
