// What the tests with a real broker share: an event loop, a store, and events to put into it.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/bytes.hpp"
#include "events/contract/broker_client.hpp"
#include "events/contract/broker_server.hpp"
#include "events/envelope.hpp"
#include "net/executors.hpp"
#include "net/task_group.hpp"
#include "service/task.hpp"
#include "store/contract/harness.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace events::contract {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Waits for it, long enough for a loaded machine.
template <class Condition>
bool eventually(Condition condition, std::chrono::seconds limit = 30s) {
    const auto end = steady_clock::now() + limit;
    while (!condition()) {
        if (steady_clock::now() > end) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

/// A thread that runs one event loop, and a group for coroutines on it.
class LoopThread {
  public:
    LoopThread() { loops_.start(); }

    boost::asio::any_io_executor executor() { return loops_.executor(0); }
    net::TaskGroup& tasks() { return *tasks_; }

    /// Runs it on the loop and waits for its end.
    template <class T>
    T run(service::Task<T> task) {
        return boost::asio::co_spawn(executor(), std::move(task), boost::asio::use_future).get();
    }
    template <class T>
    std::future<T> begin(service::Task<T> task) {
        return boost::asio::co_spawn(executor(), std::move(task), boost::asio::use_future);
    }
    void spawn(service::Task<void> task) {
        call([this, &task] { tasks_->spawn("test", std::move(task)); });
    }
    /// Runs it on the loop's thread and waits for its end.
    template <class Work>
    void call(Work work) {
        boost::asio::post(executor(), boost::asio::use_future(std::move(work))).get();
    }
    /// Waits until the group's coroutines have ended by themselves.
    bool finish() {
        return eventually([this] {
            bool empty = false;
            call([&] { empty = tasks_->size() == 0; });
            return empty;
        });
    }
    bool stop() { return tasks_->stop(10s); }

  private:
    net::Executors loops_{1, "test"};
    std::unique_ptr<net::TaskGroup> tasks_ = std::make_unique<net::TaskGroup>(loops_.executor(0));
};

/// Takes connections and never says anything.
class MuteServer {
  public:
    MuteServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(socket_, 8), 0);
        EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        settings.host = "127.0.0.1";
        settings.port = ntohs(address.sin_port);
    }
    ~MuteServer() {
        for (const int one : {accepted_, socket_}) ::close(one);
    }
    MuteServer(const MuteServer&) = delete;
    MuteServer& operator=(const MuteServer&) = delete;

    /// Waits for the next connection; one is kept.
    void accept() {
        if (accepted_ >= 0) ::close(accepted_);
        accepted_ = ::accept(socket_, nullptr, nullptr);
    }

    BrokerSettings settings;

  private:
    int socket_;
    int accepted_ = -1;
};

/// A clock that the test sets.
class TestClock final : public core::Clock {
  public:
    core::Time now() const override {
        const std::scoped_lock lock(mutex_);
        return now_;
    }
    void advance(std::chrono::microseconds by) {
        const std::scoped_lock lock(mutex_);
        now_ += by;
    }

  private:
    mutable std::mutex mutex_;
    core::Time now_ = core::SystemClock().now();
};

/// A store in a folder of its own.
class StoreFixture {
  public:
    StoreFixture() : store_(store::sqlite::SqliteStore::open({.path = folder_.file("data.sqlite")}).value()) {}
    ~StoreFixture() { store_->stop(); }
    StoreFixture(const StoreFixture&) = delete;
    StoreFixture& operator=(const StoreFixture&) = delete;

    store::sqlite::SqliteStore& operator*() { return *store_; }
    store::sqlite::SqliteStore* operator->() { return store_.get(); }

  private:
    store::contract::TemporaryFolder folder_;
    std::unique_ptr<store::sqlite::SqliteStore> store_;
};

/// The `number`th event of a session.
inline consultation::Event event(const std::string& session, int number, core::Time at,
                                 const std::string& key = "video.user.joined") {
    consultation::Event event;
    event.event_id = core::uuid4();
    event.session_id = session;
    event.routing_key = key;
    event.event_type = key;
    event.occurred_at = at;
    event.data = {{"session_id", session}, {"number", std::int64_t{number}}};
    return event;
}

/// The same as it goes to the broker.
inline Outgoing outgoing(const std::string& exchange, const std::string& session, int number,
                         const std::string& key = "video.user.joined") {
    service::OutboxMessage message;
    message.sequence = number;
    message.event_id = session + "-" + std::to_string(number);
    message.session_id = session;
    message.routing_key = key;
    message.event_type = key;
    message.payload = R"({"number":)" + std::to_string(number) + "}";
    return envelope(message, exchange);
}

/// A test that has a broker, and a queue of its own there which hears what goes to the platform's exchanges.
class BrokerTest : public testing::Test {
  protected:
    void SetUp() override {
        server.start();
        client = std::make_unique<BrokerClient>(server.settings());
        for (const auto* exchange : {"appointments-exchange", "user-events-exchange"}) client->declare_topic(exchange);
        client->declare_queue(observer);
        client->bind(observer, "appointments-exchange", "video.#");
        for (const auto queue : {kRequestsQueue, kParkedQueue}) {
            client->declare_queue(std::string(queue));
            client->purge(std::string(queue));
        }
        for (const auto key : kRequestKeys) {
            client->bind(std::string(kRequestsQueue), "appointments-exchange", std::string(key));
        }
    }
    void TearDown() override {
        server.go_on();
        server.start();
        BrokerClient(server.settings()).remove_queue(observer);
    }

    /// After the broker was away.
    void reconnect() { client = std::make_unique<BrokerClient>(server.settings()); }

    BrokerServer& server = BrokerServer::shared();
    std::unique_ptr<BrokerClient> client;
    const std::string observer = "observer-" + core::uuid4();
};

}  // namespace events::contract
