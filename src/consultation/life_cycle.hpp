// The life cycle of a session: every way it can change, as a function from what is and what happens to what to commit.
// Pure: time, ids and secrets come in as arguments or are drawn from core::uuid4. Callers have checked access before.
//
//   SCHEDULED ── first join ──▶ WAITING ── the other joins ──▶ ACTIVE ── end, or all gone ──▶ COMPLETED
//       │  └─────── cancel ───────┴──────▶ CANCELLED             end is also allowed before ACTIVE
//       └── nobody, or only one, came by the scheduled end (of a visit booked later: by then) + grace ──▶ NO_SHOW
//           (end makes it COMPLETED)
//
// Guests take part and have their minutes, but a visit is between doctor and patient: whether those came, and whether
// they are still there, decides over its state. People in the waiting room (waiting_room.hpp) are not in the session.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "consultation/access.hpp"
#include "consultation/session.hpp"
#include "core/result.hpp"

namespace consultation {

struct Booking {
    BookingType booking_type = BookingType::direct_doctor;
    std::optional<std::string> appointment_id;
    std::string doctor_id;
    std::string patient_id;
    std::optional<std::int32_t> clinic_id;
    Time scheduled_start_time;
    int duration_minutes = 30;
    std::optional<std::string> chief_complaint;
    std::optional<std::string> media_region;
    std::optional<bool> waiting_room;  ///< Unset: the installation's.
};

/// A new session; `by` without an id is another service. `meeting_url_base` is where clients reach this service
/// (`API_URL`), for the announcement.
Change book(const Booking& booking, const Caller& by, Time now, std::string_view meeting_url_base);

/// The announcement of a booking once more, for a listener that missed or lost the first.
Event announce_again(const Session& session, std::string event_id, Time now, std::string_view meeting_url_base);

/// The session as its booking answered it, before anything happened to it.
Session as_booked(Session session);

/// Refuses a join of a closed session (400, contract 1.5).
core::Result<void> can_join(const Session& session);
/// `/start` is for SCHEDULED sessions only.
core::Result<void> can_start(const Session& session);

struct Entry {
    Role role = Role::patient;
    std::string chime_attendee_id;
    std::string external_user_id;
    std::optional<std::string> device_type;  ///< Unset: what an earlier join said stays.
    std::optional<std::string> browser_info;
    std::optional<Time> present_until;  ///< Without news of the connection they have left by then.
    std::string user_id{};              ///< Empty: the session's doctor or patient.
};

/// A meeting to enter: as it is, or just made. `note` says in the audit trail why it is where it is; mostly empty.
struct Venue {
    Meeting meeting;
    std::string note;
};

/// Somebody comes in: opens their interval, moves the state on. A new meeting replaces the session's, whose stays end
/// when somebody was last known to be there. Nullopt: they are in already and nothing changes.
std::optional<Change> join(const Session& session, const Venue& venue, const Entry& entry, Time now);

/// Gives a SCHEDULED session its meeting without anybody joining (an admin's start).
std::optional<Change> prepare_meeting(const Session& session, const Venue& venue, const Caller& by, Time now);

/// The doctor started the session in the appointments service. Nullopt: that is known.
core::Result<std::optional<Change>> note_start(const Session& session, const std::string& doctor_id, Time now);

/// How a stay ended: by the person's own word (their identity in the meeting is then given up), or as the meeting saw.
enum class Departure { by_call, seen };

/// Closes the person's open interval at `at`. Nullopt: they are not in (a second leave counts nothing).
std::optional<Change> leave(const Session& session, std::string_view user_id, Departure how, Time at, Time now);

/// The meeting saw the person connect at `at`, and will see them leave: their stay counts from then and is open-ended.
/// Nullopt: nothing new, or older than what is known, or they must not be there.
std::optional<Change> connected(const Session& session, std::string_view user_id, Time at, Time now);

/// The session's present meeting is over: all stays end at `at`, or where `at` is unset `unseen` before the last proof
/// that somebody was there. Nullopt: nobody was in.
std::optional<Change> meeting_over(const Session& session, std::optional<Time> at, std::chrono::seconds unseen,
                                   Time now);

struct Ending {
    std::optional<std::string> notes;  ///< Unset: earlier notes stay.
    std::optional<int> rating;
};
core::Result<Change> end(const Session& session, const Caller& by, const Ending& ending, Time now);
/// The same at the wish of the appointments service, which gets an answer of its own. Nullopt: it is COMPLETED already.
core::Result<std::optional<Change>> end_on_request(const Session& session, const Caller& by, Time now);

core::Result<Change> cancel(const Session& session, const Caller& by, const std::string& reason, Time now);

Change update_notes(const Session& session, const Caller& by, const std::string& notes, Time now);

/// A line in the audit trail about something that changes nothing in the session itself.
Change note(const Session& session, const std::string& user_id, std::string event_type, std::string description,
            Time now);

struct Patience {
    std::chrono::minutes abandoned_after{15};
    std::chrono::minutes no_show_grace{15};
};

/// What the clock alone does to a session: presence that ran out, everybody gone, nobody came. Nullopt: nothing.
std::optional<Change> advance(const Session& session, const Patience& patience, Time now);

/// Whole minutes from actual start to actual end; 0 while either is missing.
int duration_minutes(const Session& session);

/// A person's time: the whole minutes of all their closed intervals at one provider together, at least one for anybody
/// who was there at all; summed over providers.
int whole_minutes(std::chrono::microseconds attended);
int attendee_minutes(const Attendee& attendee);
int attendee_minutes(const Session& session);

/// A stay as AWS bills it, in tenths of a minute, rounded up.
std::int64_t billed_tenths(std::chrono::microseconds stay);

/// The person of the session with this id, or null.
const Attendee* find_attendee(const Session& session, std::string_view user_id);
/// Its doctor or its patient.
const Attendee* find_attendee(const Session& session, Role role);

}  // namespace consultation
