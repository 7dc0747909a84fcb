// Rows beside those of a session: messages and jobs, read and written column by column, the same for every engine.
// Row and Out as in tables.hpp.
#pragma once

#include <array>

#include "service/outbox.hpp"
#include "store/common/tables.hpp"

namespace store {

inline constexpr std::array<std::string_view, 8> kMessageColumns{
    "sequence", "event_id", "session_id", "routing_key", "event_type", "occurred_at", "payload", "trace_context"};

inline constexpr std::array<std::string_view, 8> kJobColumns{"job_id",     "kind",        "session_id", "provider",
                                                             "meeting_id", "attendee_id", "due_at",     "attempts"};

/// The message whose columns begin at `first`.
template <class Row>
service::OutboxMessage read_message(const Row& row, int first = 0) {
    detail::Columns<Row> in{row, first};
    service::OutboxMessage message;
    message.sequence = in.number();
    message.event_id = in.text();
    message.session_id = in.text();
    message.routing_key = in.text();
    message.event_type = in.text();
    message.occurred_at = in.time();
    message.payload = in.text();
    message.trace = in.text();
    return message;
}

template <class Row>
consultation::Job read_job(const Row& row) {
    detail::Columns<Row> in{row};
    consultation::Job job;
    job.job_id = in.text();
    job.kind = detail::known(consultation::job_kind_from(in.word()), "kind of job");
    job.session_id = in.text();
    job.provider = in.provider();
    job.meeting_id = in.text();
    job.attendee_id = in.text();
    job.due_at = in.time();
    job.attempts = static_cast<int>(in.number());
    return job;
}

/// In the order of kJobColumns, then `first_due_at`.
template <class Out>
void write_job(Out& out, const consultation::Job& job) {
    out.text(job.job_id);
    out.text(consultation::to_text(job.kind));
    out.text(job.session_id);
    out.text(consultation::to_text(job.provider));
    out.text(job.meeting_id);
    out.text(job.attendee_id);
    out.time(job.due_at);
    out.number(job.attempts);
    out.time(job.due_at);
}

}  // namespace store
