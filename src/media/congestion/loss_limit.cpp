#include "media/congestion/loss_limit.hpp"

#include <algorithm>

namespace media::congestion {

namespace {
constexpr auto kWindow = std::chrono::milliseconds(500);
// Fewer say nothing about a share of some percent.
constexpr std::uint32_t kLeastPackets = 40;
// 11.5 % at 1 Mbit/s, 19 % at 500 kbit/s, 6.5 % at 3 Mbit/s.
constexpr double kBearableAtAnyRate = 0.04;
constexpr double kBearableBps = 75'000;
constexpr double kMostBearable = 0.3;
constexpr double kBearableInQueue = 0.04;
// As in the draft: less than this allows to grow, and a loss of p lowers by p/2.
constexpr double kHardlyAny = 0.02;
constexpr double kGrowth = 1.04;
// So much is no accident: what arrives is what the link has.
constexpr double kFlood = 0.4;
constexpr std::size_t kKnownAfter = 4;
constexpr std::int64_t kOutageUs = 400'000;
}  // namespace

double LossLimit::bearable(std::uint64_t rate_bps) {
    const double rate = static_cast<double>(std::max<std::uint64_t>(rate_bps, 1));
    return std::min(kMostBearable, kBearableAtAnyRate + kBearableBps / rate);
}

void LossLimit::close_run() {
    if (run_last_us_ - run_first_us_ < kOutageUs) window_.lost += run_;
    run_ = 0;
}

void LossLimit::received(std::int64_t sent_us) {
    if (run_ != 0) {
        run_last_us_ = std::max(run_last_us_, sent_us);
        close_run();
    }
    ++window_.received;
}

void LossLimit::lost(std::int64_t sent_us) {
    if (run_++ == 0) run_first_us_ = sent_us;
    run_last_us_ = sent_us;
}

void LossLimit::late() {
    if (window_.lost == 0) return;
    --window_.lost;
    ++window_.received;
}

double LossLimit::usual() const {
    if (windows_ < kKnownAfter) return 0;
    return *std::min_element(past_.begin(),
                             past_.begin() + static_cast<std::ptrdiff_t>(std::min(windows_, past_.size())));
}

void LossLimit::update(const Rates& rates, std::chrono::microseconds round_trip, Time now) {
    if (!since_) since_ = now;
    if (now - *since_ < kWindow || window_.packets() < kLeastPackets) return;
    const double all = static_cast<double>(window_.packets() + before_.packets());
    loss_ = static_cast<double>(window_.lost + before_.lost) / all;
    before_ = window_;
    window_ = {};
    since_ = now;
    past_[windows_++ % past_.size()] = loss_;

    // What was lost may have been sent faster than is allowed by now: it speaks of that rate.
    const std::uint64_t rate_bps = std::max(rates.allowed_bps, rates.sent_bps);
    if (loss_ > (rates.queued ? kBearableInQueue : bearable(rate_bps))) {
        // One answer to the same losses: what was lowered must show first.
        if (lowered_ && now - *lowered_ < kWindow + round_trip) return;
        lowered_ = now;
        before_ = {};
        const double kept = loss_ > kFlood ? 1 - loss_ : 1 - loss_ / 2;
        const auto lowered = static_cast<std::uint64_t>(static_cast<double>(rate_bps) * kept);
        limit_bps_ = std::max(floor_bps_, std::min(rates.allowed_bps, lowered));
        return;
    }
    if (limit_bps_ == kNone) return;
    if (loss_ - usual() < kHardlyAny) {
        limit_bps_ = static_cast<std::uint64_t>(static_cast<double>(limit_bps_) * kGrowth);
        // Well above what the delay allows it limits nothing any more.
        if (limit_bps_ / 5 > rates.delay_bps / 4) limit_bps_ = kNone;
    }
}

}  // namespace media::congestion
