#include "store/postgres/errors.hpp"

#include <string>

namespace store::postgres {
namespace {

std::string_view field(const PGresult* answer, int code) {
    const char* text = PQresultErrorField(answer, code);
    return text == nullptr ? std::string_view{} : std::string_view{text};
}

/// Classes and single codes that say: not the statement's fault, try later.
bool is_trouble(std::string_view state) {
    return state.empty() || state.starts_with("08") || state.starts_with("53") || state.starts_with("57") ||
           state.starts_with("58") || state == "25006" || state == "55P03" || lost_race(state);
}

}  // namespace

std::string_view sqlstate_of(const PGresult* answer) {
    return field(answer, PG_DIAG_SQLSTATE);
}
std::string_view constraint_of(const PGresult* answer) {
    return field(answer, PG_DIAG_CONSTRAINT_NAME);
}

bool lost_race(std::string_view sqlstate) {
    return sqlstate == "40001" || sqlstate == "40P01";
}

bool needs_reconnect(std::string_view sqlstate) {
    return sqlstate == "0A000" || sqlstate == "26000" || sqlstate == "25006" || sqlstate.starts_with("08") ||
           sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03";
}

core::Error error_of(const PGresult* answer) {
    const auto state = sqlstate_of(answer);
    std::string text = "PostgreSQL answers " + (state.empty() ? std::string("nothing") : std::string(state));
    for (const auto& [name, code] : {std::pair{"table", PG_DIAG_TABLE_NAME}, std::pair{"column", PG_DIAG_COLUMN_NAME},
                                     std::pair{"constraint", PG_DIAG_CONSTRAINT_NAME}}) {
        if (const auto value = field(answer, code); !value.empty()) {
            text.append(", ").append(name).append(" ").append(value);
        }
    }
    if (state == "57014") text += " (statement took too long)";
    if (is_trouble(state)) return {core::ErrorKind::unavailable, text, std::chrono::seconds(1)};
    if (state == "22021" || state == "22P05") return {core::ErrorKind::unprocessable, text};
    return {core::ErrorKind::internal, text};
}

}  // namespace store::postgres
