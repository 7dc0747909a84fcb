#include "media/room/audio_slots.hpp"

#include <algorithm>

namespace media::room {

namespace {
constexpr std::uint32_t kMaxAllowance = 2 * AudioSlots::kMaxOpen;  // In half slots.
constexpr auto kMaxSlew = std::chrono::microseconds(100);          // Of 20 ms: 0.5 %.
constexpr auto kSilenceBurst = std::chrono::milliseconds(60);      // Older overdue slots are rather left open.
constexpr auto kStall = std::chrono::seconds(1);                   // Our own thread stood still: time is taken anew.
}  // namespace

void AudioSlots::start(Time now) {
    running_ = true;
    locked_ = false;
    due_ = now;
}

void AudioSlots::open_slot() {
    used_ <<= 1;
    allowance_ -= 2;
    ++next_;
    due_ += kSlot;
}

void AudioSlots::use_slot() {
    used_ = used_ << 1 | 1;
    allowance_ = std::min(allowance_ + 1, kMaxAllowance);
    ++next_;
    due_ += kSlot;
}

void AudioSlots::lock(std::int64_t position) {
    offset_ = next_ - position;
    locked_ = true;
    used_ = ~std::uint64_t{0};
}

AudioSlots::Placed AudioSlots::place(std::int64_t position, Time now) {
    if (!locked_) lock(position);
    const std::int64_t slot = position + offset_;
    if (slot < next_) {
        const std::int64_t age = next_ - 1 - slot;
        if (age >= kLateSlots || (used_ >> age & 1) != 0) return {Place::late, {}, 0};
        used_ |= std::uint64_t{1} << age;
        return {Place::send, stamp(slot), 0};
    }

    std::int64_t gap = slot - next_;
    if (gap * 2 > allowance_ || due_ + gap * kSlot > now + kMaxLead) {
        // Not a believable loss: close it, the packet takes the next slot.
        lock(position);
        gap = 0;
    }
    if (due_ > now + kMaxLead) {
        locked_ = false;
        return {Place::too_fast, {}, 0};
    }
    for (std::int64_t i = 0; i < gap; ++i) open_slot();
    const auto lag = now - due_;
    const Placed placed{Place::send, stamp(next_), static_cast<std::uint32_t>(gap)};
    use_slot();
    due_ += std::clamp<Time::duration>(lag, -kMaxSlew, kMaxSlew);
    return placed;
}

std::optional<AudioSlots::Stamp> AudioSlots::silence(Time now, std::uint64_t& opened) {
    if (!running_ || now < due_) return std::nullopt;
    if (locked_) {
        if (now < due_ + kPatience) return std::nullopt;
        locked_ = false;
    }
    if (now - due_ > kStall) due_ = now;
    while (now - due_ > kSilenceBurst && allowance_ >= 2) {
        open_slot();
        ++opened;
    }
    const Stamp result = stamp(next_);
    use_slot();
    return result;
}

bool AudioSlots::misses(std::int64_t position) const {
    if (!running_ || !locked_) return false;
    const std::int64_t slot = position + offset_;
    if (slot >= next_) return slot - next_ < kMaxOpen;
    const std::int64_t age = next_ - 1 - slot;
    return age < kLateSlots && (used_ >> age & 1) == 0;
}

std::optional<AudioSlots::Stamp> AudioSlots::overdue(Time beat, std::uint64_t& opened) {
    locked_ = false;
    if (due_ + kSlot / 2 >= beat) return std::nullopt;
    return silence(beat, opened);
}

std::optional<AudioSlots::Stamp> AudioSlots::beat(Time beat) {
    locked_ = false;
    if (!running_ || due_ > beat + kSlot / 2) return std::nullopt;
    due_ = beat;
    const Stamp result = stamp(next_);
    use_slot();
    return result;
}

std::uint32_t AudioSlots::timestamp_at(Time now) const {
    const auto ahead = std::chrono::duration_cast<std::chrono::microseconds>(now - due_).count();
    return stamp(next_).timestamp + static_cast<std::uint32_t>(ahead * 48 / 1000);
}

}  // namespace media::room
