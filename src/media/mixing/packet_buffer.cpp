#include "media/mixing/packet_buffer.hpp"

#include <algorithm>

namespace media::mixing {

std::size_t PacketBuffer::find(std::int64_t timestamp) const {
    // What is looked for lies near the new end.
    std::size_t index = count_;
    while (index > 0 && packets_[index - 1].end() > timestamp) --index;
    return index;
}

void PacketBuffer::erase(std::size_t index, std::uint64_t& unused) {
    if (!packets_[index].used) ++unused;
    std::move(packets_.begin() + static_cast<std::ptrdiff_t>(index) + 1,
              packets_.begin() + static_cast<std::ptrdiff_t>(count_),
              packets_.begin() + static_cast<std::ptrdiff_t>(index));
    --count_;
}

bool PacketBuffer::insert(std::int64_t timestamp, std::size_t samples, core::BytesView payload, bool redundant,
                          std::uint64_t& unused) {
    if (payload.empty() || payload.size() > kBytes || samples == 0 || samples > UINT16_MAX) return false;
    std::size_t place = count_;
    while (place > 0 && packets_[place - 1].timestamp >= timestamp) --place;
    if (place < count_ && packets_[place].timestamp == timestamp) return false;

    if (kBytes - head_ < payload.size()) head_ = 0;
    const std::size_t end = head_ + payload.size();
    for (std::size_t i = count_; i-- > 0;) {
        if (packets_[i].offset < end && packets_[i].offset + packets_[i].size > head_) erase(i, unused);
    }
    if (count_ == kPackets) erase(0, unused);

    place = count_;
    while (place > 0 && packets_[place - 1].timestamp > timestamp) --place;
    std::move_backward(packets_.begin() + static_cast<std::ptrdiff_t>(place),
                       packets_.begin() + static_cast<std::ptrdiff_t>(count_),
                       packets_.begin() + static_cast<std::ptrdiff_t>(count_) + 1);
    packets_[place] = {timestamp, static_cast<std::uint32_t>(head_), static_cast<std::uint16_t>(payload.size()),
                       static_cast<std::uint16_t>(samples), redundant};
    ++count_;
    std::ranges::copy(payload, bytes_.get() + head_);
    head_ = end;
    return true;
}

}  // namespace media::mixing
