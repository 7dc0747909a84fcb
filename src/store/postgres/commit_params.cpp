#include "store/postgres/commit_params.hpp"

#include "core/bytes.hpp"
#include "store/common/audit_rows.hpp"
#include "store/common/change_text.hpp"
#include "store/common/rows.hpp"
#include "store/postgres/array_text.hpp"

namespace store::postgres {
namespace {

void write_rows(Params& out, const consultation::Change& change, const service::AuditKeys* keys) {
    for (const auto& entry : change.audit) write_audit(out, entry, AuditSeal(entry, keys));
    for (const auto& event : change.events) {
        out.text(event.event_id);
        out.text(event.session_id);
        out.text(event.routing_key);
        out.text(event.event_type);
        out.time(event.occurred_at);
        out.text(payload_of(event));
        detail::write_or_null(out, event.trace);
    }
    const auto& session = change.after;
    for (const auto& attendee : session.attendees) {
        write_attendee(out, attendee);
        out.text(session.session_id);
        out.flag(attendee.present());
        out.time(session.updated_at);
        out.time(session.updated_at);
    }
    for (const auto& interval : change.intervals) {
        out.text(interval.interval_id);
        out.text(interval.session_id);
        out.text(interval.user_id);
        out.text(consultation::to_text(interval.role));
        out.time(interval.joined_at);
        out.optional(interval.left_at);
        out.text(consultation::to_text(interval.provider));
        detail::write_or_null(out, interval.meeting_id);
        detail::write_or_null(out, attendee_id_of(change, interval.user_id));
    }
    for (const auto& usage : change.usage) {
        out.text(core::uuid4());
        out.text(usage.session_id);
        out.text(usage.user_id);
        out.number(usage.attendee_minutes);
        out.time(usage.date);
        out.flag(usage.session_completed);
        out.time(session.updated_at);
        out.text(consultation::to_text(usage.provider));
        out.number(usage.billed_tenths);
    }
    for (const auto& meeting : change.meetings) {
        out.text(meeting.meeting_id);
        out.text(meeting.session_id);
        out.text(consultation::to_text(meeting.provider));
        out.number(meeting.generation);
        out.time(meeting.created_at);
        out.optional(meeting.ended_at);
    }
    for (const auto& job : change.jobs) write_job(out, job);
}

}  // namespace

Params commit_params(const consultation::Change& change, const std::optional<service::IdempotencyRecord>& idempotency,
                     const service::AuditKeys* keys) {
    Params out;
    write_session(out, change.after);
    if (change.expected_version < 0) {
        out.optional(appointment_key(change.after));
    } else {
        out.number(change.expected_version);
    }
    write_rows(out, change, keys);
    if (idempotency) {
        out.text(idempotency->user_id);
        out.text(idempotency->key);
        out.text(idempotency->body_hash);
        out.text(idempotency->session_id);
        out.time(change.after.updated_at);
    }
    return out;
}

Params heartbeat_params(const std::vector<service::Heartbeat>& beats) {
    ArrayText ids;
    ArrayText seen;
    ArrayText until;
    for (const auto& beat : beats) {
        ids.add(beat.chime_attendee_id);
        seen.add(core::format_zoneless(beat.last_seen_at));
        until.add(core::format_zoneless(beat.present_until));
    }
    Params out;
    out.text(ids.take());
    out.text(seen.take());
    out.text(until.take());
    return out;
}

}  // namespace store::postgres
