// The conditions of a session list as SQL. Only the conditions that are set stand in the text, so each combination is a
// statement of its own, with a plan of its own.
#pragma once

#include <string>

#include "service/session_store.hpp"

namespace store {

/// One bit for each condition that is set, and one for the direction. Same value, same text.
unsigned list_shape(const service::SessionQuery& query);
inline constexpr unsigned kListShapes = 1U << 7U;

struct ListText {
    std::string where;  ///< ` WHERE doctor_id = $1 AND …`, or empty.
    std::string order;  ///< ` ORDER BY …`
    int next = 1;       ///< Number of the first parameter after the conditions.
};

/// `mark` stands before the number of a parameter (`$` or `?`); `collation` after the last sort key.
ListText list_text(unsigned shape, char mark, std::string_view collation);

/// The parameters of the conditions, in their order. Out as in tables.hpp.
template <class Out>
void write_conditions(Out& out, const service::SessionQuery& query) {
    if (query.doctor_id) out.text(*query.doctor_id);
    if (query.patient_id) out.text(*query.patient_id);
    if (query.status) out.text(consultation::to_text(*query.status));
    if (query.booking_type) out.text(consultation::to_text(*query.booking_type));
    if (query.start_from) out.time(*query.start_from);
    if (query.start_before) out.time(*query.start_before);
}

}  // namespace store
