// What is wrong with a request, in the shape of contract "validation errors" (the one FastAPI and pydantic made known):
// all faults at once, in field order. Collected while reading, then sent as the body of a 422.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace api {

/// Where a value stands in the request; `field` is empty for the body as a whole.
struct Place {
    std::string_view part;  ///< `body`, `query`, `path` or `header`.
    std::string_view field;
};

class Faults {
  public:
    bool any() const { return !list_.empty(); }
    /// `{"detail":[…]}`.
    std::string body() const { return "{\"detail\":[" + list_ + "]}"; }

    /// `input` and `context` are JSON texts; an empty context is left out.
    void add(Place place, std::string_view type, std::string_view message, std::string_view input,
             std::string_view context = {});

    void missing(Place place, std::string_view input);
    void too_short(Place place, std::size_t least, std::string_view input);
    void too_long(Place place, std::size_t most, std::string_view input);
    void too_small(Place place, std::int64_t least, std::string_view input);
    void too_large(Place place, std::int64_t most, std::string_view input);
    /// `choices` as a person reads them: `'A', 'B' or 'C'`.
    void not_a_choice(Place place, std::string_view choices, std::string_view input);
    /// A rule of ours; the message gets the prefix `Value error, `.
    void rule(Place place, std::string_view message, std::string_view input);
    void pattern(Place place, std::string_view pattern, std::string_view input);
    /// The text that should be a time, and why it is none.
    void not_a_time(Place place, std::string_view why, std::string_view input);
    void bad_json(std::size_t offset, std::string_view why);

  private:
    std::string list_;
};

}  // namespace api
