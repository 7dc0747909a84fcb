#include "media/congestion/pacer.hpp"

#include <algorithm>

#include "media/wire/byte_io.hpp"

namespace media::congestion {

namespace {
// Tokens for that long may be saved up: a late tick, and two packets for whoever sends little.
constexpr std::int64_t kPeakDepthUs = 10'000;
constexpr std::int64_t kLeastDepthBytes = 3'000;
constexpr std::int64_t kAverageDepthUs = 400'000;
// More than an hour's wait says nothing, and must not overflow.
constexpr std::int64_t kMostElapsedUs = 2'000'000;

std::uint32_t ssrc_of(WaitingPacket& packet) {
    return wire::load_u32(packet.packet().data() + 8);
}
std::uint32_t timestamp_of(WaitingPacket& packet) {
    return wire::load_u32(packet.packet().data() + 4);
}
}  // namespace

void Pacer::Queue::push(WaitingPacket* packet) {
    packet->next = nullptr;
    (last == nullptr ? first : last->next) = packet;
    last = packet;
    bytes += packet->size;
    ++packets;
}

WaitingPacket* Pacer::Queue::pop() {
    WaitingPacket* packet = first;
    first = packet->next;
    if (first == nullptr) last = nullptr;
    bytes -= packet->size;
    --packets;
    return packet;
}

void Pacer::set_rates(std::uint64_t peak_bps, std::uint64_t average_bps) {
    const auto per_us = [](std::uint64_t bps) {
        return bps == 0 ? std::int64_t{0}
                        : std::max<std::int64_t>(
                              1, static_cast<std::int64_t>(std::min<std::uint64_t>(bps, 10'000'000'000) << kFraction) /
                                     8'000'000);
    };
    const bool had_peak = peak_ != 0;
    const bool had_average = average_ != 0;
    peak_ = per_us(peak_bps);
    average_ = per_us(average_bps);
    peak_depth_ = std::max(peak_ * kPeakDepthUs, kLeastDepthBytes << kFraction);
    average_depth_ = std::max(average_ * kAverageDepthUs, kLeastDepthBytes << kFraction);
    // Nothing is owed for the time without a bound.
    peak_tokens_ = had_peak ? std::min(peak_tokens_, peak_depth_) : peak_depth_;
    average_tokens_ = had_average ? std::min(average_tokens_, average_depth_) : average_depth_;
    most_bytes_ =
        std::max(kLeastQueueBytes,
                 peak_ * std::chrono::duration_cast<std::chrono::microseconds>(kQueueTime).count() >> kFraction);
}

void Pacer::refill(Time now) {
    if (now <= filled_) return;
    const std::int64_t elapsed =
        std::min(std::chrono::duration_cast<std::chrono::microseconds>(now - filled_).count(), kMostElapsedUs);
    filled_ = now;
    peak_tokens_ = std::min(peak_depth_, peak_tokens_ + elapsed * peak_);
    average_tokens_ = std::min(average_depth_, average_tokens_ + elapsed * average_);
}

bool Pacer::queue(PacketPool& pool, Lane lane, std::span<const std::uint8_t> packet, Time now) {
    if (packet.size() > WaitingPacket::kMaxPacket || packet.size() < 12) return false;
    Queue& line = lanes_[static_cast<std::size_t>(lane)];
    if (lane == Lane::repair && line.packets >= kMostRepairs) return false;
    if (lane == Lane::video && (static_cast<std::int64_t>(line.bytes + packet.size()) > most_bytes_ ||
                                (line.first != nullptr && now - line.first->since > kLongestQueue))) {
        return false;
    }
    WaitingPacket* waiting = pool.take();
    if (waiting == nullptr) return false;
    waiting->since = now;
    waiting->size = static_cast<std::uint16_t>(packet.size());
    std::ranges::copy(packet, waiting->packet().begin());
    line.push(waiting);
    return true;
}

const WaitingPacket* Pacer::overdue(Time now) const {
    const WaitingPacket* first = lanes_[static_cast<std::size_t>(Lane::video)].first;
    return first != nullptr && now - first->since > kLongestWait ? first : nullptr;
}

const WaitingPacket* Pacer::first_of(std::uint32_t ssrc) const {
    WaitingPacket* packet = lanes_[static_cast<std::size_t>(Lane::video)].first;
    while (packet != nullptr && ssrc_of(*packet) != ssrc) packet = packet->next;
    return packet;
}

template <class Unwanted>
std::size_t Pacer::drop_if(PacketPool& pool, Unwanted&& unwanted) {
    Queue& line = lanes_[static_cast<std::size_t>(Lane::video)];
    Queue kept;
    std::size_t dropped = 0;
    while (!line.empty()) {
        WaitingPacket* packet = line.pop();
        if (unwanted(*packet)) {
            pool.give_back(packet);
            ++dropped;
        } else {
            kept.push(packet);
        }
    }
    line = kept;
    return dropped;
}

std::size_t Pacer::drop_frame(PacketPool& pool, std::uint32_t ssrc, std::uint32_t timestamp) {
    return drop_if(pool,
                   [&](WaitingPacket& packet) { return ssrc_of(packet) == ssrc && timestamp_of(packet) == timestamp; });
}

std::size_t Pacer::drop_stream(PacketPool& pool, std::uint32_t ssrc) {
    return drop_if(pool, [&](WaitingPacket& packet) { return ssrc_of(packet) == ssrc; });
}

void Pacer::clear(PacketPool& pool) {
    for (Queue& lane : lanes_) {
        while (!lane.empty()) pool.give_back(lane.pop());
    }
}

}  // namespace media::congestion
