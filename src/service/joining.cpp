// Coming and going: join, start, leave, and the meeting that has to be there for it.
#include <algorithm>
#include <utility>

#include "consultation/access.hpp"
#include "consultation/life_cycle.hpp"
#include "consultation/waiting_room.hpp"
#include "core/bytes.hpp"
#include "service/change_loop.hpp"
#include "service/consultations.hpp"

namespace service {
namespace {

using consultation::Change;
using consultation::Meeting;
using consultation::Provider;
using consultation::Role;
using consultation::Session;
using consultation::Venue;
using core::ErrorKind;
using core::fail;

/// The ids of guests say by themselves what they are.
std::string external_user_id(Role role, const std::string& user_id) {
    if (role == Role::guest) return user_id;
    return (role == Role::doctor ? "doctor-" : "patient-") + user_id;
}

/// What the person was called in the present meeting, and whether they have given that up.
struct Known {
    std::string attendee_id;
    bool given_up = false;
};
Known known_in(const Session& session, const std::string& user_id) {
    const auto* attendee = consultation::find_attendee(session, user_id);
    if (!attendee) return {};
    return {attendee->chime_attendee_id, !attendee->present() && !attendee->chime_attendee_id.empty()};
}

int next_generation(const Session& session) {
    return (session.meeting ? session.meeting->generation : session.last_generation) + 1;
}
constexpr int kGenerationsTried = 3;

const Credentials* among(const std::vector<Credentials>& all, const std::string& external_id) {
    const auto found = std::ranges::find(all, external_id, &Credentials::external_user_id);
    return found == all.end() ? nullptr : &*found;
}

}  // namespace

Task<Result<MadeMeeting>> Consultations::make_meeting(const Session& session, int generation, core::trace::Context of) {
    MeetingPlan plan;
    plan.trace = std::move(of);
    plan.session_id = session.session_id;
    plan.generation = generation;
    plan.media_region = session.media_region;
    plan.doctor_id = session.doctor_id;
    plan.patient_id = session.patient_id;
    plan.external_user_ids = {external_user_id(Role::doctor, session.doctor_id),
                              external_user_id(Role::patient, session.patient_id)};
    co_return co_await meetings_.create_meeting(std::move(plan));
}

Task<Result<Consultations::Entrance>> Consultations::entrance(const Session& session, Role role,
                                                              const std::string& user_id, core::trace::Context of) {
    const auto external_id = external_user_id(role, user_id);
    if (session.meeting) {
        const auto known = known_in(session, user_id);
        auto credentials =
            co_await meetings_.credentials(*session.meeting, external_id, known.attendee_id, known.given_up, of);
        if (credentials) co_return Entrance{{*session.meeting, {}}, std::move(*credentials), false};
        if (credentials.error().kind != ErrorKind::gone) co_return std::unexpected(credentials.error());
    }
    // A generation may have been made before by a process that died before it could write that down, and have ended
    // since: the provider then gives the dead meeting again.
    const int first = next_generation(session);
    for (int generation = first; generation < first + kGenerationsTried; ++generation) {
        auto made = co_await make_meeting(session, generation, of);
        if (!made) co_return std::unexpected(made.error());
        Venue venue{std::move(made->meeting), std::move(made->note)};
        if (const auto* mine = among(made->attendees, external_id)) {
            co_return Entrance{std::move(venue), *mine, true};
        }
        auto credentials = co_await meetings_.credentials(venue.meeting, external_id, {}, false, of);
        if (credentials) co_return Entrance{std::move(venue), std::move(*credentials), true};
        if (credentials.error().kind != ErrorKind::gone) co_return std::unexpected(credentials.error());
    }
    co_return fail(ErrorKind::unavailable, "The meeting could not be opened, try again", std::chrono::seconds{1});
}

Task<Result<void>> Consultations::discard(const Session& session, const Meeting& meeting) {
    if (meeting.provider == Provider::embedded) {
        co_return co_await meetings_.end_meeting(meeting.provider, meeting.meeting_id);
    }
    consultation::Job job;
    job.job_id = core::uuid4();
    job.session_id = session.session_id;
    job.provider = meeting.provider;
    job.meeting_id = meeting.meeting_id;
    job.due_at = clock_.now();
    std::vector<consultation::Job> jobs;
    jobs.push_back(std::move(job));
    co_return co_await store_.add_jobs(std::move(jobs));
}

Task<Result<std::optional<Joined>>> Consultations::stand_in_queue(const Caller& by, const Session& session, Role role,
                                                                  const JoinRequest& request) {
    const auto now = clock_.now();
    auto after = session;
    auto change = consultation::wait(session, {role, by.user_id, request.device_type, request.browser_info}, now);
    if (change) {
        // That they still wait is no news, and no row of the trail.
        if (!change->audit.empty()) sign(*change, by, now);
        after = change->after;
        const auto committed = co_await commit(std::move(*change));
        if (!committed) co_return std::unexpected(committed.error());
        if (*committed != Committed::applied) co_return std::nullopt;
    }
    const auto* attendee = consultation::find_attendee(after, by.user_id);
    Joined waiting;
    waiting.queued =
        Queued{consultation::place_in_queue(after, by.user_id, now), attendee->waiting_since.value_or(now)};
    waiting.role = role;
    waiting.user_id = by.user_id;
    waiting.session = std::move(after);
    co_return waiting;
}

Task<Result<Joined>> Consultations::enter(Caller by, Session session, Role role, JoinRequest request,
                                          bool only_scheduled) {
    for (int round = 0; round < kMaxRounds; ++round) {
        if (auto open = only_scheduled ? consultation::can_start(session) : consultation::can_join(session); !open) {
            co_return std::unexpected(open.error());
        }
        const auto door = consultation::door(session, role, by.user_id);
        if (!door) co_return std::unexpected(co_await trail_.refused(by, session.session_id, "JOIN", door.error()));
        if (*door == consultation::Door::waiting_room) {
            auto waiting = co_await stand_in_queue(by, session, role, request);
            if (!waiting) co_return std::unexpected(waiting.error());
            if (*waiting) co_return std::move(**waiting);
            auto fresh = co_await load(session.session_id, by.trace);
            if (!fresh) co_return std::unexpected(fresh.error());
            session = std::move(*fresh);
            continue;
        }
        auto entered = co_await entrance(session, role, by.user_id, by.trace);
        if (!entered) co_return std::unexpected(entered.error());
        auto& [venue, credentials, made_here] = *entered;

        const auto now = clock_.now();
        consultation::Entry entry{role,
                                  credentials.attendee_id,
                                  credentials.external_user_id,
                                  request.device_type,
                                  request.browser_info,
                                  std::nullopt,
                                  by.user_id};
        if (meetings_.presence(venue.meeting.provider) != MeetingProvider::Presence::none) {
            entry.present_until = now + settings_.join_timeout;
        }
        auto change = consultation::join(session, venue, entry, now);
        auto reachable = meetings_.placed_for(venue.meeting,
                                              credentials.reach_at.empty() ? request.reached_at : credentials.reach_at);
        if (request.relay) reachable = meetings_.through_relay(std::move(reachable));
        auto who = by.user_id;
        if (!change) {
            auto noted = co_await trail_.note(by, session.session_id, "SESSION_READ", "JOIN");
            if (!noted) co_return std::unexpected(noted.error());
            co_return Joined{std::move(session), role, std::move(who), std::move(reachable), std::move(credentials)};
        }
        sign(*change, by, now);
        auto after = change->after;
        auto committed = co_await commit(std::move(*change));
        if (!committed) co_return std::unexpected(committed.error());
        if (*committed == Committed::applied) {
            co_return Joined{std::move(after), role, std::move(who), std::move(reachable), std::move(credentials)};
        }
        auto fresh = co_await load(session.session_id, by.trace);
        if (!fresh) co_return std::unexpected(fresh.error());
        const bool in_use = fresh->meeting && fresh->meeting->meeting_id == venue.meeting.meeting_id &&
                            !consultation::is_closed(fresh->status);
        // Nobody will find a meeting that was made for a session which has another by now, or none any more.
        if (made_here && !in_use && (fresh->meeting || consultation::is_closed(fresh->status))) {
            if (auto gone = co_await discard(*fresh, venue.meeting); !gone) co_return std::unexpected(gone.error());
        }
        session = std::move(*fresh);
    }
    co_return too_busy();
}

Task<Result<Joined>> Consultations::join(Caller caller, std::string id, JoinRequest request) {
    auto session = co_await load_any(std::move(id), caller.trace);
    if (!session) co_return std::unexpected(session.error());
    auto role = consultation::may_join(*session, caller);
    if (!role) co_return std::unexpected(co_await trail_.refused(caller, session->session_id, "JOIN", role.error()));
    if (auto agreed = co_await demand_consent(*session, *role); !agreed) co_return std::unexpected(agreed.error());
    co_return co_await enter(std::move(caller), std::move(*session), *role, std::move(request), false);
}

Task<Result<std::pair<Session, std::optional<Joined>>>> Consultations::start(Caller caller, std::string id,
                                                                             JoinRequest request) {
    using Started = std::pair<Session, std::optional<Joined>>;
    auto session = co_await load_any(std::move(id), caller.trace);
    if (!session) co_return std::unexpected(session.error());
    if (auto allowed = consultation::may_start(*session, caller); !allowed) {
        co_return std::unexpected(co_await trail_.refused(caller, session->session_id, "START", allowed.error()));
    }

    if (!caller.is_admin()) {
        auto joined = co_await enter(std::move(caller), std::move(*session), Role::doctor, std::move(request), true);
        if (!joined) co_return std::unexpected(joined.error());
        auto copy = joined->session;
        co_return Started{std::move(copy), std::move(*joined)};
    }
    if (auto open = consultation::can_start(*session); !open) co_return std::unexpected(open.error());
    if (session->meeting) {
        auto noted = co_await trail_.note(caller, session->session_id, "SESSION_READ", "START");
        if (!noted) co_return std::unexpected(noted.error());
        trail_.veil(caller, *session);
        co_return Started{std::move(*session), std::nullopt};
    }
    const auto made = co_await make_meeting(*session, next_generation(*session), caller.trace);
    if (!made) co_return std::unexpected(made.error());
    const Venue venue{made->meeting, made->note};
    auto prepared = co_await change_by(caller, "START", session->session_id,
                                       [&](const Session& s, Time now) -> Result<std::optional<Change>> {
                                           if (auto open = consultation::can_start(s); !open)
                                               return std::unexpected(open.error());
                                           if (s.meeting) return std::nullopt;
                                           return consultation::prepare_meeting(s, venue, caller, now);
                                       });
    const bool in_use = prepared && prepared->meeting && prepared->meeting->meeting_id == venue.meeting.meeting_id;
    if (!in_use) {
        if (auto gone = co_await discard(*session, venue.meeting); !gone) co_return std::unexpected(gone.error());
    }
    if (!prepared) co_return std::unexpected(prepared.error());
    co_return Started{std::move(*prepared), std::nullopt};
}

Task<Result<Session>> Consultations::leave(Caller caller, std::string session_id) {
    std::optional<std::string> attendee_id;
    auto after = co_await change_by(
        caller, "LEAVE", session_id, [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            if (auto allowed = consultation::may_attend(s, caller); !allowed) return std::unexpected(allowed.error());
            if (!consultation::part_of(s, caller)) return std::nullopt;
            const auto* attendee = consultation::find_attendee(s, caller.user_id);
            if (attendee && attendee->lobby == consultation::Lobby::waiting) {
                return consultation::stop_waiting(s, caller.user_id, now);
            }
            if (attendee) attendee_id = attendee->chime_attendee_id;
            return consultation::leave(s, caller.user_id, consultation::Departure::by_call, now, now);
        });
    // What AWS has to be told is a job in the same commit.
    if (after && after->meeting && after->meeting->provider == Provider::embedded && attendee_id) {
        auto removed = co_await meetings_.remove_attendee(Provider::embedded, after->meeting->meeting_id, *attendee_id);
        if (!removed) co_return std::unexpected(removed.error());
    }
    if (after && caller.is_guest()) co_return consultation::for_guest(std::move(*after));
    co_return after;
}

Task<Result<Session>> Consultations::close_meeting(Result<Session> session) {
    if (session && session->meeting && session->meeting->provider == Provider::embedded) {
        auto ended = co_await meetings_.end_meeting(Provider::embedded, session->meeting->meeting_id);
        if (!ended) co_return std::unexpected(ended.error());
    }
    co_return session;
}

Task<Result<Session>> Consultations::start_transcription(Caller caller, std::string session_id,
                                                         TranscriptionOptions options) {
    auto session = co_await running_with_doctor(caller, std::move(session_id));
    if (!session) co_return session;
    const auto language = options.medical ? options.language_code + ", medical" : options.language_code;
    if (auto started = co_await meetings_.start_transcription(*session->meeting, std::move(options)); !started) {
        co_return std::unexpected(meeting_error(started.error()));
    }
    co_return co_await change_by(caller, "TRANSCRIPTION", session->session_id,
                                 [&](const Session& s, Time now) -> Result<std::optional<Change>> {
                                     return consultation::note(s, s.doctor_id, "TRANSCRIPTION_STARTED",
                                                               "Transcription started (" + language + ")", now);
                                 });
}

Task<Result<Session>> Consultations::stop_transcription(Caller caller, std::string session_id) {
    auto session = co_await running_with_doctor(caller, std::move(session_id));
    if (!session) co_return session;
    if (auto stopped = co_await meetings_.stop_transcription(*session->meeting); !stopped) {
        co_return std::unexpected(meeting_error(stopped.error()));
    }
    co_return co_await change_by(
        caller, "TRANSCRIPTION", session->session_id, [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            return consultation::note(s, s.doctor_id, "TRANSCRIPTION_STOPPED", "Transcription stopped", now);
        });
}

core::Error Consultations::meeting_error(core::Error error) {
    if (error.kind == ErrorKind::gone) {
        error = {ErrorKind::conflict, "The meeting is not running any more, join again", std::chrono::seconds{0}};
    }
    return error;
}

Task<Result<Session>> Consultations::running_with_doctor(Caller caller, std::string session_id) {
    auto session = co_await load(std::move(session_id), caller.trace);
    if (!session) co_return session;
    if (auto allowed = consultation::may_transcribe(*session, caller); !allowed) {
        co_return std::unexpected(
            co_await trail_.refused(caller, session->session_id, "TRANSCRIPTION", allowed.error()));
    }
    if (consultation::is_closed(session->status) || !session->meeting) {
        co_return fail(ErrorKind::conflict, "The session has no running meeting");
    }
    co_return session;
}

}  // namespace service
