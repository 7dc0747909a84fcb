// What only a file on this machine's disk can do: be read by others, fill up, be cut off in the middle of a write.
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <set>

#include "store/contract/harness.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace store::contract {
namespace {

using core::ErrorKind;
using sqlite::SqliteStore;

class Sqlite : public testing::Test {
  protected:
    std::unique_ptr<SqliteStore> open() {
        auto opened = SqliteStore::open(settings);
        if (!opened) throw std::runtime_error(opened.error().detail);
        return std::move(*opened);
    }

    /// Runs statements as another process would.
    struct Other {
        explicit Other(const std::string& path) { sqlite3_open(path.c_str(), &database); }
        ~Other() { sqlite3_close(database); }
        Other(const Other&) = delete;
        Other& operator=(const Other&) = delete;
        void run(const char* sql) { ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK); }
        sqlite3* database = nullptr;
    };

    TemporaryFolder folder;
    sqlite::SqliteSettings settings{.path = folder.file("data/sessions.db")};
    Loop loop;
};

TEST_F(Sqlite, OnlyTheOwnerMayRead) {
    auto store = open();
    ASSERT_TRUE(loop.run(store->commit(creation(full_session(1)))).has_value());
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.file("data"))) {
        struct stat found{};
        ASSERT_EQ(::stat(entry.path().c_str(), &found), 0);
        EXPECT_EQ(found.st_mode & 0777U, 0600U) << entry.path();
        ++files;
    }
    EXPECT_GE(files, 2);
    struct stat parent{};
    ASSERT_EQ(::stat(folder.file("data").c_str(), &parent), 0);
    EXPECT_EQ(parent.st_mode & 0777U, 0700U);
}

TEST_F(Sqlite, ANewerSchemaIsRefused) {
    open().reset();
    Other(settings.path).run("INSERT INTO video_consultation_schema VALUES (999, 'from the future', '')");
    const auto opened = SqliteStore::open(settings);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind, ErrorKind::conflict);
    EXPECT_NE(opened.error().detail.find("schema version 999"), std::string::npos);
}

TEST_F(Sqlite, AnUnusablePlaceIsSaidWithItsName) {
    settings.path = "/proc/nowhere/sessions.db";
    const auto opened = SqliteStore::open(settings);
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().detail.find("/proc/nowhere/sessions.db"), std::string::npos);
}

TEST_F(Sqlite, AFileThatIsNoDatabaseIsRefused) {
    const int file = ::open(folder.file("other").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::string text(8192, 'x');
    ASSERT_EQ(::write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(file);
    settings.path = folder.file("other");
    EXPECT_FALSE(SqliteStore::open(settings).has_value());
}

TEST_F(Sqlite, WaitingChangesAreCommittedTogether) {
    auto store = open();
    const auto before = store->write_transactions();
    Other other(settings.path);
    other.run("BEGIN IMMEDIATE");
    std::deque<std::shared_ptr<std::optional<core::Result<Committed>>>> answers;
    for (int number = 0; number < 100; ++number) {
        answers.push_back(loop.begin(store->commit(creation(plain_session(number)))));
    }
    while (loop.context.poll() > 0) {
    }
    other.run("COMMIT");
    for (const auto& answer : answers) {
        loop.turn_until([&] { return answer->has_value(); });
        EXPECT_EQ(***answer, Committed::applied);
    }
    // The writer took some at first and waited for the lock; all others went with the next transaction.
    EXPECT_LE(store->write_transactions() - before, 2U);
}

TEST_F(Sqlite, ReadsGoOnDuringAWrite) {
    auto store = open();
    ASSERT_TRUE(loop.run(store->commit(creation(plain_session(1)))).has_value());
    Other other(settings.path);
    other.run("BEGIN IMMEDIATE; DELETE FROM video_consultation_sessions");
    EXPECT_EQ(loop.run(store->find(id(1))).value(), plain_session(1));
    other.run("ROLLBACK");
}

TEST_F(Sqlite, AForeignLockThatStaysIsUnavailable) {
    settings.busy_timeout = 50ms;
    auto store = open();
    Other other(settings.path);
    other.run("BEGIN IMMEDIATE");
    const auto answer = loop.run(store->commit(creation(plain_session(1))));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
    EXPECT_GT(answer.error().retry_after, 0s);
    other.run("COMMIT");
    EXPECT_EQ(*loop.run(store->commit(creation(plain_session(1)))), Committed::applied);
}

TEST_F(Sqlite, AFullDiskIsUnavailableAndLosesNothing) {
    auto store = open();
    ASSERT_EQ(*loop.run(store->commit(creation(full_session(1)))), Committed::applied);
    // A limit on the size of files is as good as a full disk; SIGXFSZ would end the program.
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto wal = std::filesystem::file_size(settings.path + "-wal");
    rlimit tight = before;
    tight.rlim_cur = wal + 20000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    std::set<int> kept{1};
    int refused = 0;
    for (int number = 2; number < 20; ++number) {
        const auto answer = loop.run(store->commit(creation(full_session(number))));
        if (answer) {
            kept.insert(number);
        } else {
            EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
            ++refused;
        }
    }
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_GT(refused, 0);
    for (int number = 1; number < 20; ++number) {
        EXPECT_EQ(loop.run(store->find(id(number)))->has_value(), kept.contains(number)) << number;
    }
    EXPECT_EQ(*loop.run(store->commit(creation(full_session(50)))), Committed::applied);
}

TEST_F(Sqlite, AFullQueueIsSaidAtOnce) {
    settings.queue_limit = 2;
    auto store = open();
    Other other(settings.path);
    other.run("BEGIN IMMEDIATE");
    std::deque<std::shared_ptr<std::optional<core::Result<Committed>>>> answers;
    for (int number = 0; number < 300; ++number) {
        answers.push_back(loop.begin(store->commit(creation(plain_session(number)))));
    }
    while (loop.context.poll() > 0) {
    }
    int refused = 0;
    for (const auto& answer : answers) {
        if (!answer->has_value()) continue;
        EXPECT_EQ((*answer)->error().kind, ErrorKind::unavailable);
        ++refused;
    }
    EXPECT_GT(refused, 0);
    other.run("COMMIT");
    for (const auto& answer : answers) loop.turn_until([&] { return answer->has_value(); });
}

TEST_F(Sqlite, StoppingFinishesWhatWaits) {
    auto store = open();
    std::deque<std::shared_ptr<std::optional<core::Result<Committed>>>> answers;
    for (int number = 0; number < 50; ++number) {
        answers.push_back(loop.begin(store->commit(creation(plain_session(number)))));
    }
    while (loop.context.poll() > 0) {
    }
    store->stop();
    store->stop();
    for (const auto& answer : answers) {
        loop.turn_until([&] { return answer->has_value(); });
        EXPECT_EQ(***answer, Committed::applied);
    }
    EXPECT_EQ(loop.run(store->ping()).error().kind, ErrorKind::unavailable);
}

TEST_F(Sqlite, ALoopMayEndBeforeItsAnswersCome) {
    auto store = open();
    Other other(settings.path);
    other.run("BEGIN IMMEDIATE");
    {
        boost::asio::io_context gone(1);
        boost::asio::co_spawn(gone, store->commit(creation(plain_session(1))), boost::asio::detached);
        gone.poll();
    }
    other.run("COMMIT");
    store->stop();
}

/// Commits one session after another and reports each acknowledged one, until it is killed.
[[noreturn]] void write_until_killed(const sqlite::SqliteSettings& settings, int first, int report) {
    auto store = SqliteStore::open(settings);
    if (!store) ::_exit(1);
    Loop loop;
    for (int number = first;; number += 8) {
        std::deque<std::shared_ptr<std::optional<core::Result<Committed>>>> answers;
        for (int i = 0; i < 8; ++i) answers.push_back(loop.begin((*store)->commit(creation(full_session(number + i)))));
        for (int i = 0; i < 8; ++i) {
            const auto& answer = answers[static_cast<std::size_t>(i)];
            loop.turn_until([&] { return answer->has_value(); });
            const int done = number + i;
            if (!(*answer)->has_value() || ::write(report, &done, sizeof done) != sizeof done) ::_exit(1);
        }
    }
}

TEST_F(Sqlite, NothingAcknowledgedIsLostByKill) {
    open().reset();
    std::set<int> acknowledged;
    for (int round = 0; round < 6; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(ends[0]);
            write_until_killed(settings, round * 10000, ends[1]);
        }
        ::close(ends[1]);
        // Killed after a different number of reports each time, in the midst of later writes.
        for (int reports = 0, number = 0; ::read(ends[0], &number, sizeof number) == sizeof number; ++reports) {
            acknowledged.insert(number);
            if (reports == 5 + round * 13) ::kill(child, SIGKILL);
        }
        ::close(ends[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    }
    auto store = open();
    EXPECT_GE(acknowledged.size(), 6U * 6U);
    for (const int number : acknowledged) {
        EXPECT_EQ(loop.run(store->find(id(number))).value(), full_session(number)) << number;
    }
}

}  // namespace
}  // namespace store::contract
