// The database, and what it holds.
#include <array>

#include "api/metrics_text.hpp"
#include "consultation/session.hpp"

namespace api {
namespace {

using consultation::Status;

std::string name_of(Status status) {
    std::string name{consultation::to_text(status)};
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return name;
}

std::int64_t count_of(const service::Vitals::Census& census, Status status) {
    return census.sessions.at(static_cast<std::size_t>(status));
}

}  // namespace

void add_database(Families& out, bool up, const service::Vitals::Database& database) {
    out.gauge("database_up", "Whether the database answers.")({}, up ? 1 : 0);
    out.gauge("database_writes_refused", "Whether the last attempt to write found no database, or no room.")(
        {}, database.writes_refused ? 1 : 0);
    out.gauge("database_connections", "Connections to the database.")({}, database.connections);
    out.gauge("database_connections_busy", "Those that are at work.")({}, database.busy);
    out.gauge("database_waiting", "Questions that wait for a connection; for SQLite the writer's queue.");
    out({{"kind", "read"}}, database.waiting_reads);
    out({{"kind", "write"}}, database.waiting_writes);
    out.counter("database_failures_total", "Questions that the database did not answer, or could not.");
    out({{"kind", "read"}}, database.failed_reads);
    out({{"kind", "write"}}, database.failed_writes);
    out.histogram("database_call_duration_seconds",
                  "From the question to the answer, waits for a connection included.");
    out({{"kind", "read"}}, database.reads);
    out({{"kind", "write"}}, database.writes);
}

void add_census(Families& out, const service::Vitals::Census& census) {
    if (!census.known) return;
    out.gauge("sessions", "Sessions of the installation that are not over, by state.");
    for (const auto status : {Status::scheduled, Status::waiting, Status::active}) {
        out({{"state", name_of(status)}}, count_of(census, status));
    }
    out.gauge("sessions_closed_last_day", "Sessions of the installation that were closed in the last 24 hours.");
    for (const auto status : {Status::completed, Status::cancelled, Status::no_show}) {
        out({{"state", name_of(status)}}, count_of(census, status));
    }
    out.gauge("waiting_room_people", "People who wait to be let in.")({}, census.waiting);
    out.gauge("notifications_waiting", "Notifications of the Chime SDK's API that are not delivered yet.")(
        {}, census.notifications);
    out.gauge("audit_unchained_rows", "Rows of the audit trail that have no place in the chain yet.")({},
                                                                                                      census.unchained);
    out.gauge("audit_unchained_oldest_seconds", "Age of the oldest of them.")({}, census.oldest_unchained_seconds);
}

}  // namespace api
