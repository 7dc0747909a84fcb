// The use cases: one function for each thing a caller can do with consultation sessions. Each runs straight through:
// load, decide (room `consultation`), commit; a commit that lost a race is decided again on fresh data.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consultation/invitation.hpp"
#include "consultation/life_cycle.hpp"
#include "consultation/reschedule.hpp"
#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/access_trail.hpp"
#include "service/consents.hpp"
#include "service/directory.hpp"
#include "service/guest_passes.hpp"
#include "service/meeting_owner.hpp"
#include "service/meeting_provider.hpp"
#include "service/meter.hpp"
#include "service/session_store.hpp"
#include "service/store.hpp"
#include "service/task.hpp"
#include "service/token_verifier.hpp"

namespace service {

using core::Result;

/// A booking as validated by `api`: lengths and ranges hold, times are UTC, CLINIC_BASED names its appointment.
struct CreateRequest : consultation::Booking {
    std::optional<std::string> idempotency_key;
    /// What the client did not say and the appointment will; only where appointments are looked up.
    struct LeftOut {
        bool doctor = false, patient = false, start = false, duration = false;
        bool any_required() const { return doctor || patient || start; }
    } left_out;
};

struct Created {
    consultation::Session session;
    bool is_new = true;  ///< False: an earlier booking of the same appointment or key, given again.
};

struct JoinRequest {
    std::optional<std::string> device_type;
    std::optional<std::string> browser_info;
    std::string
        reached_at;  ///< How this client reaches the service: scheme and host of its request, `http://localhost:8086`.
    bool relay = false;  ///< It wants its audio and video to go through a TURN relay.
};

/// Where somebody stands who has to wait to be let in.
struct Queued {
    int position = 1;
    Time since;
};

/// What a participant needs to enter.
struct Joined {
    consultation::Session session;
    consultation::Role role = consultation::Role::patient;
    std::string user_id;
    consultation::Meeting meeting;  ///< With the addresses that this client can reach; use these in its answer.
    Credentials credentials;
    std::optional<Queued> queued{};  ///< Set: not in, but in the waiting room; meeting and credentials are empty then.
};

/// What the doctor says about somebody at the door, or in the call.
enum class DoorDecision { admit, deny, remove };

struct InviteRequest {
    consultation::GuestKind kind = consultation::GuestKind::other;
    std::string name;
    std::optional<std::chrono::minutes> life;  ///< Of the link; unset: the installation's.
};

struct Invited {
    consultation::Session session;
    consultation::Attendee guest;
    std::string invitation;  ///< Secret, and not kept: what the link carries, good for opening it once.
};

struct Redeemed {
    consultation::Session session;  ///< As the guest may see it.
    consultation::Attendee guest;
    IssuedToken token;
};

struct EndRequest {
    std::optional<std::string> session_notes;      ///< Unset: earlier notes stay.
    std::optional<int> connection_quality_rating;  ///< 1..5.
};

struct ConsultationsSettings {
    std::chrono::minutes abandoned_after{15};
    std::chrono::minutes no_show_grace{15};
    std::chrono::seconds join_timeout{120};     ///< Joined, but never connected to the meeting: gone after so long.
    std::chrono::seconds presence_timeout{45};  ///< Connected, then no heartbeat: gone after so long.
    std::string meeting_url_base = "http://localhost:8086";  ///< `API_URL`.
    AdminAccess admin_access = AdminAccess::open;
    Appointments* appointments = nullptr;  ///< Looks appointments up at booking; null: they are taken on trust.
    bool waiting_room = false;             ///< Of bookings that do not say.
    std::size_t max_attendees = 4;         ///< Of a session: doctor, patient and guests.
    std::chrono::minutes invitation_life{7 * 24 * 60};  ///< Of links that do not say.
    const GuestPasses* guest_passes = nullptr;          ///< Null: nobody can be invited here.
    bool prevent_overlap = false;                       ///< Nobody has two live visits whose planned times overlap.
    Consents* consents = nullptr;  ///< What patients agree to before a call; null: nothing is asked of them.
};

/// Owns nothing but references; they must outlive it. Any control-plane thread. Errors carry the contract's texts.
class Consultations final : public MeetingOwner {
  public:
    Consultations(ConsultationsSettings settings, Store& store, MeetingProvider& meetings, const core::Clock& clock)
        : settings_(std::move(settings)),
          store_(store),
          meetings_(meetings),
          clock_(clock),
          trail_(store_, clock_, settings_.admin_access) {}

    Task<Result<Created>> create(Caller caller, CreateRequest request);
    Task<Result<consultation::Session>> get(Caller caller, std::string session_id);
    Task<Result<consultation::Session>> get_by_appointment(Caller caller, std::string appointment_id);
    /// `query` restricts within what the caller may see: admins all, doctors and patients their own, others nothing.
    Task<Result<SessionPage>> list(Caller caller, SessionQuery query);
    Task<Result<SessionPage>> list_of_doctor(Caller caller, std::string doctor_id, SessionQuery query);
    Task<Result<SessionPage>> list_of_patient(Caller caller, std::string patient_id, SessionQuery query);
    Task<Result<std::vector<consultation::AuditEntry>>> events(Caller caller, std::string session_id);

    /// `id`: of the session, or of its appointment.
    Task<Result<Joined>> join(Caller caller, std::string id, JoinRequest request);
    /// The doctor starts and joins; an admin starts without joining (`credentials` are empty then).
    Task<Result<std::pair<consultation::Session, std::optional<Joined>>>> start(Caller caller, std::string id,
                                                                                JoinRequest request);
    Task<Result<consultation::Session>> leave(Caller caller, std::string session_id);
    Task<Result<consultation::Session>> end(Caller caller, std::string session_id, EndRequest request);
    Task<Result<consultation::Session>> cancel(Caller caller, std::string session_id, std::string reason);
    Task<Result<consultation::Session>> update_notes(Caller caller, std::string session_id, std::string notes);
    /// To another time. With `versions` only if the session's is one of them, else `precondition_failed`.
    Task<Result<consultation::Session>> reschedule(Caller caller, std::string session_id, consultation::Move move,
                                                   std::optional<std::vector<std::int64_t>> versions);
    /// Somebody begins to look on: goes into the trail.
    Task<Result<consultation::Session>> begin_following(Caller caller, std::string session_id);
    /// The session for those who look on while it happens.
    Task<Result<consultation::Session>> follow(Caller caller, std::string session_id);
    /// A patient agrees to the present text; `session_id`: the visit it is for, which is told so in its trail.
    Task<Result<Consents::Given>> give_consent(Caller caller, std::string version,
                                               std::optional<std::string> session_id);

    /// The session with its queue (consultation/waiting_room.hpp): for the doctor and admins.
    Task<Result<consultation::Session>> waiting_room(Caller caller, std::string session_id);
    /// `who`: by user id, or by the id in the meeting.
    Task<Result<consultation::Session>> decide(Caller caller, std::string session_id, std::string who,
                                               DoorDecision decision);
    /// The doctor asks a guest in.
    Task<Result<Invited>> invite(Caller caller, std::string session_id, InviteRequest request);
    /// The session with its guests: for the doctor and admins.
    Task<Result<consultation::Session>> invitations(Caller caller, std::string session_id);
    Task<Result<consultation::Session>> revoke_invitation(Caller caller, std::string session_id, std::string guest_id);
    /// Whoever opens the link first is the guest. `caller`: about the request only, nobody is known yet.
    Task<Result<Redeemed>> redeem_invitation(Caller caller, std::string invitation);

    /// The doctor has the meeting written down, or stops that.
    Task<Result<consultation::Session>> start_transcription(Caller caller, std::string session_id,
                                                            TranscriptionOptions options);
    Task<Result<consultation::Session>> stop_transcription(Caller caller, std::string session_id);
    /// A participant's client tells how its call was; allowed from the first join on, also after the end.
    Task<Result<void>> report_quality(Caller caller, std::string session_id, QualityReport report);
    /// Whether the caller takes part in a session that is WAITING or ACTIVE.
    Task<Result<bool>> in_running_session(Caller caller);

    /// The present time in UTC, for answers that need it.
    Time now() const { return clock_.now(); }
    const std::string& url_base() const { return settings_.meeting_url_base; }
    /// For whoever shows something of sessions by other ways than these: write it down first.
    AccessTrail& trail() { return trail_; }
    Task<Result<void>> ping() { return store_.ping(); }

    /// The meeting server asks whether this attendee may connect.
    Task<Result<Admission>> admit(std::string meeting_id, std::string attendee_id) override;
    Task<Result<void>> happened(core::MeetingEvent event) override;
    /// The meeting server saw an attendee connect, or lose the connection for good (`at` = when it was lost).
    Task<Result<void>> attendee_connected(std::string meeting_id, std::string attendee_id, Time at);
    Task<Result<void>> attendee_gone(std::string meeting_id, std::string attendee_id, Time at);
    Task<Result<void>> attendees_seen(std::vector<std::string> attendee_ids) override;

    /// What AWS tells about one of our meetings: in any order, any number of times. Unknown meetings are fine.
    Task<Result<void>> chime_event(ChimeEvent event);
    /// Asks Chime about its open sessions and closes the stays of those whose meeting is gone. Call every minute or so.
    Task<Result<int>> reconcile_meetings();
    /// Takes one durable job that is due and tries it. Returns how many it took: 0 or 1.
    Task<Result<int>> do_jobs();

    /// The appointments service booked, announced the start, or ended the session, in its own way; see
    /// PlatformRequests.
    Task<Result<Created>> book_requested(CreateRequest request, core::trace::Context of = {});
    Task<Result<consultation::Session>> start_requested(std::string session_id, std::string doctor_id,
                                                        core::trace::Context of = {});
    Task<Result<consultation::Session>> end_requested(std::string session_id, Caller by);

    /// Closes what nobody closes (expired presence, abandoned and missed visits). Call every few seconds; several
    /// processes may. Returns how many sessions it changed.
    Task<Result<int>> sweep();

  private:
    Task<Result<consultation::Session>> load(std::string session_id, core::trace::Context of = {});
    Task<Result<Committed>> commit(consultation::Change change, std::optional<IdempotencyRecord> idempotency = {});
    /// Decides on fresh data and commits, again and again until nobody else was faster. `decide(session, now)` gives a
    /// Result<optional<Change>>; nullopt leaves the session as it is.
    template <class Decide>
    Task<Result<consultation::Session>> change(std::string session_id, Decide decide, core::trace::Context of = {});
    /// The same for what a person does: the trail tells who asked (also when it comes to nothing, or is refused), and
    /// what they do not get to see is not in the result. `what` names the attempt, should it be refused.
    template <class Decide>
    Task<Result<consultation::Session>> change_by(const Caller& by, std::string_view what, std::string session_id,
                                                  Decide decide);
    /// A session that the caller asked to see, once it is written down that they did.
    Task<Result<consultation::Session>> shown(const Caller& caller, consultation::Session session, std::string what);
    /// The page that the query finds, once it is written down that it was shown. `asked`: whose.
    Task<Result<SessionPage>> listed(const Caller& caller, SessionQuery query, std::string asked);
    /// A booking that was there before.
    Task<Result<Created>> found_booked(const Caller& caller, Created created);
    /// What became of a use case, once a refusal is written down.
    template <class T>
    Task<Result<T>> with_refusal(const Caller& caller, std::string session_id, std::string_view what, Result<T> result);
    /// The session with this id, or of the appointment with this id.
    Task<Result<consultation::Session>> load_any(std::string id, core::trace::Context of = {});
    /// What a patient has to agree to before a call. A session that cannot be joined asks for nothing.
    Task<Result<void>> demand_consent(const consultation::Session& session, consultation::Role role);
    Task<Result<void>> fill_from_appointment(const Caller& caller, CreateRequest& request);
    Task<Result<Created>> book(Caller by, CreateRequest request);
    Task<Result<MadeMeeting>> make_meeting(const consultation::Session& session, int generation,
                                           core::trace::Context of);
    struct Entrance {
        consultation::Venue venue;
        Credentials credentials;
        bool made_here = false;  ///< The meeting is new.
    };
    /// A working way into the session's meeting, which is made (anew) where it is not there.
    Task<Result<Entrance>> entrance(const consultation::Session& session, consultation::Role role,
                                    const std::string& user_id, core::trace::Context of);
    /// Ends a meeting that no session has.
    Task<Result<void>> discard(const consultation::Session& session, const consultation::Meeting& meeting);
    Task<Result<Joined>> enter(Caller by, consultation::Session session, consultation::Role role, JoinRequest request,
                               bool only_scheduled);
    /// Takes a place in the queue, or keeps it. Nullopt: somebody else changed the session first.
    Task<Result<std::optional<Joined>>> stand_in_queue(const Caller& by, const consultation::Session& session,
                                                       consultation::Role role, const JoinRequest& request);
    Task<Result<consultation::Session>> door_seen(Caller caller, std::string session_id, std::string what);
    /// Somebody who may not be in the meeting any more leaves it at once; AWS is told by a job.
    Task<Result<consultation::Session>> put_out(Result<consultation::Session> session, std::string attendee_id);
    Task<Result<consultation::Session>> running_with_doctor(Caller caller, std::string session_id);
    static core::Error meeting_error(core::Error error);
    /// Ends the meeting of a session that has just been closed.
    Task<Result<consultation::Session>> close_meeting(Result<consultation::Session> session);
    Task<Result<void>> reconcile_meeting(const consultation::Session& session);
    Task<Result<void>> close_stay(std::string session_id, std::string attendee_id, Time at);

    ConsultationsSettings settings_;
    Store& store_;
    MeetingProvider& meetings_;
    const core::Clock& clock_;
    AccessTrail trail_;
};

}  // namespace service
