#include "api/usage_answer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "api/json_text.hpp"

namespace api {
namespace {

using consultation::Provider;
using service::ProviderUsage;

/// A JSON number, exact: at least one digit behind the point, no zeros behind that. `unit` parts make one.
std::string decimal(std::int64_t parts, std::int64_t unit) {
    std::string out = std::to_string(parts / unit) + '.';
    std::int64_t rest = parts % unit;
    do {
        unit /= 10;
        out += static_cast<char>('0' + rest / unit);
        rest %= unit;
    } while (rest > 0);
    return out;
}

std::string minutes_of(Provider provider, const auto& usage) {
    return provider == Provider::chime ? decimal(usage.billed_tenths, 10) : std::to_string(usage.attendee_minutes);
}

std::int64_t whole_minutes(std::int64_t tenths) {
    return tenths / 10 + (tenths % 10 > 0 ? 1 : 0);
}

std::string percentage(std::int64_t tenths, std::int64_t limit) {
    if (limit <= 0) return tenths > 0 ? "100.0" : "0.0";
    return decimal((tenths * 1'000 + limit / 2) / limit, 100);
}

/// Exact: a tenth of a minute over the limit is over.
std::string_view level(std::int64_t tenths, std::int64_t limit) {
    const std::int64_t used = tenths * 10;
    if (used < 50 * limit || tenths == 0) return "HEALTHY";
    if (used < 80 * limit) return "WARNING";
    return used <= 100 * limit ? "CRITICAL" : "EXCEEDED";
}

/// Means are shown with two decimals.
void append_mean(std::string& out, std::optional<double> mean) {
    out += mean && std::isfinite(*mean) ? decimal(std::llround(std::max(0.0, *mean) * 100), 100) : "null";
}

/// `2026-01` or `2026-01-25`.
std::string date_text(core::Time time, std::size_t length) {
    return core::format_rfc3339(time).substr(0, length);
}

void append_providers(std::string& out, const service::Usage& usage) {
    JsonObject both{out};
    const auto one = [&](std::string_view name, Provider provider, const ProviderUsage& figures) {
        JsonObject object{both.key(name)};
        object.key("attendee_minutes") += minutes_of(provider, figures);
        object("sessions", figures.sessions);
    };
    one("chime", Provider::chime, usage.chime);
    one("embedded", Provider::embedded, usage.embedded);
}

void append_days(std::string& out, const std::vector<service::UsageDay>& days) {
    out += '[';
    for (bool first = true; const auto& day : days) {
        if (!first) out += ',';
        first = false;
        JsonObject object{out};
        object("date", date_text(day.day, 10));
        object.key("chime") += minutes_of(Provider::chime, day.chime);
        object.key("embedded") += minutes_of(Provider::embedded, day.embedded);
    }
    out += ']';
}

void append_quality(std::string& out, const service::QualitySummary& quality) {
    JsonObject object{out};
    object("reports", quality.reports);
    append_mean(object.key("average_latency_ms"), quality.latency_ms);
    append_mean(object.key("packet_loss_percentage"), quality.packet_loss_percentage);
    append_mean(object.key("audio_quality_score"), quality.audio_score);
    append_mean(object.key("video_quality_score"), quality.video_score);
}

void append_sessions(std::string& out, const std::vector<service::SessionUsage>& sessions) {
    out += '[';
    for (bool first = true; const auto& session : sessions) {
        if (!first) out += ',';
        first = false;
        JsonObject object{out};
        object("session_id", session.session_id)("doctor_id", session.doctor_id)("patient_id", session.patient_id);
        object("provider", to_text(session.provider))("date", session.date);
        object.key("attendee_minutes") += minutes_of(session.provider, session);
    }
    out += ']';
}

}  // namespace

std::string usage_answer(const service::Usage& usage, core::Time month_start, std::int64_t free_tier_minutes,
                         const std::optional<std::vector<service::SessionUsage>>& sessions) {
    const auto tenths = usage.chime.billed_tenths;
    const auto chime_minutes = whole_minutes(tenths);
    std::string out;
    {
        JsonObject o{out};
        o("total_attendee_minutes_current_month", usage.embedded.attendee_minutes + chime_minutes);
        o("free_tier_limit", free_tier_minutes);
        o("remaining_minutes", std::max<std::int64_t>(0, free_tier_minutes - chime_minutes));
        o.key("percentage_used") += percentage(tenths, free_tier_minutes);
        o("total_sessions_current_month", usage.sessions)("active_sessions", usage.active_sessions);
        // Beyond the contract.
        o("month", date_text(month_start, 7))("level", level(tenths, free_tier_minutes));
        append_providers(o.key("by_provider"), usage);
        append_mean(o.key("average_session_duration_minutes"), usage.average_session_minutes);
        append_days(o.key("days"), usage.days);
        append_quality(o.key("quality"), usage.quality);
        if (sessions) {
            append_sessions(o.key("sessions"), *sessions);
        } else {
            o.key("sessions") += "null";
        }
    }
    return out;
}

}  // namespace api
