// PostgreSQL's binary form of values, read: rows of a result, and an array of records within one column. Pure; every
// length is checked. Formats: the `_send` functions of the server (int8send, float8send, timestamp_send, array_send,
// record_send).
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace store::postgres {

/// A big-endian whole number of 2, 4 or 8 bytes, or a boolean of 1; any other length throws std::runtime_error.
std::int64_t number_of(std::string_view bytes);

/// A `double precision`; any length but 8 throws std::runtime_error.
double real_of(std::string_view bytes);

/// Microseconds since 2000-01-01; infinite values become the nearest that Time can hold.
core::Time time_of(std::string_view bytes);

/// One row of a result with binary columns, as tables.hpp wants it.
class ResultRow {
  public:
    ResultRow(const PGresult* result, int row, int first = 0) : result_(result), row_(row), first_(first) {}
    bool null(int column) const { return PQgetisnull(result_, row_, first_ + column) != 0; }
    std::string_view text(int column) const {
        const int at = first_ + column;
        return {PQgetvalue(result_, row_, at), static_cast<std::size_t>(PQgetlength(result_, row_, at))};
    }
    std::int64_t number(int column) const { return number_of(text(column)); }
    double real(int column) const { return real_of(text(column)); }
    core::Time time(int column) const { return time_of(text(column)); }

  private:
    const PGresult* result_;
    int row_;
    int first_;
};

/// One record of an array of records; the same reading. Views into the bytes it was parsed from.
class Record {
  public:
    bool null(int column) const { return !fields_.at(static_cast<std::size_t>(column)).has_value(); }
    std::string_view text(int column) const { return fields_.at(static_cast<std::size_t>(column)).value(); }
    std::int64_t number(int column) const { return number_of(text(column)); }
    core::Time time(int column) const { return time_of(text(column)); }
    std::size_t size() const { return fields_.size(); }

  private:
    friend std::optional<std::vector<Record>> records_of(std::string_view bytes);
    std::vector<std::optional<std::string_view>> fields_;
};

/// The records of a one-dimensional array; nullopt when the bytes are not one.
std::optional<std::vector<Record>> records_of(std::string_view bytes);

}  // namespace store::postgres
