#include "media/room/reception_stats.hpp"

#include <algorithm>
#include <cstdlib>

namespace media::room {

void ReceptionStats::restart() {
    started_ = false;
    transit_known_ = false;
    jitter_ = 0;
}

void ReceptionStats::on_packet(std::int64_t sequence, std::uint32_t timestamp, bool repaired, Time arrival) {
    if (!started_) {
        started_ = true;
        first_ = highest_ = sequence;
        received_ = expected_before_ = received_before_ = 0;
    }
    ++received_;
    first_ = std::min(first_, sequence);
    highest_ = std::max(highest_, sequence);
    if (repaired) return;

    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(arrival.time_since_epoch()).count();
    const auto seconds = static_cast<std::uint64_t>(us) / 1'000'000;
    const auto rest = static_cast<std::uint64_t>(us) % 1'000'000;
    const auto arrival_units = static_cast<std::uint32_t>(seconds * clock_rate_ + rest * clock_rate_ / 1'000'000);
    const std::uint32_t transit = arrival_units - timestamp;
    if (transit_known_) {
        const std::int64_t difference =
            std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(transit - last_transit_)));
        // More than ten seconds is no jitter: the sender set its timestamps anew.
        if (difference < std::int64_t{clock_rate_} * 10) jitter_ += difference - ((jitter_ + 8) >> 4);
    }
    last_transit_ = transit;
    transit_known_ = true;
}

void ReceptionStats::on_sender_report(std::uint64_t ntp, Time arrival) {
    last_sr_ = wire::middle_of_ntp(ntp);
    last_sr_time_ = arrival;
}

std::optional<wire::ReportBlock> ReceptionStats::report(std::uint32_t ssrc, Time now) {
    if (!started_) return std::nullopt;
    const std::int64_t expected = highest_ - first_ + 1;
    const std::int64_t expected_now = expected - expected_before_;
    const std::int64_t lost_now = expected_now - (received_ - received_before_);
    expected_before_ = expected;
    received_before_ = received_;

    wire::ReportBlock block;
    block.ssrc = ssrc;
    if (expected_now > 0 && lost_now > 0) {
        block.fraction_lost = static_cast<std::uint8_t>(std::min<std::int64_t>(255, lost_now * 256 / expected_now));
    }
    block.cumulative_lost =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(expected - received_, -0x800000, 0x7FFFFF));
    block.highest_sequence = static_cast<std::uint32_t>(highest_ - 0x10000);
    block.jitter = static_cast<std::uint32_t>(jitter_ >> 4);
    if (last_sr_ != 0) {
        block.last_sr = last_sr_;
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now - last_sr_time_).count();
        block.delay_since_last_sr =
            static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 0, 3'600'000'000) * 65536 / 1'000'000);
    }
    return block;
}

}  // namespace media::room
