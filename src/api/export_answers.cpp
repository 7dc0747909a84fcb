#include "api/export_answers.hpp"

#include "api/answers.hpp"
#include "api/json_text.hpp"

namespace api {
namespace {

template <class List, class Write>
void append_list(std::string& out, const List& list, Write write) {
    out += '[';
    bool first = true;
    for (const auto& item : list) {
        if (!first) out += ',';
        first = false;
        write(out, item);
    }
    out += ']';
}

void append_real(std::string& out, std::optional<double> value) {
    if (!value) {
        out += "null";
        return;
    }
    char digits[32];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, *value, std::chars_format::fixed, 2).ptr);
}

void append_consent(std::string& out, const service::Consent& consent) {
    JsonObject{out}("version", consent.version)("text_sha256", consent.text_sha256)("given_at", consent.given_at)(
        "session_id", consent.session_id)("address", consent.address)("request_id", consent.request_id);
}

void append_stay(std::string& out, const consultation::Interval& stay) {
    JsonObject{out}("user_id", stay.user_id)("role", to_text(stay.role))("joined_at", stay.joined_at)(
        "left_at", stay.left_at)("provider", to_text(stay.provider))("meeting_id", stay.meeting_id);
}

void append_figures(std::string& out, const service::PersonFigures& person) {
    JsonObject o{out};
    o("user_id", person.user_id)("provider", to_text(person.provider));
    o("attendee_minutes", person.attendee_minutes)("quality_reports", person.quality.reports);
    append_real(o.key("latency_ms"), person.quality.latency_ms);
    append_real(o.key("packet_loss_percentage"), person.quality.packet_loss_percentage);
    append_real(o.key("audio_score"), person.quality.audio_score);
    append_real(o.key("video_score"), person.quality.video_score);
    o("technical_issues", person.technical_issues)("issue_description", person.issue_description);
}

void append_audit(std::string& out, const consultation::AuditEntry& entry) {
    JsonObject{out}("event_id", entry.event_id)("event_type", entry.event_type)(
        "event_description", entry.event_description)("user_id", entry.user_id)("role", entry.role)(
        "address", entry.address)("request_id", entry.request_id)("kind", to_text(entry.kind))("event_timestamp",
                                                                                               entry.event_timestamp);
}

}  // namespace

std::string export_answer(const service::PatientPage& page, std::string_view next) {
    std::string out;
    out.reserve(4096);
    {
        JsonObject o{out};
        o("patient_id", page.patient_id)("exported_at", page.exported_at);
        append_list(o.key("consents"), page.consents, append_consent);
        append_list(o.key("sessions"), page.sessions, [&](std::string& text, const service::ExportedSession& exported) {
            JsonObject one{text};
            one.key("session") += session_answer(exported.session, {}, page.exported_at);
            append_list(one.key("stays"), exported.stays, append_stay);
            append_list(one.key("figures"), exported.figures, append_figures);
            append_list(one.key("audit"), exported.audit, append_audit);
            one("continued", exported.continued);
        });
        if (next.empty()) {
            o.key("next") += "null";
        } else {
            o("next", next);
        }
    }
    return out;
}

}  // namespace api
