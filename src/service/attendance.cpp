// Who is there: what the meetings see and tell, what the clock alone decides, and what has to be done at the providers.
#include <algorithm>
#include <utility>

#include "consultation/life_cycle.hpp"
#include "consultation/waiting_room.hpp"
#include "core/log.hpp"
#include "service/change_loop.hpp"
#include "service/consultations.hpp"

namespace service {
namespace {

using consultation::Change;
using consultation::Departure;
using consultation::Job;
using consultation::Provider;
using consultation::Session;
using core::ErrorKind;

/// AWS ends a meeting when nobody has been connected for so long (Chime SDK developer guide, meeting end).
constexpr std::chrono::minutes kChimeIdleEnd{5};
/// A job that another process has taken and not finished by then is anybody's again.
constexpr std::chrono::seconds kJobLease{60};
constexpr std::chrono::seconds kLongestJobPause{300};

std::chrono::seconds pause_after(int attempts) {
    return std::min(kLongestJobPause, std::chrono::seconds{1LL << std::clamp(attempts - 1, 0, 16)});
}

bool is_current(const Session& session, const std::string& meeting_id) {
    return session.meeting && session.meeting->meeting_id == meeting_id;
}

}  // namespace

Task<Result<Admission>> Consultations::admit(std::string meeting_id, std::string attendee_id) {
    auto found = co_await store_.find_by_meeting(meeting_id);
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return Admission{};
    if (consultation::is_closed((*found)->status) || !is_current(**found, meeting_id)) {
        co_return Admission{.verdict = Admission::Verdict::ended};
    }
    const auto* attendee = by_attendee_id(**found, attendee_id);
    if (!attendee || !consultation::may_be_in(**found, *attendee)) co_return Admission{};
    co_return Admission{.verdict = Admission::Verdict::admitted,
                        .external_user_id = attendee->external_user_id,
                        .max_attendees = settings_.max_attendees};
}

Task<Result<void>> Consultations::happened(core::MeetingEvent event) {
    using Kind = core::MeetingEvent::Kind;
    if (event.kind == Kind::attendee_joined) {
        co_return co_await attendee_connected(std::move(event.meeting_id), std::move(event.attendee_id), event.at);
    }
    if (event.kind == Kind::attendee_left || event.kind == Kind::attendee_dropped) {
        co_return co_await attendee_gone(std::move(event.meeting_id), std::move(event.attendee_id), event.at);
    }
    co_return Result<void>{};
}

Task<Result<void>> Consultations::attendee_connected(std::string meeting_id, std::string attendee_id, Time at) {
    auto found = co_await store_.find_by_meeting(meeting_id);
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return Result<void>{};
    for (int round = 0; round < kMaxRounds; ++round) {
        const auto& session = **found;
        if (consultation::is_closed(session.status) || !is_current(session, meeting_id)) {
            co_return co_await meetings_.end_meeting(Provider::embedded, meeting_id);
        }
        const auto* attendee = by_attendee_id(session, attendee_id);
        if (!attendee) co_return Result<void>{};
        // Put out while the connection was being made.
        if (!consultation::may_be_in(session, *attendee)) {
            co_return co_await meetings_.remove_attendee(Provider::embedded, meeting_id, attendee_id);
        }
        if (attendee->present()) {
            std::vector<Heartbeat> beat(1, Heartbeat{attendee_id, at, at + settings_.presence_timeout});
            co_return co_await store_.heartbeat(std::move(beat));
        }
        const consultation::Entry entry{.role = attendee->role,
                                        .chime_attendee_id = attendee_id,
                                        .external_user_id = attendee->external_user_id,
                                        .device_type = std::nullopt,
                                        .browser_info = std::nullopt,
                                        .present_until = at + settings_.presence_timeout,
                                        .user_id = attendee->user_id};
        auto change = consultation::join(session, {*session.meeting, {}}, entry, at);
        if (!change) co_return Result<void>{};
        auto committed = co_await store_.commit(std::move(*change));
        if (!committed) co_return std::unexpected(committed.error());
        if (*committed == Committed::applied) co_return Result<void>{};
        found = co_await store_.find_by_meeting(meeting_id);
        if (!found) co_return std::unexpected(found.error());
        if (!*found) co_return Result<void>{};
    }
    co_return too_busy();
}

Task<Result<void>> Consultations::attendee_gone(std::string meeting_id, std::string attendee_id, Time at) {
    auto found = co_await store_.find_by_meeting(std::move(meeting_id));
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return Result<void>{};
    co_return co_await close_stay((*found)->session_id, std::move(attendee_id), at);
}

Task<Result<void>> Consultations::close_stay(std::string session_id, std::string attendee_id, Time at) {
    auto after =
        co_await change(std::move(session_id), [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            const auto* attendee = by_attendee_id(s, attendee_id);
            // An interval that opened after the loss belongs to a newer visit.
            if (!attendee || !attendee->present() || *attendee->opened_at > at) return std::nullopt;
            return consultation::leave(s, attendee->user_id, Departure::seen, at, now);
        });
    if (!after) co_return std::unexpected(after.error());
    co_return Result<void>{};
}

Task<Result<void>> Consultations::attendees_seen(std::vector<std::string> attendee_ids) {
    if (attendee_ids.empty()) co_return Result<void>{};
    const auto now = clock_.now();
    std::vector<Heartbeat> beats;
    beats.reserve(attendee_ids.size());
    for (auto& id : attendee_ids) beats.push_back({std::move(id), now, now + settings_.presence_timeout});
    co_return co_await store_.heartbeat(std::move(beats));
}

Task<Result<void>> Consultations::chime_event(ChimeEvent event) {
    auto found = co_await store_.find_by_meeting(event.meeting_id);
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return Result<void>{};
    const auto& type = event.event_type;
    auto after =
        co_await change((*found)->session_id, [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            if (consultation::is_closed(s.status) || !is_current(s, event.meeting_id)) return std::nullopt;
            if (type == "chime:MeetingEnded") return consultation::meeting_over(s, event.occurred_at, {}, now);
            const auto* attendee = by_attendee_id(s, event.attendee_id);
            if (!attendee) return std::nullopt;
            if (type == "chime:AttendeeJoined") {
                return consultation::connected(s, attendee->user_id, event.occurred_at, now);
            }
            const bool left =
                type == "chime:AttendeeLeft" || type == "chime:AttendeeDropped" || type == "chime:AttendeeDeleted";
            if (!left || !attendee->present() || *attendee->opened_at > event.occurred_at) return std::nullopt;
            return consultation::leave(s, attendee->user_id, Departure::seen, event.occurred_at, now);
        });
    if (!after) co_return std::unexpected(after.error());
    // Kept last: a notification that is told again because we failed here has changed nothing twice.
    auto kept = co_await store_.record_chime_event(std::move(event), clock_.now());
    if (!kept) co_return std::unexpected(kept.error());
    co_return Result<void>{};
}

Task<Result<void>> Consultations::reconcile_meeting(const Session& session) {
    if (!session.meeting || session.meeting->provider != Provider::chime) co_return Result<void>{};
    const auto meeting_id = session.meeting->meeting_id;
    const auto roster = co_await meetings_.roster(*session.meeting);
    if (!roster && roster.error().kind != ErrorKind::gone) co_return std::unexpected(roster.error());
    if (!roster) {
        // Without notifications a stay was last proven by the meeting's existence, which outlives the people by that.
        const bool told = meetings_.presence(Provider::chime) == MeetingProvider::Presence::events;
        auto over =
            co_await change(session.session_id, [&](const Session& s, Time now) -> Result<std::optional<Change>> {
                if (!is_current(s, meeting_id)) return std::nullopt;
                return consultation::meeting_over(s, std::nullopt, told ? std::chrono::seconds{0} : kChimeIdleEnd, now);
            });
        if (!over) co_return std::unexpected(over.error());
        co_return Result<void>{};
    }
    const auto now = clock_.now();
    std::vector<Heartbeat> beats;
    for (const auto& attendee : session.attendees) {
        if (!attendee.present()) continue;
        if (std::ranges::find(*roster, attendee.chime_attendee_id) != roster->end()) {
            beats.push_back({attendee.chime_attendee_id, now, now});
        } else {
            auto closed = co_await close_stay(session.session_id, attendee.chime_attendee_id,
                                              attendee.last_seen_at.value_or(*attendee.opened_at));
            if (!closed) co_return closed;
        }
    }
    if (beats.empty()) co_return Result<void>{};
    co_return co_await store_.heartbeat(std::move(beats));
}

Task<Result<int>> Consultations::reconcile_meetings() {
    constexpr int kPage = 100;
    int looked_at = 0;
    std::string after;
    for (;;) {
        const auto ids = co_await store_.open_at(Provider::chime, after, kPage);
        if (!ids) co_return std::unexpected(ids.error());
        for (const auto& id : *ids) {
            const auto session = co_await load(id);
            if (!session) co_return std::unexpected(session.error());
            if (auto done = co_await reconcile_meeting(*session); !done) co_return std::unexpected(done.error());
            ++looked_at;
        }
        if (ids->size() < kPage) co_return looked_at;
        after = ids->back();
    }
}

Task<Result<int>> Consultations::do_jobs() {
    const auto jobs = co_await store_.claim_jobs(clock_.now(), kJobLease, 1);
    if (!jobs) co_return std::unexpected(jobs.error());
    for (const auto& job : *jobs) {
        const auto done = job.kind == Job::Kind::end_meeting
                              ? co_await meetings_.end_meeting(job.provider, job.meeting_id)
                              : co_await meetings_.remove_attendee(job.provider, job.meeting_id, job.attendee_id);
        const bool finished = done || done.error().kind == ErrorKind::gone;
        if (!finished) {
            core::log::warning("meeting provider refuses a job, it will be tried again",
                               {{"job", std::string{consultation::to_text(job.kind)}},
                                {"session_id", job.session_id},
                                {"attempts", std::to_string(job.attempts)},
                                {"why", done.error().detail}});
        }
        const auto kept = finished ? co_await store_.finish_job(job.job_id)
                                   : co_await store_.postpone_job(job.job_id, clock_.now() + pause_after(job.attempts));
        if (!kept) co_return std::unexpected(kept.error());
    }
    co_return static_cast<int>(jobs->size());
}

Task<Result<int>> Consultations::sweep() {
    constexpr int kBatch = 100;
    auto due = co_await store_.due({clock_.now(), settings_.abandoned_after, settings_.no_show_grace}, kBatch);
    if (!due) co_return std::unexpected(due.error());
    const consultation::Patience patience{settings_.abandoned_after, settings_.no_show_grace};
    int changed = 0;
    for (const auto& session_id : *due) {
        bool decided = false;
        auto after = co_await change(session_id, [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            auto next = consultation::advance(s, patience, now);
            decided = next.has_value();
            return next;
        });
        if (!after) co_return std::unexpected(after.error());
        if (!decided) continue;
        ++changed;
        if (!consultation::is_closed(after->status)) continue;
        if (auto closed = co_await close_meeting(std::move(after)); !closed) co_return std::unexpected(closed.error());
    }
    co_return changed;
}

}  // namespace service
