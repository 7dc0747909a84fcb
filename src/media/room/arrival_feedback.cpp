#include "media/room/arrival_feedback.hpp"

#include <algorithm>
#include <utility>

namespace media::room {

namespace {
// Late packets are reported again from their number on, but not from further back than this.
constexpr std::int64_t kLateWindow = 256;
// A jump like this is no loss: reporting it packet by packet would help nobody.
constexpr std::int64_t kMaxJump = 800;
}  // namespace

ArrivalFeedback::ArrivalFeedback() {
    // Empty: a number that has its place elsewhere.
    for (std::size_t i = 0; i < kArrivals; ++i) slots_[i].sequence = static_cast<std::uint32_t>(i + 1);
}

void ArrivalFeedback::on_packet(std::uint16_t transport_sequence, Time arrival) {
    const bool first = !unwrapper_.started();
    const std::int64_t sequence = unwrapper_.unwrap(transport_sequence);
    const bool outage = arrival - std::exchange(heard_, arrival) >= kOutage && !pending_;
    if (first || sequence > highest_ + kMaxJump || (outage && sequence > highest_)) {
        begin_ = sequence;
        highest_ = sequence;
        if (first) next_ = arrival + kInterval;
    } else if (sequence <= highest_ - kLateWindow) {
        return;
    }
    Slot& slot = slot_of(sequence);
    if (slot.sequence == static_cast<std::uint32_t>(sequence)) return;
    slot = {static_cast<std::uint32_t>(sequence), static_cast<std::uint32_t>(microseconds(arrival))};
    highest_ = std::max(highest_, sequence);
    begin_ = std::min(begin_, sequence);
    // Unreported for longer than the ring is deep: what was overwritten is reported as lost no more.
    begin_ = std::max(begin_, highest_ - static_cast<std::int64_t>(kArrivals) + 1);
    pending_ = true;
}

bool ArrivalFeedback::write(wire::RtcpWriter& out, std::uint32_t sender_ssrc, std::uint32_t media_ssrc, Time now) {
    next_ = now + kInterval;
    if (!pending_) return false;
    std::array<wire::PacketArrival, kArrivals> arrivals;
    std::size_t arrived = 0;
    const std::int64_t last_us = microseconds(heard_);
    for (std::int64_t n = begin_; n <= highest_; ++n) {
        const Slot& slot = slot_of(n);
        if (slot.sequence != static_cast<std::uint32_t>(n)) continue;
        const auto since = static_cast<std::int32_t>(slot.arrival_us - static_cast<std::uint32_t>(last_us));
        arrivals[arrived++] = {n, last_us + since};
    }
    std::span<const wire::PacketArrival> rest(arrivals.data(), arrived);
    bool written = false;
    while (!rest.empty()) {
        const std::size_t taken = out.transport_feedback(sender_ssrc, media_ssrc, count_, begin_, rest);
        if (taken == 0) break;
        ++count_;
        written = true;
        begin_ = rest[taken - 1].sequence + 1;
        rest = rest.subspan(taken);
    }
    pending_ = !rest.empty();
    return written;
}

}  // namespace media::room
