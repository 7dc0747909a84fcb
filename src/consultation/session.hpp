// The domain's nouns: a consultation session, the people in it, and what a change to it leaves behind.
// Plain values, no I/O; times are UTC.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/time.hpp"
#include "core/trace.hpp"

namespace consultation {

using core::Time;

enum class BookingType { clinic_based, direct_doctor };
enum class Status { scheduled, waiting, active, completed, cancelled, no_show };
/// A guest was invited by the doctor for this one session.
enum class Role { doctor, patient, guest };
/// What a guest is there for.
enum class GuestKind { interpreter, relative, clinician, other };
/// How the doctor has decided about a person at the door. `none`: not asked to decide yet.
enum class Lobby { none, waiting, admitted, denied, removed };
/// Who carries a meeting: our own meeting server, or AWS Chime.
enum class Provider { embedded, chime };

/// The contract's spellings: `CLINIC_BASED`, `SCHEDULED`, `DOCTOR` … and back (exact, upper case).
std::string_view to_text(BookingType type);
std::string_view to_text(Status status);
std::string_view to_text(Role role);
/// `INTERPRETER` …
std::string_view to_text(GuestKind kind);
/// `NONE`, `WAITING`, `ADMITTED`, `DENIED`, `REMOVED`.
std::string_view to_text(Lobby lobby);
/// `embedded`, `chime`; lower case.
std::string_view to_text(Provider provider);
std::optional<BookingType> booking_type_from(std::string_view text);
std::optional<Status> status_from(std::string_view text);
std::optional<Role> role_from(std::string_view text);
std::optional<GuestKind> guest_kind_from(std::string_view text);
std::optional<Lobby> lobby_from(std::string_view text);
std::optional<Provider> provider_from(std::string_view text);

/// Nobody can join any more. (A doctor may still turn a NO_SHOW into COMPLETED: a wrongly missed visit is put right.)
inline bool is_closed(Status status) {
    return status == Status::completed || status == Status::cancelled || status == Status::no_show;
}

/// The meeting that carries the call, as the provider made it. A session has at most one at a time; `generation` grows
/// with each re-creation.
struct Meeting {
    Provider provider = Provider::embedded;
    std::string meeting_id;
    std::string external_meeting_id;
    std::string media_region;
    std::string audio_host_url;
    std::string audio_fallback_url;
    std::string signaling_url;
    std::string turn_control_url;
    int generation = 1;

    bool operator==(const Meeting&) const = default;
};

/// One person of a session: identity at the provider, and attendance. At most one for each user of a session.
/// Attendance is a row of intervals (join to leave); the closed ones are summed here, the open one is spelt out.
struct Attendee {
    std::string row_id;  ///< Key of the table row, UUID.
    std::string user_id;
    Role role = Role::patient;
    std::string chime_attendee_id;  ///< Identity within the meeting; what the Chime client calls AttendeeId.
    std::string external_user_id;   ///< `doctor-<user>`, `patient-<user>`, or a guest's user id.
    std::optional<Time> joined_at;  ///< First join ever.
    std::optional<Time> left_at;    ///< Last leave; null while present.
    std::optional<std::string> device_type;
    std::optional<std::string> browser_info;

    std::chrono::microseconds attended{0};        ///< Sum of the closed intervals in embedded meetings.
    std::chrono::microseconds attended_chime{0};  ///< Sum of the closed intervals in Chime meetings.
    std::int64_t billed_tenths = 0;               ///< Those, each rounded up to tenths of a minute, as AWS bills.

    Lobby lobby = Lobby::none;
    std::optional<Time> waiting_since;    ///< Decides the place in the queue; set once they have waited.
    std::optional<Time> waiting_seen_at;  ///< Their latest word while waiting.

    /// The rest of these: guests only, and none of them changes later except the last two.
    std::optional<GuestKind> guest_kind;
    std::optional<std::string> guest_name;       ///< As the doctor wrote it; personal data.
    std::optional<std::string> invitation_hash;  ///< SHA-256 of the link's secret, in hex.
    std::optional<Time> invited_at;
    std::optional<Time> invitation_expires_at;  ///< The link is to be used before.
    std::optional<Time> invitation_used_at;
    std::optional<Time> invitation_revoked_at;

    std::optional<std::string> open_interval_id;  ///< Set while present.
    std::optional<Time> opened_at;                ///< Start of the open interval; set together with the id.
    std::optional<Time> last_seen_at;             ///< Latest proof of presence within the open interval.
    std::optional<Time> present_until;  ///< Without news until then they have left; null = only a leave ends it.

    bool present() const { return open_interval_id.has_value(); }
    bool operator==(const Attendee&) const = default;
};

struct Session {
    std::string session_id;  ///< UUID.
    BookingType booking_type = BookingType::direct_doctor;
    std::optional<std::string> appointment_id;
    std::string doctor_id;
    std::string patient_id;
    std::optional<std::int32_t> clinic_id;
    Status status = Status::scheduled;
    Time scheduled_start_time;
    Time scheduled_end_time;
    std::optional<Time> actual_start_time;
    std::optional<Time> actual_end_time;
    int consultation_duration_minutes = 30;   ///< Planned.
    std::optional<std::string> media_region;  ///< Asked for at the booking; unset: the installation's.
    bool waiting_room = false;                ///< Everybody but the doctor waits to be let in.
    std::optional<std::string> chief_complaint;
    std::optional<std::string> session_notes;
    std::optional<Time> start_requested_at;                   ///< The appointments service announced the start.
    std::optional<Time> doctor_joined_at, patient_joined_at;  ///< First joins.
    std::optional<Time> doctor_left_at, patient_left_at;      ///< Last leaves; null while present.
    std::optional<Meeting> meeting;
    int last_generation = 0;  ///< Of the meeting that was given up; 0 while there is a meeting, or never was one.
    std::optional<int> connection_quality_rating;  ///< 1..5.
    std::optional<Time> cancelled_at;
    std::optional<std::string> cancelled_by;
    std::optional<std::string> cancellation_reason;
    Time created_at;
    Time updated_at;
    std::int64_t version = 0;         ///< Grows by one with each commit; optimistic locking.
    std::vector<Attendee> attendees;  ///< Doctor first, then patient, then guests as they were invited.

    bool operator==(const Session&) const = default;
};

/// One row of the audit trail.
struct AuditEntry {
    /// What happened to the session, or who only looked at it (or tried to). Only the former is told to its people.
    enum class Kind { life, access };

    std::string event_id;    ///< UUID.
    std::string session_id;  ///< Empty: about several sessions, or none.
    std::string event_type;  ///< `SESSION_CREATED`, `USER_JOINED` …
    std::optional<std::string> event_description;
    std::optional<std::string> user_id;  ///< Who did it; null = the service itself.
    Time event_timestamp;
    std::optional<std::string> role{};        ///< Of that person, as in their token.
    std::optional<std::string> address{};     ///< Where their request came from.
    std::optional<std::string> request_id{};  ///< The request that led to this.
    Kind kind = Kind::life;
    std::optional<std::string> subject_id{};  ///< Whom it was done to, where that is another person of the session.
};
/// `life`, `access`.
std::string_view to_text(AuditEntry::Kind kind);
std::optional<AuditEntry::Kind> audit_kind_from(std::string_view text);

/// A message for the rest of the platform; written to the outbox in the same transaction as the change.
/// `data` is flat and keeps its order: text, whole number or null.
struct Event {
    using Value = std::variant<std::nullptr_t, std::string, std::int64_t>;
    std::string event_id;  ///< UUID; becomes the message id.
    std::string session_id;
    std::string routing_key;  ///< `video.session.created` …
    std::string event_type;   ///< Mostly the routing key; contract section 4.4.
    Time occurred_at;
    std::vector<std::pair<std::string, Value>> data;
    std::string trace{};  ///< The request that led to it, as core::trace::to_line has it; empty: none that is known.
};

/// One interval of attendance, as a commit writes it: inserted when it opens, updated when it closes.
struct Interval {
    std::string interval_id;  ///< UUID.
    std::string session_id;
    std::string user_id;
    Role role = Role::patient;
    Time joined_at;
    std::optional<Time> left_at;  ///< Null = still open.
    Provider provider = Provider::embedded;
    std::string meeting_id;  ///< The meeting they were in; empty for rows of earlier services.
};

/// The attendee-minutes of one person in one session at one provider; a commit replaces the row of these three.
struct UsageRecord {
    std::string session_id;
    std::string user_id;
    int attendee_minutes = 0;  ///< Whole minutes.
    Time date;                 ///< First join: decides the month it counts in.
    bool session_completed = false;
    Provider provider = Provider::embedded;
    std::int64_t billed_tenths = 0;  ///< Chime only, see Attendee.
};

/// A meeting that a session has, or had: kept so that any of its ids finds the session. Upserted by meeting id.
struct MeetingRecord {
    std::string meeting_id;
    std::string session_id;
    Provider provider = Provider::embedded;
    int generation = 1;
    Time created_at;
    std::optional<Time> ended_at;
};

/// Something that must be done at the provider and outlives this process: written with the change that demands it,
/// retried until it is done.
struct Job {
    enum class Kind { end_meeting, remove_attendee };
    std::string job_id;  ///< UUID.
    Kind kind = Kind::end_meeting;
    std::string session_id;
    Provider provider = Provider::chime;
    std::string meeting_id;
    std::string attendee_id;  ///< Only for remove_attendee.
    Time due_at;
    int attempts = 0;
};
/// `END_MEETING`, `REMOVE_ATTENDEE`.
std::string_view to_text(Job::Kind kind);
std::optional<Job::Kind> job_kind_from(std::string_view text);

/// Everything one decision changes. Committed as one transaction, or not at all.
struct Change {
    Session after;                       ///< `after.version` is what the row will have.
    std::int64_t expected_version = -1;  ///< The version decided upon; -1 = the session is new.
    std::vector<AuditEntry> audit;
    std::vector<Event> events;
    std::vector<Interval> intervals;
    std::vector<UsageRecord> usage;
    std::vector<MeetingRecord> meetings;
    std::vector<Job> jobs;
    /// It must not be committed while another SCHEDULED, WAITING or ACTIVE session of the doctor, or of the patient,
    /// has planned times that overlap those of `after`.
    bool no_overlap = false;
    core::trace::Context trace{};  ///< Of the request that demands it.
};

}  // namespace consultation
