#include "media/room/video_rewriter.hpp"

#include <algorithm>

#include "media/wire/rtp.hpp"

namespace media::room {

namespace {

constexpr std::int64_t kTicksPerMs = 90;

/// The step in time to a new source's first packet.
std::uint32_t passed(Time since, Time now) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - since).count();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(ms, 0, 60'000) * kTicksPerMs);
}

VideoRewriter::Use sent(bool marker) {
    return marker ? VideoRewriter::Use::sent_marked : VideoRewriter::Use::sent;
}

}  // namespace

void VideoRewriter::open_segment(std::int64_t source) {
    // An empty newest segment is replaced, so that a run of suppressed packets costs one entry.
    if (count_ == 0 || segment(0).out != next_out_) {
        head_ = (head_ + 1) % kSegments;
        count_ = std::min(count_ + 1, kSegments);
    }
    segments_[head_] = {source, next_out_, line_};
    next_source_ = source;
}

void VideoRewriter::advance(std::int64_t numbers) {
    for (std::int64_t n = std::max(next_out_, next_out_ + numbers - kRemembered); n < next_out_ + numbers; ++n) {
        use_of(static_cast<std::uint16_t>(n)) = Use::reserved;
    }
    next_out_ += numbers;
}

void VideoRewriter::start(std::int64_t sequence, std::uint32_t timestamp) {
    if (!ever_sent_) offsets_[line_] -= timestamp;
    open_segment(sequence);
    running_ = true;
}

void VideoRewriter::start_line(std::int64_t sequence, std::uint32_t timestamp, Wished wished, Time now) {
    if (!ever_sent_) {
        start(sequence, timestamp);
        return;
    }
    // A sender's reports may be wrong; what passed here is right to a frame or so.
    constexpr std::uint32_t kMostApart = 90'000;
    const std::uint32_t guess = last_timestamp_ + passed(last_time_, now);
    std::uint32_t own = guess;
    std::uint32_t ideal = guess;
    if (wished) {
        ideal = *wished - ahead_;
        if (ideal - guess + kMostApart <= 2 * kMostApart) own = ideal;
    }
    if (!wire::newer_timestamp(own, last_timestamp_)) own = last_timestamp_ + 1;
    // Repeated switches must not add up to a delay.
    ahead_ = wished && own - ideal <= kMostApart ? own - ideal : 0;

    line_ ^= 1U;
    offsets_[line_] = own - timestamp;
    // The oldest segments have the number of the line that begins: it is not theirs any more.
    while (count_ > 0 && segment(count_ - 1).line == line_) --count_;
    open_segment(sequence);
    running_ = true;
}

void VideoRewriter::forget() {
    count_ = 0;
    if (running_) open_segment(next_source_);
}

void VideoRewriter::forget_previous() {
    while (count_ > 0 && segment(count_ - 1).line != line_) --count_;
}

std::optional<VideoRewriter::Stamp> VideoRewriter::place(std::int64_t sequence, std::uint32_t timestamp, bool marker,
                                                         Time now) {
    if (!running_) return std::nullopt;
    const std::int64_t gap = sequence - next_source_;
    if (gap < 0) return fill_in(Line::current, sequence, timestamp, marker);
    if (gap > kMaxGap) {
        suspend();
        return std::nullopt;
    }
    next_source_ = sequence + 1;
    advance(gap + 1);
    const auto own = static_cast<std::uint16_t>(next_out_ - 1);
    use(own, sent(marker));
    const std::uint32_t stamp = own_timestamp(Line::current, timestamp);
    if (!ever_sent_ || wire::newer_timestamp(stamp, last_timestamp_)) last_timestamp_ = stamp;
    last_time_ = now;
    ever_sent_ = true;
    return Stamp{own, stamp};
}

std::optional<VideoRewriter::Stamp> VideoRewriter::place_previous(std::int64_t sequence, std::uint32_t timestamp,
                                                                  bool marker) {
    return fill_in(Line::previous, sequence, timestamp, marker);
}

std::optional<VideoRewriter::Stamp> VideoRewriter::fill_in(Line line, std::int64_t sequence, std::uint32_t timestamp,
                                                           bool marker) {
    const auto own = number_of(line, sequence);
    if (!own || use_of(*own) != Use::reserved) return std::nullopt;
    use(*own, sent(marker));
    const std::uint32_t stamp = own_timestamp(line, timestamp);
    if (line == Line::current && wire::newer_timestamp(stamp, last_timestamp_)) last_timestamp_ = stamp;
    return Stamp{*own, stamp};
}

std::optional<std::uint16_t> VideoRewriter::fill_up(Line line, std::int64_t sequence) {
    const auto own = number_of(line, sequence);
    if (!own || use_of(*own) != Use::reserved) return std::nullopt;
    use(*own, Use::filler);
    return own;
}

std::optional<std::uint16_t> VideoRewriter::skip(std::int64_t sequence, bool joined) {
    if (!running_) return std::nullopt;
    const std::int64_t gap = sequence - next_source_;
    if (gap < 0) return fill_up(Line::current, sequence);
    if (gap > kMaxGap) {
        suspend();
        return std::nullopt;
    }
    if (!joined) advance(gap);
    open_segment(sequence + 1);
    return std::nullopt;
}

std::optional<std::uint16_t> VideoRewriter::skip_previous(std::int64_t sequence) {
    return fill_up(Line::previous, sequence);
}

std::optional<std::uint16_t> VideoRewriter::number_of(Line line, std::int64_t sequence) const {
    std::int64_t end = next_out_;
    for (std::size_t age = 0; age < count_; ++age) {
        const Segment& candidate = segment(age);
        if (candidate.line == index(line) && sequence >= candidate.source) {
            const std::int64_t out = candidate.out + (sequence - candidate.source);
            if (out >= end || out < next_out_ - kRemembered) return std::nullopt;
            return static_cast<std::uint16_t>(out);
        }
        end = candidate.out;
    }
    return std::nullopt;
}

std::optional<VideoRewriter::Origin> VideoRewriter::origin_of(std::uint16_t own) const {
    const std::int64_t newest = next_out_ - 1;
    const std::int64_t out = newest - static_cast<std::uint16_t>(static_cast<std::uint16_t>(newest) - own);
    if (out <= newest - kRemembered) return std::nullopt;
    for (std::size_t age = 0; age < count_; ++age) {
        const Segment& candidate = segment(age);
        if (out >= candidate.out) {
            return Origin{.line = candidate.line == line_ ? Line::current : Line::previous,
                          .source = candidate.source + (out - candidate.out),
                          .use = uses_[static_cast<std::uint16_t>(out) % kRemembered]};
        }
    }
    return std::nullopt;
}

}  // namespace media::room
