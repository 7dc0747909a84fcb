#include "media/room/video_rewriter.hpp"

#include <algorithm>

namespace media::room {

void VideoRewriter::open_segment(std::int64_t source) {
    // An empty newest segment is replaced, so that a run of suppressed packets costs one entry.
    if (count_ == 0 || segment(0).out != next_out_) {
        head_ = (head_ + 1) % kSegments;
        count_ = std::min(count_ + 1, kSegments);
    }
    segments_[head_] = {source, next_out_};
    next_source_ = source;
}

void VideoRewriter::start(std::int64_t sequence, std::uint32_t timestamp, bool new_source, Time now) {
    if (!ever_sent_) {
        timestamp_offset_ -= timestamp;
    } else if (new_source) {
        const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_time_).count();
        const auto step = static_cast<std::uint32_t>(std::clamp<std::int64_t>(elapsed * 90, 1, 90'000 * 60LL));
        timestamp_offset_ = last_timestamp_ + step - timestamp;
    }
    if (new_source) count_ = 0;
    open_segment(sequence);
    running_ = true;
}

void VideoRewriter::forget() {
    count_ = 0;
    if (running_) open_segment(next_source_);
}

std::optional<VideoRewriter::Stamp> VideoRewriter::place(std::int64_t sequence, std::uint32_t timestamp, Time now) {
    if (!running_) return std::nullopt;
    const std::int64_t gap = sequence - next_source_;
    if (gap < 0) return stamp_of(sequence, timestamp);
    if (gap > kMaxGap) {
        suspend();
        return std::nullopt;
    }
    next_source_ = sequence + 1;
    next_out_ += gap + 1;
    last_timestamp_ = timestamp + timestamp_offset_;
    last_time_ = now;
    ever_sent_ = true;
    return Stamp{static_cast<std::uint16_t>(next_out_ - 1), last_timestamp_};
}

std::optional<std::uint16_t> VideoRewriter::skip(std::int64_t sequence) {
    if (!running_) return std::nullopt;
    const std::int64_t gap = sequence - next_source_;
    if (gap < 0) {
        const auto reserved = stamp_of(sequence, 0);
        return reserved ? std::optional(reserved->sequence) : std::nullopt;
    }
    if (gap > kMaxGap) {
        suspend();
        return std::nullopt;
    }
    next_out_ += gap;
    open_segment(sequence + 1);
    return std::nullopt;
}

std::optional<VideoRewriter::Stamp> VideoRewriter::stamp_of(std::int64_t sequence, std::uint32_t timestamp) const {
    std::int64_t end = next_out_;
    for (std::size_t age = 0; age < count_; ++age) {
        const Segment& candidate = segment(age);
        if (sequence >= candidate.source) {
            const std::int64_t out = candidate.out + (sequence - candidate.source);
            if (out >= end) return std::nullopt;
            return Stamp{static_cast<std::uint16_t>(out), timestamp + timestamp_offset_};
        }
        end = candidate.out;
    }
    return std::nullopt;
}

std::optional<std::int64_t> VideoRewriter::source_of(std::uint16_t own) const {
    const std::int64_t newest = next_out_ - 1;
    const std::int64_t out = newest - static_cast<std::uint16_t>(static_cast<std::uint16_t>(newest) - own);
    for (std::size_t age = 0; age < count_; ++age) {
        const Segment& candidate = segment(age);
        if (out >= candidate.out) {
            const std::int64_t source = candidate.source + (out - candidate.out);
            return out < next_out_ ? std::optional(source) : std::nullopt;
        }
    }
    return std::nullopt;
}

}  // namespace media::room
