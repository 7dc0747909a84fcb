// Prints what pgbench needs to run the service's own SQL: SQL that seeds 10,000 sessions of 100 doctors (`-- seed`),
// and one script each for get, list and create. Parameters become pgbench variables, or literals as the service sends
// them.
#include <cstdio>
#include <map>
#include <string>

#include "consultation/life_cycle.hpp"
#include "core/time.hpp"
#include "store/postgres/commit_params.hpp"
#include "store/postgres/statements.hpp"

namespace {

using Replacements = std::map<int, std::string>;

std::string literal(const char* value) {
    if (!value) return "NULL";
    std::string text = "'";
    for (const char* c = value; *c; ++c) {
        if (*c == '\'') text += '\'';
        text += *c;
        // pgbench would take `:null` for a variable.
        if (*c == ':') text += ' ';
    }
    return text + "'";
}

std::string filled(const std::string& sql, const Replacements& values) {
    std::string out;
    for (std::size_t i = 0; i < sql.size(); ++i) {
        if (sql[i] != '$') {
            out += sql[i];
            continue;
        }
        int number = 0;
        for (++i; i < sql.size() && sql[i] >= '0' && sql[i] <= '9'; ++i) number = number * 10 + (sql[i] - '0');
        --i;
        out += values.at(number);
    }
    return out;
}

}  // namespace

int main() {
    store::postgres::Statements statements;
    std::printf("-- get\n\\set id random(1, 10000)\n%s;\n", filled(statements.find.sql, {{1, ":id"}}).c_str());

    service::SessionQuery query;
    query.doctor_id = "1";
    std::printf("-- list\n\\set doctor random(0, 99)\n%s;\n",
                filled(statements.list(query).sql, {{1, ":doctor"}, {2, "20"}, {3, "0"}}).c_str());

    consultation::Booking booking;
    booking.doctor_id = "1";
    booking.patient_id = "1";
    booking.clinic_id = 4;
    booking.scheduled_start_time = core::SystemClock{}.now();
    booking.chief_complaint = "Follow-up consultation";
    const auto change = consultation::book(booking, {"1", "PATIENT"}, core::SystemClock{}.now(), "http://localhost");
    const auto params = store::postgres::commit_params(change, std::nullopt);
    const std::map<std::string, std::string> unique{
        {change.after.session_id, ":id"}, {change.audit[0].event_id, ":audit"}, {change.events[0].event_id, ":event"}};
    Replacements values;
    for (int i = 0; i < params.size(); ++i) {
        const char* value = params.pointers()[i];
        const auto variable = value ? unique.find(value) : unique.end();
        // Times must stay as they are; only the JSON of the payload and the link hold `:null` or `:"`.
        values[i + 1] = variable != unique.end() ? variable->second : literal(value);
        if (value && core::parse_utc(value)) values[i + 1] = "'" + std::string{value} + "'";
    }
    const auto create = filled(store::postgres::commit_text(store::postgres::commit_shape(change, false)), values);
    std::printf(
        "-- create\n\\set id random(1000000, 9000000000000000000)\n\\set audit random(1000000, 9000000000000000000)\n"
        "\\set event random(1000000, 9000000000000000000)\n%s;\n",
        create.c_str());

    std::printf(
        "-- seed\nINSERT INTO video_consultation_sessions (session_id, booking_type, doctor_id, patient_id, clinic_id, "
        "status, "
        "scheduled_start_time, scheduled_end_time, consultation_duration_minutes, chief_complaint, meeting_generation, "
        "created_at, "
        "updated_at, version) SELECT n::text, 'DIRECT_DOCTOR', (n %% 100)::text, (n %% 100)::text, 4, 'SCHEDULED', "
        "now() + n * interval '1 minute', now() + n * interval '1 minute' + interval '30 minutes', 30, 'Follow-up "
        "consultation', 1, "
        "now(), now(), 0 FROM generate_series(1, 10000) n;\n");
    return 0;
}
