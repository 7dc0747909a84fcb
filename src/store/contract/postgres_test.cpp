// What only PostgreSQL can do to us: go away, hang, come back, be changed behind our back.
#include <libpq-fe.h>

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <future>
#include <thread>

#include "net/executors.hpp"
#include "store/contract/harness.hpp"
#include "store/contract/postgres_server.hpp"
#include "store/postgres/postgres_store.hpp"

namespace store::contract {
namespace {

using core::ErrorKind;
using postgres::PostgresSettings;
using postgres::PostgresStore;
using Clock = std::chrono::steady_clock;

service::Task<bool> pause(std::chrono::milliseconds duration) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, duration);
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return true;
}

/// Asks until an answer comes; how many times it took.
service::Task<int> ask_until_answered(service::SessionStore& store) {
    const auto limit = Clock::now() + 20s;
    for (int times = 1;; ++times) {
        if (co_await store.find(id(1))) co_return times;
        if (Clock::now() > limit) co_return -1;
        co_await pause(20ms);
    }
}

class Postgres : public testing::Test {
  protected:
    static void SetUpTestSuite() { server = std::make_unique<PostgresServer>(); }
    static void TearDownTestSuite() { server.reset(); }

    void SetUp() override {
        server->start();
        settings.url = server->empty_database();
        settings.longest_back_off = 100ms;
    }

    std::unique_ptr<PostgresStore> open() {
        auto opened = PostgresStore::open(settings);
        if (!opened) throw std::runtime_error(opened.error().detail);
        return std::move(*opened);
    }
    std::string value(const std::string& sql) { return PostgresServer::run(settings.url, sql); }
    /// For tests that wait for the time to be up.
    void hurry() {
        settings.connect_timeout = 500ms;
        settings.operation_timeout = 500ms;
        settings.ping_timeout = 200ms;
    }

    static inline std::unique_ptr<PostgresServer> server;
    PostgresSettings settings;
    Loop loop;
};

TEST_F(Postgres, DownIsSaidQuicklyAndRecoversByItself) {
    auto store = open();
    EXPECT_EQ(*loop.run(store->commit(creation(full_session(1)))), Committed::applied);
    server->stop();
    for (int call = 0; call < 50; ++call) {
        const auto begun = Clock::now();
        const auto answer = loop.run(store->find(id(1)));
        ASSERT_FALSE(answer.has_value());
        EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
        EXPECT_GT(answer.error().retry_after, 0s);
        EXPECT_LT(Clock::now() - begun, 2s);
        const auto committed = loop.run(store->commit(creation(full_session(2))));
        ASSERT_FALSE(committed.has_value());
        EXPECT_EQ(committed.error().kind, ErrorKind::unavailable);
        EXPECT_FALSE(loop.run(store->ping()).has_value());
    }
    server->start();
    EXPECT_GT(loop.run(ask_until_answered(*store)), 0);
    EXPECT_EQ(*loop.run(store->find(id(1))), full_session(1));
    EXPECT_EQ(*loop.run(store->commit(creation(full_session(2)))), Committed::applied);
}

TEST_F(Postgres, GoingDownAnswersEverybodyWhoWaits) {
    auto store = open();
    std::deque<std::shared_ptr<std::optional<core::Result<Committed>>>> answers;
    for (int number = 0; number < 300; ++number) {
        answers.push_back(loop.begin(store->commit(creation(full_session(number)))));
    }
    loop.turn_until([&] { return answers.front()->has_value(); });
    std::thread stopping([] { server->stop(); });
    for (const auto& answer : answers) loop.turn_until([&] { return answer->has_value(); });
    stopping.join();
    server->start();
    EXPECT_GT(loop.run(ask_until_answered(*store)), 0);
    for (std::size_t number = 0; number < answers.size(); ++number) {
        if (!(*answers[number])->has_value()) {
            EXPECT_EQ((*answers[number])->error().kind, ErrorKind::unavailable);
            continue;
        }
        EXPECT_TRUE(loop.run(store->find(id(static_cast<int>(number))))->has_value()) << "acknowledged and lost";
    }
}

TEST_F(Postgres, AHangingServerCostsTheTimeLimitAndNoMore) {
    hurry();
    auto store = open();
    // To connect may take longer than the little time that calls are given here.
    ASSERT_GT(loop.run(ask_until_answered(*store)), 0);
    ASSERT_TRUE(loop.run(store->commit(creation(full_session(1)))).has_value());
    server->halt();
    auto begun = Clock::now();
    auto answer = loop.run(store->find(id(1)));
    EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
    EXPECT_LT(Clock::now() - begun, settings.operation_timeout + 2s);
    begun = Clock::now();
    EXPECT_EQ(loop.run(store->ping()).error().kind, ErrorKind::unavailable);
    EXPECT_LT(Clock::now() - begun, settings.ping_timeout + 2s);
    server->go_on();
    EXPECT_GT(loop.run(ask_until_answered(*store)), 0);
}

TEST_F(Postgres, AFullQueueIsSaidAtOnce) {
    settings.queue_limit = 3;
    settings.connections_per_loop = 1;
    auto store = open();
    ASSERT_TRUE(loop.run(store->ping()).has_value());
    server->halt();
    // One travels, three wait.
    const auto travelling = loop.begin(store->find(id(1)));
    loop.run(pause(1ms));
    std::deque<std::shared_ptr<std::optional<core::Result<std::optional<Session>>>>> waiting;
    for (int i = 0; i < 3; ++i) waiting.push_back(loop.begin(store->find(id(1))));
    const auto refused = loop.run(store->find(id(1)));
    EXPECT_EQ(refused.error().detail, "the database has too much to do");
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
    server->go_on();
    loop.turn_until([&] { return travelling->has_value() && waiting.back()->has_value(); });
}

TEST_F(Postgres, ALockedTableCostsOneStatementNotTheConnection) {
    hurry();
    auto store = open();
    ASSERT_GT(loop.run(ask_until_answered(*store)), 0);
    ASSERT_TRUE(loop.run(store->ping()).has_value());
    const std::string plain = "postgresql" + settings.url.substr(settings.url.find("://"));
    PGconn* other = PQconnectdb(plain.c_str());
    PQclear(PQexec(other, "BEGIN; LOCK TABLE video_consultation_sessions"));
    const auto answer = loop.run(store->find(id(1)));
    EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
    PQclear(PQexec(other, "COMMIT"));
    PQfinish(other);
    EXPECT_EQ(loop.run(store->find(id(1))).value(), std::nullopt);
}

TEST_F(Postgres, KilledConnectionsAreReplaced) {
    auto store = open();
    ASSERT_TRUE(loop.run(store->commit(creation(full_session(1)))).has_value());
    value(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    EXPECT_GT(loop.run(ask_until_answered(*store)), 0);
    EXPECT_EQ(*loop.run(store->commit(creation(full_session(2)))), Committed::applied);
}

TEST_F(Postgres, TablesMayChangeUnderPreparedStatements) {
    settings.connections_per_loop = 1;
    auto store = open();
    ASSERT_TRUE(loop.run(store->commit(creation(full_session(1)))).has_value());
    EXPECT_EQ(*loop.run(store->find(id(1))), full_session(1));
    value("ALTER TABLE video_consultation_sessions ALTER COLUMN session_notes TYPE varchar(9000)");
    EXPECT_EQ(loop.run(store->find(id(1))).value(), full_session(1));
}

TEST_F(Postgres, StoppingAnswersWhoWaitsAndLaterCalls) {
    auto store = open();
    ASSERT_TRUE(loop.run(store->ping()).has_value());
    server->halt();
    const auto waiting = loop.begin(store->find(id(1)));
    loop.run(pause(1ms));
    const auto begun = Clock::now();
    store->stop();
    loop.turn_until([&] { return waiting->has_value(); });
    EXPECT_EQ((*waiting)->error().kind, ErrorKind::unavailable);
    EXPECT_EQ(loop.run(store->find(id(1))).error().kind, ErrorKind::unavailable);
    EXPECT_LT(Clock::now() - begun, 2s);
    store->stop();
    server->go_on();
}

TEST_F(Postgres, StoreAndLoopMayEndInEitherOrder) {
    auto store = open();
    {
        Loop first;
        EXPECT_TRUE(first.run(store->ping()).has_value());
        (void)first.begin(store->find(id(1)));
        first.context.poll_one();
    }
    {
        Loop second;
        EXPECT_TRUE(second.run(store->ping()).has_value());
        (void)second.begin(store->find(id(1)));
        second.context.poll_one();
        store.reset();
    }
}

TEST_F(Postgres, ManyLoopsAtOnce) {
    auto store = open();
    ASSERT_EQ(*loop.run(store->commit(creation(full_session(1)))), Committed::applied);
    net::Executors loops(4);
    loops.start();
    std::deque<std::future<core::Result<std::optional<Session>>>> answers;
    for (std::size_t i = 0; i < 400; ++i) {
        answers.push_back(
            boost::asio::co_spawn(loops.executor(i % loops.size()), store->find(id(1)), boost::asio::use_future));
    }
    for (auto& answer : answers) EXPECT_EQ(answer.get().value(), full_session(1));
    store.reset();
}

TEST_F(Postgres, OpeningWithoutAServerFailsAfterTheTimeGiven) {
    settings.start_timeout = 600ms;
    server->stop();
    const auto begun = Clock::now();
    const auto opened = PostgresStore::open(settings);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind, ErrorKind::unavailable);
    EXPECT_NE(opened.error().detail.find("cannot connect to PostgreSQL"), std::string::npos);
    EXPECT_EQ(opened.error().detail.find("p@ss"), std::string::npos);
    EXPECT_LT(Clock::now() - begun, 5s);
}

TEST_F(Postgres, OpeningWaitsForAServerThatIsOnItsWay) {
    server->stop();
    auto opening = std::async(std::launch::async, [this] { return PostgresStore::open(settings); });
    server->start();
    EXPECT_TRUE(opening.get().has_value());
}

TEST_F(Postgres, TwoProcessesMayMigrateAtOnce) {
    std::deque<std::future<bool>> openings;
    for (int i = 0; i < 4; ++i) {
        openings.push_back(
            std::async(std::launch::async, [this] { return PostgresStore::open(settings).has_value(); }));
    }
    for (auto& opening : openings) EXPECT_TRUE(opening.get());
    EXPECT_EQ(value("SELECT count(*) = max(version) FROM video_consultation_schema"), "t");
}

TEST_F(Postgres, ANewerSchemaIsRefused) {
    open().reset();
    value("INSERT INTO video_consultation_schema VALUES (999, 'from the future', now())");
    const auto opened = PostgresStore::open(settings);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind, ErrorKind::conflict);
    EXPECT_NE(opened.error().detail.find("schema version 999"), std::string::npos);
}

TEST_F(Postgres, AcknowledgedMeansOnDiskWhateverTheServersDefault) {
    value("DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = off'; END $$");
    auto store = open();
    ASSERT_TRUE(loop.run(store->ping()).has_value());
    value(
        "CREATE TABLE seen (setting text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;"
        "CREATE TRIGGER note AFTER INSERT ON video_consultation_sessions FOR EACH ROW EXECUTE FUNCTION note()");
    ASSERT_TRUE(loop.run(store->commit(creation(full_session(1)))).has_value());
    EXPECT_EQ(value("SELECT setting FROM seen"), "on");
}

TEST_F(Postgres, TextThatPostgresCannotKeepIsTheCallersFault) {
    auto store = open();
    auto session = plain_session(1);
    session.chief_complaint = "\xFF\xFE";
    const auto answer = loop.run(store->commit(creation(session)));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::unprocessable);
}

}  // namespace
}  // namespace store::contract
