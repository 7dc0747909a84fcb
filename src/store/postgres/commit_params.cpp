#include "store/postgres/commit_params.hpp"

#include "core/bytes.hpp"
#include "store/common/change_text.hpp"
#include "store/common/tables.hpp"

namespace store::postgres {
namespace {

void write_rows(Params& out, const consultation::Change& change) {
    for (const auto& entry : change.audit) {
        out.text(entry.event_id);
        out.text(entry.session_id);
        out.text(entry.event_type);
        out.optional(entry.event_description);
        out.optional(entry.user_id);
        out.time(entry.event_timestamp);
    }
    for (const auto& event : change.events) {
        out.text(event.event_id);
        out.text(event.session_id);
        out.text(event.routing_key);
        out.text(event.event_type);
        out.time(event.occurred_at);
        out.text(payload_of(event));
    }
    const auto& session = change.after;
    for (const auto& attendee : session.attendees) {
        write_attendee(out, attendee);
        out.text(session.session_id);
        out.text(attendee.present() ? "true" : "false");
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
    }
    for (const auto& usage : change.usage) {
        out.text(core::uuid4());
        out.text(usage.session_id);
        out.text(usage.user_id);
        out.number(usage.attendee_minutes);
        out.time(usage.date);
        out.text(usage.session_completed ? "true" : "false");
        out.time(session.updated_at);
    }
}

/// `{"a","b"}`
class ArrayText {
  public:
    void add(std::string_view element) {
        text_ += text_.empty() ? "{\"" : ",\"";
        for (const char c : element) {
            if (c == '"' || c == '\\') text_ += '\\';
            text_ += c;
        }
        text_ += '"';
    }
    std::string take() { return text_.empty() ? "{}" : text_ + "}"; }

  private:
    std::string text_;
};

}  // namespace

Params commit_params(const consultation::Change& change, const std::optional<service::IdempotencyRecord>& idempotency) {
    Params out;
    write_session(out, change.after);
    if (change.expected_version < 0) {
        out.optional(appointment_key(change.after));
    } else {
        out.number(change.expected_version);
    }
    write_rows(out, change);
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
