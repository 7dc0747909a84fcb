#include "api/rate_exchange.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "core/log.hpp"

namespace api {
namespace {

namespace asio = boost::asio;
using service::Task;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kEvery{500};
/// Between two exchanges, however urgent.
constexpr std::chrono::milliseconds kLeast{20};
constexpr std::chrono::seconds kTidyEvery{30};
constexpr std::size_t kMostAtOnce = 1000;
constexpr int kMostForgotten = 20'000;

Micros now() {
    return std::chrono::duration_cast<Micros>(Clock::now().time_since_epoch());
}

}  // namespace

/// Outlives the exchange in the handlers that are still on their way.
struct RateExchange::Bell {
    explicit Bell(const asio::any_io_executor& executor) : timer(executor) {}

    asio::steady_timer timer;
    // On the executor only, like the timer.
    bool rung = false;
    bool listened_to = false;
};

RateExchange::RateExchange(RateLimits& limits, service::RateLedger& ledger, asio::any_io_executor executor)
    : limits_(limits), ledger_(ledger), bell_(std::make_shared<Bell>(executor)), tidied_(Clock::now()) {
    limits_.on_urgent([bell = bell_, executor] {
        asio::post(executor, [bell] {
            bell->rung = true;
            if (bell->listened_to) bell->timer.cancel();
        });
    });
}

RateExchange::~RateExchange() = default;

Task<void> RateExchange::wait() {
    const auto bell = bell_;
    const auto sleep = [&](std::chrono::milliseconds time) {
        bell->timer.expires_after(time);
        return bell->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    };
    co_await sleep(kLeast);
    // A ring that came while nobody listened counts as well.
    bell->listened_to = true;
    if (!bell->rung) co_await sleep(kEvery - kLeast);
    bell->rung = bell->listened_to = false;
}

Task<void> RateExchange::run() {
    bool failing = false;
    for (;;) {
        co_await wait();
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
        auto done = co_await exchange();
        if (done) done = co_await tidy();
        if (!done && !failing) core::log::warning("task fails", {{"task", "rates"}, {"error", done.error().detail}});
        if (done && failing) core::log::info("task works again", {{"task", "rates"}});
        failing = !done;
    }
}

Task<core::Result<void>> RateExchange::exchange() {
    const auto shares = limits_.collect(kMostAtOnce, now());
    if (shares.empty()) co_return core::Result<void>{};
    std::vector<service::RateEntry> spent;
    spent.reserve(shares.size());
    for (const auto& share : shares) spent.push_back({share.key, share.spent});
    const auto all = co_await ledger_.exchange_rates(std::move(spent));
    const auto told_at = now();
    if (!all) {
        for (const auto& share : shares) limits_.give_back(share, told_at);
        co_return std::unexpected(all.error());
    }
    for (const auto& entry : *all) limits_.settle(entry.key, entry.time, told_at);
    co_return core::Result<void>{};
}

Task<core::Result<void>> RateExchange::tidy() {
    if (Clock::now() - tidied_ < kTidyEvery) co_return core::Result<void>{};
    tidied_ = Clock::now();
    co_return co_await ledger_.forget_rates(kMostForgotten);
}

}  // namespace api
