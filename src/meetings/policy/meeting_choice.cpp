#include "meetings/policy/meeting_choice.hpp"

#include <stdexcept>
#include <utility>

#include "core/log.hpp"
#include "meetings/chime/chime_errors.hpp"

namespace meetings::policy {
namespace {

using core::ErrorKind;
using Mode = MeetingChoiceSettings::Mode;
using Budget = MeetingChoiceSettings::Budget;

/// Nothing changes before the operator or the next month changes it.
constexpr std::chrono::seconds kLongWait{3600};
constexpr auto kUsedUp = "the month's budget of Chime minutes is used up";

/// Why Chime could not, for the audit trail; empty when our own server could do no better.
std::string_view reason(const core::Error& error) {
    switch (error.kind) {
        case ErrorKind::unavailable:
            return error.detail == chime::kThrottles ? "AWS Chime throttles" : "AWS Chime does not answer";
        case ErrorKind::timeout:
            return "AWS Chime does not answer";
        case ErrorKind::bad_gateway:
            return "AWS Chime fails";
        default:
            return {};
    }
}

core::Error gone() {
    return {ErrorKind::gone, "The meeting was made by a provider that is not there any more"};
}

core::Error no_transcription() {
    return {ErrorKind::unsupported, "Transcription needs AWS Chime, which is not set up here"};
}

}  // namespace

MeetingChoice::MeetingChoice(MeetingChoiceSettings settings, service::MeetingProvider* embedded,
                             service::MeetingProvider* chime, BudgetQuery used_up)
    : settings_(settings), embedded_(embedded), chime_(chime), used_up_(std::move(used_up)) {
    const bool possible = settings.mode == Mode::chime      ? chime_ != nullptr
                          : settings.mode == Mode::embedded ? embedded_ != nullptr
                                                            : embedded_ != nullptr || chime_ != nullptr;
    if (!possible) throw std::invalid_argument("no meeting provider for this mode");
}

service::MeetingProvider* MeetingChoice::of(consultation::Provider provider) const {
    return provider == consultation::Provider::chime ? chime_ : embedded_;
}

bool MeetingChoice::may_fall_back() const {
    return settings_.mode == Mode::automatic && embedded_ != nullptr;
}

service::Task<bool> MeetingChoice::budget_is_used_up() {
    if (!used_up_) co_return false;
    const auto answer = co_await used_up_();
    // A visit is worth more than the certainty about a month's last minutes.
    if (!answer) core::log::warning("the budget of Chime minutes is unknown", {{"error", answer.error().detail}});
    co_return answer.value_or(false);
}

service::Task<core::Result<service::MadeMeeting>> MeetingChoice::create_meeting(service::MeetingPlan plan) {
    const bool at_chime = settings_.mode != Mode::embedded && chime_ != nullptr;
    if (!at_chime) co_return co_await create_embedded(std::move(plan), {});
    if (co_await budget_is_used_up()) {
        if (settings_.budget == Budget::refuse)
            co_return std::unexpected(core::Error{
                ErrorKind::unavailable, "This month's budget of meeting minutes is used up", kLongWait, true});
        if (settings_.budget == Budget::fallback && may_fall_back())
            co_return co_await create_embedded(std::move(plan), kUsedUp);
        core::log::warning(kUsedUp, {{"session", plan.session_id}});
    }
    co_return co_await create_at_chime(std::move(plan));
}

service::Task<core::Result<service::MadeMeeting>> MeetingChoice::create_at_chime(service::MeetingPlan plan) {
    auto made = co_await chime_->create_meeting(plan);
    if (made || !may_fall_back()) co_return made;
    const auto why = reason(made.error());
    if (why.empty()) co_return made;
    core::log::warning("a meeting goes to the service's own server",
                       {{"session", plan.session_id}, {"reason", std::string{why}}});
    co_return co_await create_embedded(std::move(plan), std::string{why});
}

service::Task<core::Result<service::MadeMeeting>> MeetingChoice::create_embedded(service::MeetingPlan plan,
                                                                                 std::string note) {
    auto made = co_await embedded_->create_meeting(std::move(plan));
    if (made && !note.empty()) made->note = std::move(note);
    co_return made;
}

service::Task<core::Result<service::Credentials>> MeetingChoice::credentials(consultation::Meeting meeting,
                                                                             std::string external_user_id,
                                                                             std::string known_attendee_id, bool renew,
                                                                             core::trace::Context trace) {
    auto* provider = of(meeting.provider);
    if (!provider) co_return std::unexpected(gone());
    co_return co_await provider->credentials(std::move(meeting), std::move(external_user_id),
                                             std::move(known_attendee_id), renew, std::move(trace));
}

consultation::Meeting MeetingChoice::placed_for(consultation::Meeting meeting, std::string_view reached_at) const {
    const auto* provider = of(meeting.provider);
    return provider ? provider->placed_for(std::move(meeting), reached_at) : meeting;
}

consultation::Meeting MeetingChoice::through_relay(consultation::Meeting meeting) const {
    const auto* provider = of(meeting.provider);
    return provider ? provider->through_relay(std::move(meeting)) : meeting;
}

service::Task<core::Result<void>> MeetingChoice::end_meeting(consultation::Provider provider, std::string meeting_id) {
    auto* there = of(provider);
    if (!there) co_return core::Result<void>{};
    co_return co_await there->end_meeting(provider, std::move(meeting_id));
}

service::Task<core::Result<void>> MeetingChoice::remove_attendee(consultation::Provider provider,
                                                                 std::string meeting_id, std::string attendee_id) {
    auto* there = of(provider);
    if (!there) co_return core::Result<void>{};
    co_return co_await there->remove_attendee(provider, std::move(meeting_id), std::move(attendee_id));
}

service::Task<core::Result<std::vector<std::string>>> MeetingChoice::roster(consultation::Meeting meeting) {
    auto* provider = of(meeting.provider);
    if (!provider) co_return std::unexpected(gone());
    co_return co_await provider->roster(std::move(meeting));
}

service::Task<core::Result<void>> MeetingChoice::start_transcription(consultation::Meeting meeting,
                                                                     service::TranscriptionOptions options) {
    auto* provider = of(meeting.provider);
    if (!provider) co_return std::unexpected(no_transcription());
    co_return co_await provider->start_transcription(std::move(meeting), std::move(options));
}

service::Task<core::Result<void>> MeetingChoice::stop_transcription(consultation::Meeting meeting) {
    auto* provider = of(meeting.provider);
    if (!provider) co_return std::unexpected(no_transcription());
    co_return co_await provider->stop_transcription(std::move(meeting));
}

service::MeetingProvider::Presence MeetingChoice::presence(consultation::Provider provider) const {
    const auto* there = of(provider);
    return there ? there->presence(provider) : Presence::none;
}

}  // namespace meetings::policy
