// What is done to a visit beside holding it: moving it to another time, agreeing to it, following it.
#include <algorithm>
#include <utility>

#include "consultation/access.hpp"
#include "consultation/life_cycle.hpp"
#include "service/change_loop.hpp"
#include "service/consents.hpp"

namespace service {
namespace {

using consultation::Change;
using consultation::Provider;
using consultation::Role;
using consultation::Session;
using core::ErrorKind;
using core::fail;

constexpr std::string_view kConsentGiven = "CONSENT_GIVEN";

}  // namespace

Task<Result<Session>> Consultations::reschedule(Caller caller, std::string session_id, consultation::Move move,
                                                std::optional<std::vector<std::int64_t>> versions) {
    std::optional<consultation::Meeting> lost;
    auto after = co_await change_by(
        caller, "RESCHEDULE", std::move(session_id), [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            if (auto allowed = consultation::may_reschedule(s, caller); !allowed) {
                return std::unexpected(allowed.error());
            }
            if (versions && std::ranges::find(*versions, s.version) == versions->end()) {
                return fail(ErrorKind::precondition_failed, "The session has been changed since: read it again");
            }
            lost = s.meeting;
            auto decided = consultation::reschedule(s, caller, move, now);
            if (decided && *decided) (**decided).no_overlap = settings_.prevent_overlap;
            return decided;
        });
    // What AWS has to be told is a job in the same commit.
    if (after && !after->meeting && lost && lost->provider == Provider::embedded) {
        if (auto ended = co_await meetings_.end_meeting(lost->provider, lost->meeting_id); !ended) {
            co_return std::unexpected(ended.error());
        }
    }
    co_return after;
}

Task<Result<Session>> Consultations::follow(Caller caller, std::string session_id) {
    auto session = co_await load(std::move(session_id), caller.trace);
    if (!session) co_return session;
    if (auto allowed = consultation::may_attend(*session, caller); !allowed) co_return std::unexpected(allowed.error());
    co_return session;
}

Task<Result<Session>> Consultations::begin_following(Caller caller, std::string session_id) {
    auto session = co_await follow(caller, session_id);
    if (!session) co_return co_await with_refusal(caller, std::move(session_id), "FOLLOW", std::move(session));
    auto noted = co_await trail_.note(caller, session->session_id, "SESSION_FOLLOWED", {});
    if (!noted) co_return std::unexpected(noted.error());
    co_return session;
}

Task<Result<void>> Consultations::demand_consent(const Session& session, Role role) {
    if (!settings_.consents || role != Role::patient || !consultation::can_join(session)) co_return Result<void>{};
    co_return co_await settings_.consents->demand(session.patient_id);
}

Task<Result<Consents::Given>> Consultations::give_consent(Caller caller, std::string version,
                                                          std::optional<std::string> session_id) {
    if (!settings_.consents) co_return fail(ErrorKind::not_found, "This service asks for no consent");
    if (!caller.is_patient()) co_return fail(ErrorKind::forbidden, "Only patients are asked for their consent");
    if (session_id) {
        const auto session = co_await load(*session_id, caller.trace);
        if (!session) co_return std::unexpected(session.error());
        if (consultation::part_of(*session, caller) != Role::patient) {
            const core::Error refused{ErrorKind::forbidden,
                                      "You do not have access to this video consultation session"};
            co_return std::unexpected(co_await trail_.refused(caller, *session_id, "CONSENT", refused));
        }
    }
    auto given = co_await settings_.consents->give(caller, std::move(version), session_id);
    if (!given || !session_id || given->consent.session_id != session_id) co_return given;
    // Also on a repeat: the first time may have come only so far.
    if (!given->is_new) {
        const auto trail = co_await store_.audit_trail(*session_id);
        if (!trail) co_return std::unexpected(trail.error());
        if (std::ranges::find(*trail, kConsentGiven, &consultation::AuditEntry::event_type) != trail->end()) {
            co_return given;
        }
    }
    auto noted = co_await change_by(
        caller, "CONSENT", *session_id, [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            return consultation::note(s, caller.user_id, std::string{kConsentGiven},
                                      "Consent given to version " + given->consent.version, now);
        });
    if (!noted) co_return std::unexpected(noted.error());
    co_return given;
}

}  // namespace service
