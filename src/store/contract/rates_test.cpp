// Rate limits that processes share: only PostgreSQL keeps them.
#include <algorithm>
#include <limits>

#include "store/contract/harness.hpp"
#include "store/contract/postgres_server.hpp"
#include "store/postgres/postgres_store.hpp"

namespace store::contract {
namespace {

using postgres::PostgresStore;
using service::RateEntry;

class SharedRates : public testing::Test {
  protected:
    std::unique_ptr<PostgresStore> open() {
        auto opened = PostgresStore::open({.url = url});
        if (!opened) throw std::runtime_error(opened.error().detail);
        return std::move(*opened);
    }
    std::string value(const std::string& sql) { return PostgresServer::run(url, sql); }

    /// What all have spent, by the answer to this process.
    std::chrono::microseconds exchange(PostgresStore& store, std::uint64_t key, std::chrono::microseconds spent) {
        const auto all = loop.run(store.exchange_rates({{key, spent}}));
        if (!all) throw std::runtime_error(all.error().detail);
        EXPECT_EQ(all->size(), 1U);
        EXPECT_EQ(all->at(0).key, key);
        return all->at(0).time;
    }

    std::string url = PostgresServer::shared().empty_database();
    Loop loop;
};

/// A test may be held up between two statements, and then less is owed.
constexpr auto kHeldUp = 15s;

TEST_F(SharedRates, AddUpWhatProcessesSpend) {
    const auto one = open(), other = open();
    constexpr std::uint64_t kKey = std::numeric_limits<std::uint64_t>::max() - 5;
    EXPECT_EQ(exchange(*one, kKey, 20s), 20s);
    const auto both = exchange(*other, kKey, 30s);
    EXPECT_LE(both, 50s);
    EXPECT_GT(both, 50s - kHeldUp);
    const auto told = exchange(*one, kKey, 0s);
    EXPECT_LE(told, both);
    EXPECT_GT(told, both - kHeldUp);
    EXPECT_EQ(exchange(*one, 7, 1s), 1s) << "another bucket";
}

TEST_F(SharedRates, ManyKeysTravelInOneStatement) {
    const auto store = open();
    std::vector<RateEntry> spent;
    for (std::uint64_t key = 1; key <= 1000; ++key) spent.push_back({key * 0x123456789abcdefULL, 1s * (key % 50 + 1)});
    auto all = loop.run(store->exchange_rates(spent));
    ASSERT_TRUE(all.has_value()) << all.error().detail;
    ASSERT_EQ(all->size(), spent.size());
    std::ranges::sort(spent, {}, &RateEntry::key);
    std::ranges::sort(*all, {}, &RateEntry::key);
    for (std::size_t i = 0; i < spent.size(); ++i) {
        EXPECT_EQ(all->at(i).key, spent[i].key);
        EXPECT_EQ(all->at(i).time, spent[i].time);
    }
}

TEST_F(SharedRates, ProcessesNeverWaitForEachOtherInACircle) {
    const auto one = open(), other = open();
    std::vector<RateEntry> up, down;
    for (std::uint64_t key = 1; key <= 500; ++key) up.push_back({key, 1s});
    down.assign(up.rbegin(), up.rend());
    for (int round = 0; round < 20; ++round) {
        const auto first = loop.begin(one->exchange_rates(up));
        const auto second = loop.begin(other->exchange_rates(down));
        loop.turn_until([&] { return first->has_value() && second->has_value(); });
        ASSERT_TRUE((**first).has_value()) << (**first).error().detail;
        ASSERT_TRUE((**second).has_value()) << (**second).error().detail;
    }
}

TEST_F(SharedRates, ForgetWhatIsFullAgainAndNeverOweMuch) {
    const auto store = open();
    exchange(*store, 1, 1us);
    exchange(*store, 2, 1us);
    exchange(*store, 3, 60s);
    value("UPDATE video_consultation_rates SET full_at = full_at - interval '1 day' WHERE key < 3");
    ASSERT_TRUE(loop.run(store->forget_rates(1)).has_value());
    EXPECT_EQ(value("SELECT count(*) FROM video_consultation_rates"), "2");
    ASSERT_TRUE(loop.run(store->forget_rates(100)).has_value());
    EXPECT_EQ(value("SELECT key FROM video_consultation_rates"), "3");
    for (int i = 0; i < 5; ++i) exchange(*store, 3, 30min);
    EXPECT_LE(exchange(*store, 3, 30min), 1h);
    EXPECT_EQ(value("SELECT relpersistence FROM pg_class WHERE relname = 'video_consultation_rates'"), "u");
}

}  // namespace
}  // namespace store::contract
