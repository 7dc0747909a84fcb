// Reads a JSON request body field by field and notes every fault (see faults.hpp). The body is foreign: its size is
// bounded by the server, depth and texts here. Lives for one request.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/faults.hpp"
#include "core/time.hpp"
#include "core/time_zone.hpp"

namespace api {

enum class Presence {
    required,
    nullable,  ///< May be left out or null.
};

struct TextRule {
    Presence presence = Presence::nullable;
    std::size_t least = 0;
    std::size_t most = 0;  ///< Characters; 0 = no limit.
    bool cut = false;      ///< Too long texts are shortened instead of refused.
};

struct WholeNumberRule {
    bool nullable = true;  ///< Null is taken as left out.
    std::int64_t least = 0;
    std::int64_t most = 0;
};

struct NumberRule {
    std::int64_t least = 0;
    std::int64_t most = 0;
};

class Body {
  public:
    /// Parses; on failure `readable()` is false and the faults say why. `content_type` decides as in contract
    /// "everywhere": none or */json is JSON, all else is no object.
    Body(std::string_view text, std::string_view content_type, Faults& faults);
    Body(const Body&) = delete;
    Body& operator=(const Body&) = delete;

    bool readable() const { return object_ != nullptr; }

    /// Each returns the value when it is there and right; a fault is noted when the field breaks its rule.
    std::optional<std::string> text(std::string_view field, TextRule rule);
    std::optional<std::int64_t> whole_number(std::string_view field, WholeNumberRule rule);
    std::optional<double> number(std::string_view field, NumberRule rule);
    std::optional<bool> boolean(std::string_view field);
    /// A text that is one of these, to the letter.
    std::optional<std::string> one_of(std::string_view field, std::span<const std::string_view> choices);
    /// A required time; `GivenTime` rules of values.hpp.
    std::optional<core::Time> time(std::string_view field, const core::ZoneResolver& zone);
    /// A required text that `from` knows; `choices` as a person reads them.
    template <class T>
    std::optional<T> choice(std::string_view field, std::optional<T> (*from)(std::string_view),
                            std::string_view choices) {
        const auto* value = required(field);
        if (!value) return {};
        if (const auto* name = value->if_string()) {
            if (const auto known = from({name->data(), name->size()})) return known;
        }
        faults_.not_a_choice({"body", field}, choices, input(*value));
        return {};
    }
    /// Whether the field was sent at all, if only as null.
    bool says(std::string_view field) const;
    /// The whole body as it came.
    std::string input() const;
    /// The field as it came, for faults that concern several fields; `null` when left out.
    std::string input_of(std::string_view field) const;

  private:
    const boost::json::value* find(std::string_view field) const;
    const boost::json::value* required(std::string_view field);
    static std::string input(const boost::json::value& value);

    Faults& faults_;
    unsigned char buffer_[2048];
    boost::json::monotonic_resource memory_{buffer_, sizeof buffer_};
    boost::json::value root_ = boost::json::value(boost::json::storage_ptr(&memory_));
    const boost::json::object* object_ = nullptr;
};

}  // namespace api
