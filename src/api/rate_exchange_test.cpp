#include "api/rate_exchange.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <string>
#include <vector>

namespace api {
namespace {

using namespace std::chrono_literals;
using service::RateEntry;
using service::Task;

/// Keeps the sums in memory; time stands still.
class Ledger final : public service::RateLedger {
  public:
    bool down = false;
    int asked = 0;
    std::map<std::uint64_t, Micros> owed;

    Task<core::Result<std::vector<RateEntry>>> exchange_rates(std::vector<RateEntry> spent) override {
        ++asked;
        if (down) co_return core::fail(core::ErrorKind::unavailable, "down");
        for (auto& entry : spent) entry.time = owed[entry.key] += entry.time;
        co_return spent;
    }
    Task<core::Result<void>> forget_rates(int) override { co_return core::Result<void>{}; }
};

Micros now() {
    return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch());
}

/// One of several processes.
struct Process {
    Process(Ledger& ledger, boost::asio::io_context& loop) : exchange(limits, ledger, loop.get_executor()) {}

    int spend(int tries, std::string_view user = "34") {
        int allowed = 0;
        for (int i = 0; i < tries; ++i) {
            const auto standing = limits.spend_user(RateKind::write, user, now());
            allowed += standing->spending.allowed ? 1 : 0;
        }
        return allowed;
    }

    RateLimits limits{{.write = 80, .shared = true}, "a secret"};
    RateExchange exchange;
};

class RateExchangeTest : public testing::Test {
  protected:
    bool exchange(Process& process) {
        bool done = false;
        boost::asio::co_spawn(loop, process.exchange.exchange(),
                              [&](std::exception_ptr, const core::Result<void>& result) { done = result.has_value(); });
        loop.restart();
        loop.run();
        return done;
    }

    boost::asio::io_context loop;
    Ledger ledger;
};

TEST_F(RateExchangeTest, ProcessesLetThroughTogetherWhatOneWould) {
    std::vector<std::unique_ptr<Process>> processes;
    for (int i = 0; i < 4; ++i) processes.push_back(std::make_unique<Process>(ledger, loop));
    int allowed = 0;
    for (int round = 0; round < 100; ++round) {
        for (auto& process : processes) {
            allowed += process->spend(2);
            EXPECT_TRUE(exchange(*process));
        }
    }
    EXPECT_GE(allowed, 80);
    // An eighth of 80 goes unsaid in each but the first, and some are refilled while this runs.
    EXPECT_LE(allowed, 80 + 3 * 10 + 10);
}

TEST_F(RateExchangeTest, WithoutTheLedgerEachGoesByItsOwnCountAndTellsLater) {
    Process one(ledger, loop), other(ledger, loop);
    ledger.down = true;
    EXPECT_NEAR(one.spend(100), 80, 5);
    EXPECT_FALSE(exchange(one));
    EXPECT_FALSE(exchange(one));
    ledger.down = false;
    EXPECT_TRUE(exchange(one));
    EXPECT_NEAR(other.spend(20), 20, 0);
    EXPECT_TRUE(exchange(other));
    EXPECT_LE(other.spend(20), 5) << "the other has spent it";
}

TEST_F(RateExchangeTest, WhoAsksRarelyIsNotTalkedAbout) {
    Process one(ledger, loop);
    for (int user = 0; user < 100; ++user) EXPECT_EQ(one.spend(9, std::to_string(user)), 9);
    EXPECT_TRUE(exchange(one));
    EXPECT_EQ(ledger.asked, 0);
}

TEST_F(RateExchangeTest, RunsAtOnceWhenMuchIsSpentAndEndsWhenCancelled) {
    Process one(ledger, loop);
    boost::asio::cancellation_signal stop;
    bool ended = false;
    boost::asio::co_spawn(loop, one.exchange.run(),
                          boost::asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { ended = true; }));
    const auto turn_until = [&](auto done) {
        const auto limit = now() + 20s;
        while (!done() && now() < limit) {
            loop.restart();
            loop.run_one_for(100ms);
        }
        return done();
    };
    EXPECT_EQ(one.spend(30), 30);
    EXPECT_TRUE(turn_until([&] { return ledger.asked == 1; }));
    EXPECT_EQ(one.spend(15), 15);
    EXPECT_TRUE(turn_until([&] { return ledger.asked == 2; }));
    stop.emit(boost::asio::cancellation_type::terminal);
    EXPECT_TRUE(turn_until([&] { return ended; }));
}

}  // namespace
}  // namespace api
