#include "store/postgres/values.hpp"

#include <bit>
#include <chrono>
#include <limits>
#include <stdexcept>

namespace store::postgres {
namespace {

/// 2000-01-01 in microseconds since 1970.
constexpr std::int64_t kEpoch = 946'684'800'000'000;

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
    return value;
}

/// Takes fields off the front; says when there is not enough.
struct Reader {
    std::string_view rest;

    std::optional<std::string_view> bytes(std::size_t count) {
        if (rest.size() < count) return {};
        const auto taken = rest.substr(0, count);
        rest.remove_prefix(count);
        return taken;
    }
    std::optional<std::int32_t> int32() {
        const auto taken = bytes(4);
        if (!taken) return {};
        return static_cast<std::int32_t>(big_endian(*taken));
    }
};

}  // namespace

std::int64_t number_of(std::string_view bytes) {
    const auto value = big_endian(bytes);
    switch (bytes.size()) {
        case 1:
            return static_cast<std::int64_t>(value);
        case 2:
            return static_cast<std::int16_t>(value);
        case 4:
            return static_cast<std::int32_t>(value);
        case 8:
            return static_cast<std::int64_t>(value);
        default:
            throw std::runtime_error("a number of an unknown size in the database");
    }
}

double real_of(std::string_view bytes) {
    if (bytes.size() != sizeof(double)) throw std::runtime_error("a number of an unknown size in the database");
    return std::bit_cast<double>(big_endian(bytes));
}

core::Time time_of(std::string_view bytes) {
    const auto since_2000 = number_of(bytes);
    constexpr auto kLargest = std::numeric_limits<std::int64_t>::max();
    const auto micros = since_2000 > kLargest - kEpoch ? kLargest : since_2000 + kEpoch;
    return core::Time{std::chrono::microseconds(micros)};
}

std::optional<std::vector<Record>> records_of(std::string_view bytes) {
    Reader in{bytes};
    const auto dimensions = in.int32();
    if (!dimensions || !in.int32() || !in.int32()) return {};
    if (*dimensions == 0) return std::vector<Record>{};
    const auto count = in.int32();
    if (*dimensions != 1 || !count || *count < 0 || !in.int32()) return {};
    std::vector<Record> records;
    for (std::int32_t i = 0; i < *count; ++i) {
        const auto length = in.int32();
        if (!length || *length < 0) return {};
        const auto body = in.bytes(static_cast<std::size_t>(*length));
        if (!body) return {};
        Reader record{*body};
        const auto fields = record.int32();
        if (!fields || *fields < 0) return {};
        auto& made = records.emplace_back();
        for (std::int32_t field = 0; field < *fields; ++field) {
            if (!record.int32()) return {};
            const auto size = record.int32();
            if (!size || *size < -1) return {};
            if (*size == -1) {
                made.fields_.emplace_back();
                continue;
            }
            const auto value = record.bytes(static_cast<std::size_t>(*size));
            if (!value) return {};
            made.fields_.emplace_back(*value);
        }
        if (!record.rest.empty()) return {};
    }
    if (!in.rest.empty()) return {};
    return records;
}

}  // namespace store::postgres
