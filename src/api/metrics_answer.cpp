// The metrics of vitals_answer.hpp. The values are kept by the parts themselves; here they only get their names.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

#include "api/vitals_answer.hpp"

namespace api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using service::Vitals;
using Labels = std::vector<ClientMetric::Label>;

class Families {
  public:
    /// Opens a family; what is added next belongs to it.
    Families& family(std::string_view name, MetricType type, std::string_view help) {
        list_.push_back({"video_consultation_" + std::string{name}, std::string{help}, type, {}});
        return *this;
    }
    Families& operator()(Labels labels, double value) {
        ClientMetric metric;
        metric.label = std::move(labels);
        (list_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
        list_.back().metric.push_back(std::move(metric));
        return *this;
    }
    std::string text() const { return prometheus::TextSerializer{}.Serialize(list_); }

  private:
    std::vector<MetricFamily> list_;
};

double number(auto value) {
    return static_cast<double>(value);
}

void add_links(Families& out, const Vitals& vitals) {
    out.family("link_up", MetricType::Gauge, "Whether a configured peer is connected; absent where none is.");
    const auto link = [&](const char* peer, Vitals::Link state) {
        if (state != Vitals::Link::disabled) out({{"peer", peer}}, state == Vitals::Link::healthy ? 1 : 0);
    };
    link("broker", vitals.broker.link);
    link("consumer", vitals.consumer.link);
    link("webhooks", vitals.webhooks.link);
}

void add_outbox(Families& out, const Vitals& vitals) {
    const auto both = [&](std::string_view name, MetricType type, std::string_view help, auto Vitals::Relay::* member) {
        out.family(name, type, help);
        out({{"channel", "broker"}}, number(vitals.broker.*member));
        out({{"channel", "webhooks"}}, number(vitals.webhooks.*member));
    };
    using Relay = Vitals::Relay;
    both("outbox_waiting", MetricType::Gauge, "Messages that are not yet confirmed.", &Relay::waiting);
    both("outbox_oldest_seconds", MetricType::Gauge, "Age of the oldest message that waits.", &Relay::oldest_seconds);
    both("outbox_sent_total", MetricType::Counter, "Messages that were confirmed.", &Relay::sent);
    both("outbox_failed_total", MetricType::Counter, "Attempts to send that came to nothing.", &Relay::failed);
}

void add_consumer(Families& out, const Vitals& vitals) {
    out.family("requests_consumed_total", MetricType::Counter,
               "Messages from the request queue, by what came of them.");
    out({{"outcome", "handled"}}, number(vitals.consumer.handled));
    out({{"outcome", "retried"}}, number(vitals.consumer.retried));
    out({{"outcome", "parked"}}, number(vitals.consumer.parked));
}

void add_chime(Families& out, const Vitals::Breaker& chime) {
    if (!chime.configured) return;
    using State = Vitals::Breaker::State;
    out.family("chime_breaker", MetricType::Gauge, "1 for the state that the circuit breaker is in.");
    out({{"state", "closed"}}, chime.state == State::closed ? 1 : 0);
    out({{"state", "half_open"}}, chime.state == State::half_open ? 1 : 0);
    out({{"state", "open"}}, chime.state == State::open ? 1 : 0);
    out.family("chime_calls_total", MetricType::Counter, "Calls of Amazon Chime.")({}, number(chime.calls));
    out.family("chime_failures_total", MetricType::Counter, "Calls that failed.")({}, number(chime.failures));
    out.family("chime_refused_total", MetricType::Counter, "Calls not made, the breaker being open.")(
        {}, number(chime.refused));
}

void add_nodes(Families& out, const Vitals::Nodes& nodes) {
    out.family("nodes", MetricType::Gauge, "Processes on this database, as this one sees them.");
    out({{"state", "live"}}, nodes.live);
    out({{"state", "draining"}}, nodes.leaving);
    out({{"state", "silent"}}, nodes.silent);
    out.family("node_draining", MetricType::Gauge, "Whether this process takes no new meetings.");
    out({}, nodes.draining ? 1 : 0);
    out.family("node_meetings", MetricType::Gauge, "Meetings of the own server in this process, with people in them.");
    out({}, nodes.meetings);
    out.family("node_takeovers_total", MetricType::Counter, "Meetings given a new node because theirs was gone.");
    out({}, number(nodes.takeovers));
    out.family("node_lost_meetings_total", MetricType::Counter, "Meetings of this process that others took over.");
    out({}, number(nodes.lost));
    if (!nodes.shared) return;
    out.family("node_heartbeat_age_seconds", MetricType::Gauge, "Since the database last heard of this process.");
    out({}, nodes.heartbeat_age_seconds);
}

}  // namespace

std::string metrics_answer(const SelfReport& report) {
    const auto& vitals = report.vitals;
    Families out;
    out.family("build_info", MetricType::Gauge, "The version that runs, as a label.");
    out({{"version", std::string{report.version}}}, 1);
    out.family("database_up", MetricType::Gauge, "Whether the database answers.")({}, report.database ? 1 : 0);
    add_links(out, vitals);
    add_outbox(out, vitals);
    add_consumer(out, vitals);
    add_chime(out, vitals.chime);
    add_nodes(out, vitals.nodes);
    out.family("jobs_waiting", MetricType::Gauge, "Work to be done at a meeting provider.")(
        {}, number(vitals.jobs_waiting));
    out.family("jobs_oldest_seconds", MetricType::Gauge, "Age of the oldest such work.")({}, vitals.oldest_job_seconds);
    return out.text();
}

}  // namespace api
