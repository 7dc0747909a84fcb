// The SQL of the meter. Made once for the program; any thread.
#pragma once

#include "store/postgres/statements.hpp"

namespace store::postgres {

struct MeterStatements {
    Statement usage, usage_sessions, billed_tenths, note_threshold, record_quality, record_chime_event, meter_rows;
};
const MeterStatements& meter_statements();

}  // namespace store::postgres
