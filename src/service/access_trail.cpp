#include "service/access_trail.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/log.hpp"

namespace service {
namespace {

using consultation::AuditEntry;
using consultation::Session;
using core::Error;
using core::ErrorKind;
using core::Result;

constexpr std::string_view kSayWhy =
    "Administrators see clinical data only with a reason: send header X-Break-Glass-Reason (10 to 500 characters)";

std::optional<std::string> said(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional{text};
}

/// Nobody sees anything that is not written down. The store's own words are for the log.
Error not_written(Error error) {
    if (error.kind != ErrorKind::unavailable) {
        error = {ErrorKind::unavailable, "the audit trail cannot be written: " + error.detail, std::chrono::seconds{1}};
    }
    return error;
}

void take_texts(Session& session) {
    session.chief_complaint.reset();
    session.session_notes.reset();
    session.cancellation_reason.reset();
}

}  // namespace

void trace(consultation::Change& change, const core::trace::Context& context) {
    if (!context.valid()) return;
    change.trace = context;
    const auto line = core::trace::to_line(context);
    for (auto& event : change.events) event.trace = line;
}

void sign(consultation::Change& change, const Caller& by, Time now) {
    trace(change, by.trace);
    if (by.user_id.empty()) return;
    bool named = false;
    for (auto& row : change.audit) {
        row.request_id = said(by.request_id);
        if (row.user_id != by.user_id) continue;
        row.role = said(by.role);
        row.address = said(by.address);
        named = true;
    }
    if (named) return;
    AuditEntry row;
    row.event_id = core::uuid4();
    row.session_id = change.after.session_id;
    row.event_type = "SESSION_CHANGED";
    row.user_id = by.user_id;
    row.event_timestamp = now;
    row.role = said(by.role);
    row.address = said(by.address);
    row.request_id = said(by.request_id);
    row.kind = AuditEntry::Kind::access;
    change.audit.push_back(std::move(row));
}

bool AccessTrail::breaks_glass(const Caller& caller) const {
    return admins_ == AdminAccess::break_glass && caller.is_admin();
}

bool AccessTrail::must_say_why(const Caller& caller, const Session& session) const {
    return breaks_glass(caller) && !consultation::part_of(session, caller) && !caller.break_glass_reason;
}

AuditEntry AccessTrail::entry(const Caller& caller, std::string session_id, std::string what,
                              std::string description) const {
    AuditEntry row;
    row.event_id = core::uuid4();
    row.session_id = std::move(session_id);
    row.event_type = std::move(what);
    row.event_description = said(description);
    row.user_id = said(caller.user_id);
    row.event_timestamp = clock_.now();
    row.role = said(caller.role);
    row.address = said(caller.address);
    row.request_id = said(caller.request_id);
    row.kind = AuditEntry::Kind::access;
    return row;
}

Task<Result<void>> AccessTrail::note(const Caller& caller, std::string session_id, std::string what,
                                     std::string description) {
    std::vector<AuditEntry> rows;
    rows.push_back(entry(caller, std::move(session_id), std::move(what), std::move(description)));
    auto written = co_await log_.record(std::move(rows), {});
    if (!written) co_return std::unexpected(not_written(std::move(written.error())));
    co_return written;
}

Task<Result<void>> AccessTrail::break_glass(const Caller& caller, std::string session_id, std::size_t sessions,
                                            std::string description) {
    std::vector<AuditEntry> rows;
    rows.push_back(entry(caller, session_id, "BREAK_GLASS", std::move(description)));
    // Ids only: the reason may say more than the platform has to know.
    consultation::Event event;
    event.event_id = core::uuid4();
    event.session_id = session_id.empty() ? "break-glass" : session_id;
    event.routing_key = "video.access.break_glass";
    event.event_type = event.routing_key;
    event.occurred_at = rows.front().event_timestamp;
    event.trace = core::trace::to_line(caller.trace);
    using Value = consultation::Event::Value;
    event.data = {{"session_id", session_id.empty() ? Value{nullptr} : Value{session_id}},
                  {"sessions", static_cast<std::int64_t>(sessions)},
                  {"user_id", caller.user_id},
                  {"role", caller.role},
                  {"audit_event_id", rows.front().event_id},
                  {"request_id", caller.request_id},
                  {"accessed_at", core::format_zoneless(event.occurred_at)}};
    std::vector<consultation::Event> events;
    events.push_back(std::move(event));
    const auto row_id = rows.front().event_id;
    auto written = co_await log_.record(std::move(rows), std::move(events));
    if (!written) co_return std::unexpected(not_written(std::move(written.error())));
    broken_.fetch_add(1, std::memory_order_relaxed);
    core::log::warning("break-glass access", {{"request_id", caller.request_id}, {"audit_event", row_id}});
    co_return written;
}

Task<Result<void>> AccessTrail::show(const Caller& caller, const Session& session, std::string what,
                                     std::string description) {
    if (must_say_why(caller, session)) {
        Error why{ErrorKind::forbidden, std::string{kSayWhy}, std::chrono::seconds{0}};
        co_return std::unexpected(co_await refused(caller, session.session_id, what, std::move(why)));
    }
    if (breaks_glass(caller) && !consultation::part_of(session, caller)) {
        co_return co_await break_glass(caller, session.session_id, 1, what + ": " + *caller.break_glass_reason);
    }
    co_return co_await note(caller, session.session_id, std::move(what), std::move(description));
}

Task<Error> AccessTrail::refused(const Caller& caller, std::string session_id, std::string_view what, Error why) {
    if (why.kind != ErrorKind::forbidden) co_return why;
    auto written = co_await note(caller, std::move(session_id), "ACCESS_DENIED", std::string{what});
    if (!written) co_return std::move(written.error());
    co_return why;
}

Task<Result<SessionPage>> AccessTrail::list(const Caller& caller, SessionPage page, std::string asked) {
    std::string shown = std::move(asked);
    shown += ": " + std::to_string(page.sessions.size()) + " of " + std::to_string(page.total);
    for (const auto& session : page.sessions)
        shown.append(&session == page.sessions.data() ? ": " : ", ") += session.session_id;
    Result<void> written;
    if (breaks_glass(caller) && caller.break_glass_reason) {
        written = co_await break_glass(caller, {}, page.sessions.size(),
                                       "SESSIONS_LISTED: " + *caller.break_glass_reason + "; " + shown);
    } else {
        for (auto& session : page.sessions) veil(caller, session);
        written = co_await note(caller, {}, "SESSIONS_LISTED", std::move(shown));
    }
    if (!written) co_return std::unexpected(std::move(written.error()));
    co_return page;
}

void AccessTrail::veil(const Caller& caller, Session& session) const {
    if (must_say_why(caller, session)) take_texts(session);
}

}  // namespace service
