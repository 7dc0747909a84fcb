// One connection to the file with its prepared statements. Owned and used by one thread.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "consultation/session.hpp"
#include "core/result.hpp"

namespace store::sqlite {

/// What SQLite said no to. Thrown inside this room only; the threads turn it into an Error.
struct Failure {
    int code = SQLITE_ERROR;  ///< Extended result code.
};

/// A failure as callers see it: trouble of the disk or a lock is `unavailable`, the rest `internal`.
core::Error error_of(const Failure& failure);

/// The present row of a query, read as tables.hpp wants it.
class Row {
  public:
    explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
    bool null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
    std::string_view text(int column) const;
    std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
    double real(int column) const { return sqlite3_column_double(statement_, column); }
    consultation::Time time(int column) const { return consultation::Time{std::chrono::microseconds(number(column))}; }

  private:
    sqlite3_stmt* statement_;
};

/// A prepared statement in use: takes the parameters in their order (an Out of tables.hpp), then gives the rows. Reset
/// when it goes; its texts must live until then.
class Query {
  public:
    explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
    Query(Query&& other) noexcept
        : statement_(std::exchange(other.statement_, nullptr)), parameter_(other.parameter_) {}
    Query& operator=(Query&&) = delete;
    ~Query();

    void null();
    void text(std::string_view value);
    void number(std::int64_t value);
    void real(double value);
    void time(consultation::Time value) { number(value.time_since_epoch().count()); }
    template <class T>
    void optional(const std::optional<T>& value) {
        if (!value) {
            null();
        } else if constexpr (std::is_same_v<T, std::string>) {
            text(*value);
        } else if constexpr (std::is_same_v<T, consultation::Time>) {
            time(*value);
        } else {
            number(*value);
        }
    }

    /// The next row; false after the last.
    bool step();
    void run() {
        while (step()) {
        }
    }

    /// The present row, valid until the next step.
    Row row() const { return Row(statement_); }

  private:
    sqlite3_stmt* statement_;
    int parameter_ = 0;
};

class Connection {
  public:
    /// Throws Failure.
    Connection(const std::string& path, std::chrono::milliseconds busy_timeout);

    /// Prepared once and kept. A Query of the same text must have gone before.
    Query query(std::string_view sql);
    /// Statements without parameters and rows, separated by `;`.
    void run(const char* sql);
    /// False inside a transaction. SQLite may end one by itself when something serious fails.
    bool idle() const { return sqlite3_get_autocommit(database_.get()) != 0; }
    int changes() const { return sqlite3_changes(database_.get()); }

  private:
    struct Close {
        void operator()(sqlite3* database) const { sqlite3_close(database); }
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

    std::unique_ptr<sqlite3, Close> database_;
    std::unordered_map<std::string, Statement, Hash, std::equal_to<>> statements_;
};

/// A read transaction: all queries see the same state.
class Snapshot {
  public:
    explicit Snapshot(Connection& connection);
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

  private:
    Connection& connection_;
};

}  // namespace store::sqlite
