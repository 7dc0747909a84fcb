// The parameters of one statement in libpq's text format; keeps copies of everything. An Out of tables.hpp.
#pragma once

#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consultation/session.hpp"

namespace store::postgres {

class Params {
  public:
    void null() { offsets_.push_back(kNull); }
    void text(std::string_view value) {
        offsets_.push_back(bytes_.size());
        bytes_.append(value).push_back('\0');
    }
    void number(std::int64_t value) {
        char digits[24];
        const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
        text({digits, end});
    }
    void real(double value) {
        char digits[32];
        const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
        text({digits, end});
    }
    void flag(bool value) { text(value ? "true" : "false"); }
    void time(consultation::Time value) {
        // PostgreSQL has no year 0.
        static constexpr consultation::Time kFirst{
            std::chrono::sys_days{std::chrono::year{1} / std::chrono::January / 1}};
        text(core::format_zoneless(value < kFirst ? kFirst : value));
    }
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

    int size() const { return static_cast<int>(offsets_.size()); }
    /// For PQsendQueryPrepared; valid until the next change.
    const char* const* pointers() const {
        pointers_.clear();
        for (const auto offset : offsets_) pointers_.push_back(offset == kNull ? nullptr : bytes_.data() + offset);
        return pointers_.data();
    }

  private:
    static constexpr std::size_t kNull = std::numeric_limits<std::size_t>::max();
    std::string bytes_;
    std::vector<std::size_t> offsets_;
    mutable std::vector<const char*> pointers_;
};

}  // namespace store::postgres
