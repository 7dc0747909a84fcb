// What the store tests share: a store of each engine on fresh ground, an event loop to call it from, and sample data.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "service/audit_mac.hpp"
#include "service/store.hpp"

namespace store::contract {

using namespace std::chrono_literals;
using consultation::Attendee;
using consultation::Change;
using consultation::Session;
using consultation::Status;
using consultation::Time;
using service::Committed;

/// An empty folder that goes with its owner.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::string file(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

/// Those that rows of the audit trail are written under.
std::shared_ptr<const service::AuditKeys> audit_keys();

/// A fresh database of one engine, and a back door to it. Two stores opened on it are as two processes.
class Backend {
  public:
    virtual ~Backend() = default;
    virtual std::unique_ptr<service::Store> open() = 0;
    /// The first column of the first row as text.
    virtual std::string value(const std::string& sql) = 0;
};
std::unique_ptr<Backend> make_backend(const std::string& engine);

/// Runs coroutines to their end on one event loop, on the calling thread.
class Loop {
  public:
    ~Loop();

    template <class T>
    T run(service::Task<T> task) {
        std::optional<T> result;
        std::exception_ptr thrown;
        bool done = false;
        boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error, T value) {
            thrown = error;
            result.emplace(std::move(value));
            done = true;
        });
        turn_until([&] { return done; });
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*result);
    }

    /// Begins a call; the answer appears later.
    template <class T>
    std::shared_ptr<std::optional<T>> begin(service::Task<T> task) {
        auto result = std::make_shared<std::optional<T>>();
        boost::asio::co_spawn(context, std::move(task), [result](std::exception_ptr error, T value) {
            if (!error) result->emplace(std::move(value));
        });
        return result;
    }

    template <class Done>
    void turn_until(Done done) {
        while (!done()) {
            context.restart();
            context.run_one();
        }
    }

    boost::asio::io_context context{1};
};

/// 2026-01-25 14:00 UTC and so many microseconds.
Time at(std::chrono::microseconds offset = {});

/// A UUID that says which one it is.
std::string id(int number);

/// A scheduled session with only the fields that every session has.
Session plain_session(int number);
/// Every field set, texts in many scripts, two attendees.
Session full_session(int number);
Attendee attendee(int number, consultation::Role role, const std::string& user);
/// With the record of its meeting, if it has one.
Change creation(Session session);
consultation::Event event(int number, const std::string& session_id, Time occurred_at = at());
/// A change of what was read, one version on.
Change update(Session session);

/// The same tests run on both engines.
class StoreTest : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override;
    void TearDown() override;

    Session created(Session session);
    Committed commit(Change change, std::optional<service::IdempotencyRecord> idempotency = {});
    std::optional<Session> find(const std::string& session_id);
    /// What a call answers that must not fail.
    template <class T>
    T done(service::Task<core::Result<T>> task) {
        auto result = loop.run(std::move(task));
        if (!result) throw std::runtime_error(result.error().detail);
        if constexpr (!std::is_void_v<T>) return std::move(*result);
    }
    /// The same of calls that were begun together.
    template <class T>
    T awaited(const std::shared_ptr<std::optional<core::Result<T>>>& begun) {
        loop.turn_until([&] { return begun->has_value(); });
        if (!**begun) throw std::runtime_error((*begun)->error().detail);
        return std::move(***begun);
    }

    std::unique_ptr<Backend> backend;
    std::unique_ptr<service::Store> store;
    Loop loop;
};

#define STORE_TEST_SUITE(Suite)                                                    \
    INSTANTIATE_TEST_SUITE_P(Engine, Suite, testing::Values("sqlite", "postgres"), \
                             [](const auto& info) { return info.param; })
/// And with their texts sealed, for suites that ask for nothing but a Store.
#define SEALED_STORE_TEST_SUITE(Suite)                                                           \
    INSTANTIATE_TEST_SUITE_P(Sealed, Suite, testing::Values("sqlite_sealed", "postgres_sealed"), \
                             [](const auto& info) { return info.param; })

}  // namespace store::contract
