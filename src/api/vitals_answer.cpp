#include "api/vitals_answer.hpp"

#include <algorithm>
#include <cmath>

#include "api/json_text.hpp"

namespace api {
namespace {

using service::Vitals;
using Link = Vitals::Link;

std::string_view text_of(Link link) {
    switch (link) {
        case Link::disabled:
            return "disabled";
        case Link::healthy:
            return "healthy";
        case Link::disconnected:
            return "disconnected";
    }
    return "disconnected";
}

/// Publisher and consumer are connections to one broker; it is as healthy as the worse of them.
Link broker_link(const Vitals& vitals) {
    return std::max(vitals.broker.link, vitals.consumer.link);
}
static_assert(Link::disabled < Link::healthy && Link::healthy < Link::disconnected);

bool chime_works(const Vitals& vitals) {
    return !vitals.chime.configured || vitals.chime.state == Vitals::Breaker::State::closed;
}

std::string_view chime_text(const Vitals& vitals) {
    if (!vitals.chime.configured) return "not configured";
    return chime_works(vitals) ? "configured" : "unavailable";
}

/// One decimal is enough for an age.
void append_seconds(std::string& out, double seconds) {
    const auto tenths = std::isfinite(seconds) ? std::llround(std::max(0.0, seconds) * 10) : 0;
    out += std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
}

void append_backlog(JsonObject& object, const Vitals::Relay& relay) {
    object("waiting", relay.waiting);
    append_seconds(object.key("oldest_seconds"), relay.oldest_seconds);
    object("last_error", relay.last_error.empty() ? std::nullopt : std::optional{relay.last_error});
}

}  // namespace

std::string health_answer(const SelfReport& report) {
    const auto& vitals = report.vitals;
    const auto broker = broker_link(vitals);
    const bool healthy = report.database && broker != Link::disconnected && chime_works(vitals);
    std::string out;
    {
        JsonObject o{out};
        o("status", healthy ? "healthy" : "degraded")("service", report.service)("version", report.version);
        o("timestamp", report.now)("database", report.database ? "healthy" : "unhealthy");
        o("rabbitmq", text_of(broker))("aws_chime", chime_text(vitals));
        {
            JsonObject outbox{o.key("outbox")};
            append_backlog(outbox, vitals.broker);
        }
        {
            JsonObject webhooks{o.key("webhooks")};
            webhooks("state", text_of(vitals.webhooks.link));
            append_backlog(webhooks, vitals.webhooks);
        }
        JsonObject jobs{o.key("jobs")};
        jobs("waiting", vitals.jobs_waiting);
        append_seconds(jobs.key("oldest_seconds"), vitals.oldest_job_seconds);
    }
    return out;
}

}  // namespace api
