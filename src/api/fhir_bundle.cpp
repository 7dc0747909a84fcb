// FHIR R4: http://hl7.org/fhir/R4/appointment.html, encounter.html, auditevent.html, consent.html,
// documentreference.html, bundle.html.
#include <cctype>

#include "api/export_answers.hpp"
#include "api/json_text.hpp"
#include "consultation/life_cycle.hpp"
#include "core/bytes.hpp"

namespace api {
namespace {

using consultation::Attendee;
using consultation::AuditEntry;
using consultation::Role;
using consultation::Session;
using consultation::Status;
using core::Time;

std::string_view appointment_status(Status status) {
    switch (status) {
        case Status::scheduled:
            return "booked";
        case Status::waiting:
        case Status::active:
            return "arrived";
        case Status::completed:
            return "fulfilled";
        case Status::cancelled:
            return "cancelled";
        case Status::no_show:
            return "noshow";
    }
    return "booked";
}

std::string_view encounter_status(Status status) {
    switch (status) {
        case Status::scheduled:
            return "planned";
        case Status::waiting:
            return "arrived";
        case Status::active:
            return "in-progress";
        case Status::completed:
            return "finished";
        case Status::cancelled:
        case Status::no_show:
            return "cancelled";
    }
    return "planned";
}

/// `C`, `R`, `U`, `E`: http://hl7.org/fhir/R4/valueset-audit-event-action.html
std::string_view action_of(const AuditEntry& entry) {
    if (entry.kind == AuditEntry::Kind::access) return "R";
    if (entry.event_type == "SESSION_CREATED") return "C";
    if (entry.event_type == "SESSION_PURGED") return "D";
    return entry.event_type.starts_with("USER_") || entry.event_type.starts_with("MEETING_") ? "E" : "U";
}

/// An id of ours where it may be one of FHIR's ([A-Za-z0-9-.]{1,64}); else made of its hash.
std::string id_of(std::string_view text) {
    const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; };
    if (!text.empty() && text.size() <= 64 && std::ranges::all_of(text, fits)) return std::string{text};
    return core::hex(core::sha256(core::as_bytes(text))).substr(0, 32);
}

std::string part_text(Time time) {
    std::string out;
    core::append_rfc3339(out, time);
    return out;
}

void append_concept(std::string& out, std::string_view system, std::string_view code, std::string_view display) {
    JsonObject concept_object{out};
    std::string& list = concept_object.key("coding");
    list += '[';
    JsonObject{list}("system", system)("code", code)("display", display);
    list += ']';
}

/// `[{"text": …}]`
void append_text_concepts(std::string& out, std::string_view text) {
    out += '[';
    JsonObject{out}("text", text);
    out += ']';
}

void append_period(std::string& out, std::optional<Time> start, std::optional<Time> end) {
    JsonObject period{out};
    if (start) period("start", part_text(*start));
    if (end) period("end", part_text(*end));
}

class Writer {
  public:
    Writer(const service::PatientPage& page, const BundleSource& source) : page_(page), source_(source) {}

    std::string write() {
        out_.reserve(8192);
        {
            JsonObject bundle{out_};
            bundle("resourceType", "Bundle")("type", "searchset")("timestamp", part_text(page_.exported_at));
            write_links(bundle.key("link"));
            std::string& list = bundle.key("entry");
            list += '[';
            write_patient();
            for (const auto& consent : page_.consents) write_consent(consent);
            for (const auto& exported : page_.sessions) write_session(exported);
            list += ']';
        }
        return std::move(out_);
    }

  private:
    void write_links(std::string& list) const {
        list += '[';
        JsonObject{list}("relation", "self")("url", source_.self);
        if (!source_.next.empty()) {
            list += ',';
            JsonObject{list}("relation", "next")("url", source_.next);
        }
        list += ']';
    }

    /// `body` adds the members behind type and id.
    template <class Body>
    void write_entry(std::string_view type, const std::string& id, std::string_view mode, Body body) {
        if (!first_) out_ += ',';
        first_ = false;
        JsonObject entry{out_};
        entry("fullUrl", source_.base + "/fhir/" + std::string{type} + "/" + id);
        {
            JsonObject resource{entry.key("resource")};
            resource("resourceType", type)("id", id);
            body(resource);
        }
        JsonObject{entry.key("search")}("mode", mode);
    }

    void append_identifier(std::string& out, std::string_view kind, std::string_view value) const {
        JsonObject{out}("system", source_.base + "/fhir/id/" + std::string{kind})("value", value);
    }
    void append_identifiers(std::string& out, std::string_view kind, std::string_view value) const {
        out += '[';
        append_identifier(out, kind, value);
        out += ']';
    }

    void append_reference(std::string& out, std::string_view type, std::string_view id) const {
        JsonObject{out}("reference", std::string{type} + "/" + std::string{id})("type", type);
    }
    /// People whom the bundle says nothing more about are named by their id of the platform.
    void append_person(std::string& out, std::string_view type, std::string_view user_id) const {
        if (user_id == page_.patient_id) return append_reference(out, "Patient", id_of(user_id));
        JsonObject person{out};
        person("type", type);
        append_identifier(person.key("identifier"), "user", user_id);
    }
    void append_attendee(std::string& out, const Attendee& attendee) const {
        if (attendee.role != Role::guest) {
            return append_person(out, attendee.role == Role::doctor ? "Practitioner" : "Patient", attendee.user_id);
        }
        JsonObject guest{out};
        guest("type", "RelatedPerson");
        append_identifier(guest.key("identifier"), "user", attendee.user_id);
        if (attendee.guest_name) guest("display", *attendee.guest_name);
    }

    void write_patient() {
        write_entry("Patient", id_of(page_.patient_id), "include", [&](JsonObject& patient) {
            append_identifiers(patient.key("identifier"), "user", page_.patient_id);
        });
    }

    void write_consent(const service::Consent& consent) {
        write_entry("Consent", id_of(page_.patient_id + "/" + consent.version), "include", [&](JsonObject& o) {
            o("status", "active");
            append_concept(o.key("scope"), "http://terminology.hl7.org/CodeSystem/consentscope", "treatment",
                           "Treatment");
            std::string& category = o.key("category");
            category += '[';
            append_concept(category, "http://loinc.org", "59284-0", "Patient Consent");
            category += ']';
            append_reference(o.key("patient"), "Patient", id_of(page_.patient_id));
            o("dateTime", part_text(consent.given_at));
            JsonObject{o.key("policyRule")}(
                "text", "Consent text, version " + consent.version + ", SHA-256 " + consent.text_sha256);
        });
    }

    void write_session(const service::ExportedSession& exported) {
        const auto& session = exported.session;
        write_entry("Appointment", session.session_id, "match", [&](JsonObject& o) { write_appointment(o, session); });
        write_entry("Encounter", session.session_id, "match", [&](JsonObject& o) { write_encounter(o, exported); });
        if (session.session_notes) {
            write_entry("DocumentReference", session.session_id, "include",
                        [&](JsonObject& o) { write_notes(o, session); });
        }
        for (const auto& entry : exported.audit) {
            write_entry("AuditEvent", id_of(entry.event_id), "include",
                        [&](JsonObject& o) { write_audit(o, entry, session); });
        }
    }

    void write_appointment(JsonObject& o, const Session& s) {
        if (s.appointment_id) append_identifiers(o.key("identifier"), "appointment", *s.appointment_id);
        o("status", appointment_status(s.status));
        const bool off = s.status == Status::cancelled || s.status == Status::no_show;
        if (off && s.cancellation_reason) JsonObject{o.key("cancelationReason")}("text", *s.cancellation_reason);
        if (s.chief_complaint) append_text_concepts(o.key("reasonCode"), *s.chief_complaint);
        o("start", part_text(s.scheduled_start_time))("end", part_text(s.scheduled_end_time));
        if (s.consultation_duration_minutes > 0) o("minutesDuration", s.consultation_duration_minutes);
        o("created", part_text(s.created_at));
        std::string& list = o.key("participant");
        list += '[';
        const auto participant = [&](auto write) {
            if (!list.ends_with('[')) list += ',';
            JsonObject one{list};
            write(one.key("actor"));
            one("required", "required")("status", "accepted");
        };
        participant([&](std::string& out) { append_person(out, "Practitioner", s.doctor_id); });
        participant([&](std::string& out) { append_person(out, "Patient", s.patient_id); });
        for (const auto& attendee : s.attendees) {
            if (attendee.role == Role::guest) participant([&](std::string& out) { append_attendee(out, attendee); });
        }
        list += ']';
    }

    void write_encounter(JsonObject& o, const service::ExportedSession& exported) {
        const auto& s = exported.session;
        append_identifiers(o.key("identifier"), "session", s.session_id);
        o("status", encounter_status(s.status));
        JsonObject{o.key("class")}("system", "http://terminology.hl7.org/CodeSystem/v3-ActCode")("code", "VR")(
            "display", "virtual");
        append_person(o.key("subject"), "Patient", s.patient_id);
        std::string& participants = o.key("participant");
        participants += '[';
        write_participants(participants, exported);
        participants += ']';
        std::string& appointments = o.key("appointment");
        appointments += '[';
        append_reference(appointments, "Appointment", s.session_id);
        appointments += ']';
        if (s.actual_start_time) append_period(o.key("period"), s.actual_start_time, s.actual_end_time);
        if (s.actual_start_time && s.actual_end_time) {
            JsonObject{o.key("length")}("value", consultation::duration_minutes(s))("unit", "min")(
                "system", "http://unitsofmeasure.org")("code", "min");
        }
        if (s.chief_complaint) append_text_concepts(o.key("reasonCode"), *s.chief_complaint);
    }

    /// The doctor with each of their stays; and guests. The patient is the subject.
    void write_participants(std::string& list, const service::ExportedSession& exported) {
        const auto& s = exported.session;
        const auto participant = [&](auto write, const consultation::Interval* stay) {
            if (!list.ends_with('[')) list += ',';
            JsonObject one{list};
            if (stay) append_period(one.key("period"), stay->joined_at, stay->left_at);
            write(one.key("individual"));
        };
        bool came = false;
        for (const auto& stay : exported.stays) {
            if (stay.role != Role::doctor) continue;
            came = true;
            participant([&](std::string& out) { append_person(out, "Practitioner", stay.user_id); }, &stay);
        }
        if (!came) participant([&](std::string& out) { append_person(out, "Practitioner", s.doctor_id); }, nullptr);
        for (const auto& attendee : s.attendees) {
            if (attendee.role == Role::guest) {
                participant([&](std::string& out) { append_attendee(out, attendee); }, nullptr);
            }
        }
    }

    void write_notes(JsonObject& o, const Session& s) {
        o("status", "current");
        append_concept(o.key("type"), "http://loinc.org", "11488-4", "Consult note");
        append_person(o.key("subject"), "Patient", s.patient_id);
        o("date", part_text(s.updated_at));
        std::string& content = o.key("content");
        content += '[';
        {
            JsonObject one{content};
            JsonObject{one.key("attachment")}("contentType", "text/plain; charset=utf-8")(
                "data", core::base64(core::as_bytes(*s.session_notes)));
        }
        content += ']';
        JsonObject context{o.key("context")};
        std::string& encounters = context.key("encounter");
        encounters += '[';
        append_reference(encounters, "Encounter", s.session_id);
        encounters += ']';
    }

    void write_audit(JsonObject& o, const AuditEntry& entry, const Session& s) {
        JsonObject{o.key("type")}("system", "http://dicom.nema.org/resources/ontology/DCM")("code", "110110")(
            "display", "Patient Record");
        std::string& subtype = o.key("subtype");
        subtype += '[';
        JsonObject{subtype}("system", source_.base + "/fhir/audit-event")("code", entry.event_type);
        subtype += ']';
        o("action", action_of(entry))("recorded", part_text(entry.event_timestamp));
        o("outcome", entry.event_type == "ACCESS_DENIED" ? "4" : "0");
        if (entry.event_description && !entry.event_description->empty()) o("outcomeDesc", *entry.event_description);
        std::string& agents = o.key("agent");
        agents += '[';
        write_agent(agents, entry, s);
        agents += ']';
        {
            JsonObject from{o.key("source")};
            JsonObject{from.key("observer")}("display", source_.observer);
        }
        std::string& entities = o.key("entity");
        entities += '[';
        {
            JsonObject entity{entities};
            append_reference(entity.key("what"), "Encounter", s.session_id);
        }
        entities += ']';
    }

    void write_agent(std::string& out, const AuditEntry& entry, const Session& s) {
        JsonObject agent{out};
        if (!entry.user_id) {
            JsonObject{agent.key("who")}("display", source_.observer);
            agent("requestor", false);
            return;
        }
        if (entry.role) {
            std::string& roles = agent.key("role");
            append_text_concepts(roles, *entry.role);
        }
        append_person(agent.key("who"), *entry.user_id == s.patient_id ? "Patient" : "Practitioner", *entry.user_id);
        agent("requestor", true);
        // 2: an IP address.
        if (entry.address) JsonObject{agent.key("network")}("address", *entry.address)("type", "2");
    }

    const service::PatientPage& page_;
    const BundleSource& source_;
    std::string out_;
    bool first_ = true;
};

}  // namespace

std::string fhir_bundle(const service::PatientPage& page, const BundleSource& source) {
    return Writer(page, source).write();
}

}  // namespace api
