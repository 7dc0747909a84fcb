// The metrics of vitals_answer.hpp. The values are kept by the parts themselves; here they only get their names.
#include "api/metrics_text.hpp"

namespace api {
namespace {

using service::Vitals;

void add_links(Families& out, const Vitals& vitals) {
    out.gauge("link_up", "Whether a configured peer is connected; absent where none is.");
    const auto link = [&](const char* peer, Vitals::Link state) {
        if (state != Vitals::Link::disabled) out({{"peer", peer}}, state == Vitals::Link::healthy ? 1 : 0);
    };
    link("broker", vitals.broker.link);
    link("consumer", vitals.consumer.link);
    link("webhooks", vitals.webhooks.link);
}

void add_outbox(Families& out, const Vitals& vitals) {
    const auto both = [&](auto Vitals::Relay::* member) {
        out({{"channel", "broker"}}, vitals.broker.*member);
        out({{"channel", "webhooks"}}, vitals.webhooks.*member);
    };
    using Relay = Vitals::Relay;
    out.gauge("outbox_waiting", "Messages that are not yet confirmed.");
    both(&Relay::waiting);
    out.gauge("outbox_oldest_seconds", "Age of the oldest message that waits.");
    both(&Relay::oldest_seconds);
    out.counter("outbox_sent_total", "Messages that were confirmed.");
    both(&Relay::sent);
    out.counter("outbox_failed_total", "Attempts to send that came to nothing.");
    both(&Relay::failed);
}

void add_consumer(Families& out, const Vitals& vitals) {
    out.counter("requests_consumed_total", "Messages from the request queue, by what came of them.");
    out({{"outcome", "handled"}}, vitals.consumer.handled);
    out({{"outcome", "retried"}}, vitals.consumer.retried);
    out({{"outcome", "parked"}}, vitals.consumer.parked);
}

void add_chime(Families& out, const Vitals::Breaker& chime) {
    if (!chime.configured) return;
    using State = Vitals::Breaker::State;
    out.gauge("chime_breaker", "1 for the state that the circuit breaker is in.");
    out({{"state", "closed"}}, chime.state == State::closed ? 1 : 0);
    out({{"state", "half_open"}}, chime.state == State::half_open ? 1 : 0);
    out({{"state", "open"}}, chime.state == State::open ? 1 : 0);
    out.counter("chime_calls_total", "Calls of Amazon Chime.")({}, chime.calls);
    out.counter("chime_failures_total", "Calls that failed.")({}, chime.failures);
    out.counter("chime_refused_total", "Calls not made, the breaker being open.")({}, chime.refused);
}

void add_nodes(Families& out, const Vitals::Nodes& nodes) {
    out.gauge("nodes", "Processes on this database, as this one sees them.");
    out({{"state", "live"}}, nodes.live);
    out({{"state", "draining"}}, nodes.leaving);
    out({{"state", "silent"}}, nodes.silent);
    out.gauge("node_draining", "Whether this process takes no new meetings.");
    out({}, nodes.draining ? 1 : 0);
    out.gauge("node_meetings", "Meetings of the own server in this process, with people in them.");
    out({}, nodes.meetings);
    out.counter("node_takeovers_total", "Meetings given a new node because theirs was gone.");
    out({}, nodes.takeovers);
    out.counter("node_lost_meetings_total", "Meetings of this process that others took over.");
    out({}, nodes.lost);
    if (!nodes.shared) return;
    out.gauge("node_heartbeat_age_seconds", "Since the database last heard of this process.");
    out({}, nodes.heartbeat_age_seconds);
}

/// In Prometheus' base unit.
void add_free_tier(Families& out, const Vitals::FreeTier& free_tier) {
    if (free_tier.limit_minutes <= 0 || free_tier.used_minutes < 0) return;
    out.gauge("free_tier_seconds", "Time of attendees in a month that Amazon Chime does not charge.")(
        {}, free_tier.limit_minutes * 60);
    out.gauge("free_tier_used_seconds", "Time of attendees of this month, running stays included.")(
        {}, free_tier.used_minutes * 60);
}

}  // namespace

std::string metrics_answer(const SelfReport& report) {
    const auto& vitals = report.vitals;
    Families out;
    add_build(out, report.version, vitals.build);
    if (report.requests) add_requests(out, *report.requests);
    add_connections(out, vitals);
    add_database(out, report.database, vitals.database);
    add_census(out, vitals.census);
    add_links(out, vitals);
    add_outbox(out, vitals);
    add_consumer(out, vitals);
    add_chime(out, vitals.chime);
    add_free_tier(out, vitals.free_tier);
    add_nodes(out, vitals.nodes);
    out.gauge("jobs_waiting", "Work to be done at a meeting provider.")({}, vitals.jobs_waiting);
    out.gauge("jobs_oldest_seconds", "Age of the oldest such work.")({}, vitals.oldest_job_seconds);
    out.counter("break_glass_total", "How often an administrator gave a reason to see clinical texts.")(
        {}, vitals.break_glass);
    add_media(out, vitals.media);
    add_process(out, vitals);
    return out.text();
}

}  // namespace api
