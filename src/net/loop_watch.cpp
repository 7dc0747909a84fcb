#include "net/loop_watch.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/post.hpp>
#include <string>
#include <utility>

#include "core/log.hpp"

namespace net {
namespace {

using Clock = std::chrono::steady_clock;
/// Half a minute each: the present one and the one before make up what `lag` tells.
constexpr std::chrono::seconds kPeriod{30};

std::int64_t ticks(Clock::time_point time) {
    return time.time_since_epoch().count();
}

}  // namespace

/// Shared with what was posted, which may run when nobody watches any more.
struct LoopWatch::Loop {
    std::atomic<std::int64_t> asked{0};  ///< When; 0: answered.
    std::atomic<std::int64_t> worst{0};  ///< Of the present period.
    std::atomic<std::int64_t> worst_before{0};
    std::atomic<bool> hangs{false};
};

LoopWatch::LoopWatch(LoopWatchSettings settings, Executors& loops, Told told)
    : settings_(settings), executors_(loops), told_(std::move(told)) {
    for (std::size_t i = 0; i < loops.size(); ++i) loops_.push_back(std::make_shared<Loop>());
}

LoopWatch::~LoopWatch() {
    stop();
}

void LoopWatch::start() {
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "loop-watch");
}

void LoopWatch::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void LoopWatch::run() {
    auto period_ends = Clock::now() + kPeriod;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const auto now = Clock::now();
        const bool next_period = now >= period_ends;
        if (next_period) period_ends = now + kPeriod;
        for (std::size_t i = 0; i < loops_.size(); ++i) {
            if (next_period) loops_[i]->worst_before = loops_[i]->worst.exchange(0);
            ask(i, now);
        }
        if (told_) told_(hanging() == 0);
        changed_.wait_for(lock, settings_.every, [this] { return stopping_; });
    }
}

void LoopWatch::ask(std::size_t number, Clock::time_point now) {
    const auto& loop = loops_[number];
    if (const auto asked = loop->asked.load(); asked != 0) {
        const bool hangs = Clock::duration{ticks(now) - asked} > settings_.hangs_after;
        if (hangs && !loop->hangs.exchange(true)) {
            core::log::error("event loop hangs", {{"loop", std::to_string(number)}});
        }
        return;
    }
    if (loop->hangs.exchange(false)) core::log::warning("event loop goes on", {{"loop", std::to_string(number)}});
    loop->asked = ticks(now);
    boost::asio::post(executors_.context(number), [loop] {
        const auto late = ticks(Clock::now()) - loop->asked.exchange(0);
        if (late > loop->worst.load()) loop->worst = late;
    });
}

std::chrono::duration<double> LoopWatch::lag() const {
    std::int64_t worst = 0;
    const auto now = ticks(Clock::now());
    for (const auto& loop : loops_) {
        const auto asked = loop->asked.load();
        worst = std::max({worst, loop->worst.load(), loop->worst_before.load(), asked == 0 ? 0 : now - asked});
    }
    return Clock::duration{worst};
}

std::size_t LoopWatch::hanging() const {
    return static_cast<std::size_t>(std::ranges::count_if(loops_, [](const auto& loop) { return loop->hangs.load(); }));
}

}  // namespace net
