#include "measure.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench {

void Histogram::add(Nanos duration) {
    const auto us = static_cast<std::uint64_t>(std::max<Nanos>(duration, 0) / kMicrosecond);
    std::size_t bucket = us;
    if (us >= kFine) {
        // The highest bit chooses the octave, the four below it the place in it.
        const auto octave = static_cast<unsigned>(std::bit_width(us)) - 4;
        bucket = octave * kFine + ((us >> (octave - 1)) & (kFine - 1));
    }
    ++buckets_[std::min(bucket, buckets_.size() - 1)];
    ++count_;
}

void Histogram::merge(const Histogram& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
}

double Histogram::quantile_ms(double part) const {
    if (count_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen < wanted) continue;
        if (i < kFine) return static_cast<double>(i) / 1000;
        // The upper end of the bucket: never better than it was.
        const auto octave = i / kFine;
        return std::ldexp(static_cast<double>(kFine + i % kFine + 1), static_cast<int>(octave) - 1) / 1000;
    }
    return 0;
}

void Window::merge(const Window& other) {
    sent += other.sent;
    received += other.received;
    sent_bytes += other.sent_bytes;
    received_bytes += other.received_bytes;
    control_sent += other.control_sent;
    control_received += other.control_received;
    video_expected += other.video_expected;
    video_lost += other.video_lost;
    video_repaired += other.video_repaired;
    audio_expected += other.audio_expected;
    audio_lost += other.audio_lost;
    audio_least = std::min(audio_least, other.audio_least);
    audio_most = std::max(audio_most, other.audio_most);
    nacks_sent += other.nacks_sent;
    nacks_received += other.nacks_received;
    key_frames_asked += other.key_frames_asked;
    refused += other.refused;
    silent_streams += other.silent_streams;
    streams += other.streams;
    socket_drops += other.socket_drops;
    send_failures += other.send_failures;
    lost_connections += other.lost_connections;
    latency.merge(other.latency);
    lag.merge(other.lag);
}

}  // namespace bench
