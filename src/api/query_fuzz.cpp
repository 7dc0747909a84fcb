// Any bytes as path and query: routing, list filters, usage months and header values.
#include <array>
#include <boost/json/parse.hpp>
#include <cstdlib>

#include "api/requests.hpp"
#include "api/router.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr std::array<api::Pattern, 3> kTable{
        {{"GET", "/sessions"}, {"GET", "/sessions/{}"}, {"POST", "/sessions/{}/join"}}};
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    api::route(kTable, "GET", text);

    const api::QueryString query{text};
    api::Faults faults;
    if (const auto list = api::read_list(query, core::utc_zone(), faults)) {
        if (list->page < 1 || list->query.offset < 0 || list->query.limit < 1 || list->query.limit > 100) std::abort();
    }
    if (const auto month = api::read_usage_month(query, core::Time{}, faults)) {
        if (month->from >= month->to) std::abort();
    }
    api::read_idempotency_key(text, faults);
    if (faults.any()) boost::json::parse(faults.body());
    return 0;
}
