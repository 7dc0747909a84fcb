#include "media/congestion/send_history.hpp"

#include <algorithm>

namespace media::congestion {

std::uint16_t SendHistory::add(Time now, std::size_t bytes, std::uint8_t probe) {
    last_us_ = std::max<std::int64_t>(
        last_us_, std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count());
    entries_[static_cast<std::size_t>(next_) % kPackets] = {
        static_cast<std::uint32_t>(last_us_), static_cast<std::uint16_t>(std::min<std::size_t>(bytes, 0xFFFF)), probe,
        State::in_flight};
    return static_cast<std::uint16_t>(next_++);
}

SendHistory::Entry* SendHistory::find(std::uint16_t number) {
    const std::int64_t newest = next_ - 1;
    const std::int64_t wide = newest - static_cast<std::uint16_t>(static_cast<std::uint16_t>(newest) - number);
    if (wide < 0 || wide + static_cast<std::int64_t>(kPackets) < next_) return nullptr;
    return &entries_[static_cast<std::size_t>(wide) % kPackets];
}

void SendHistory::repeated(std::uint16_t number) {
    if (Entry* entry = find(number)) entry->state = State::done;
}

SendHistory::Answer SendHistory::answer(std::uint16_t number, bool received) {
    Entry* entry = find(number);
    if (entry == nullptr || entry->state == State::done || entry->state == State::empty) return {};
    if (!received && entry->state == State::lost) return {};
    const News news = !received ? News::lost : entry->state == State::lost ? News::late : News::received;
    entry->state = received ? State::done : State::lost;
    const std::uint32_t age = static_cast<std::uint32_t>(last_us_) - entry->sent_us;
    return {news, {last_us_ - age, entry->bytes, entry->probe}};
}

}  // namespace media::congestion
