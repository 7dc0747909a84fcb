// Which provider carries a meeting: our own server or AWS Chime. A new meeting goes where the settings, the state of
// AWS and the month's budget send it; whatever concerns a meeting that exists goes to the provider that has it, so a
// running meeting is never moved. Owned by `app`; any event loop.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "service/meeting_provider.hpp"
#include "service/task.hpp"

namespace meetings::policy {

struct MeetingChoiceSettings {
    enum class Mode { automatic, chime, embedded };
    /// What happens once the month's budget of Chime minutes is used up.
    enum class Budget {
        fallback,  ///< Our own server takes over; where it may not (mode `chime`, or there is none), as `warn`.
        refuse,    ///< No more meetings are made.
        warn,      ///< A line in the log, nothing else.
    };
    Mode mode = Mode::automatic;  ///< Automatic: Chime where there is one, our own server when Chime cannot.
    Budget budget = Budget::fallback;
};

/// Is this month's budget of Chime minutes used up?
using BudgetQuery = std::function<service::Task<core::Result<bool>>()>;

class MeetingChoice final : public service::MeetingProvider {
  public:
    /// Either provider may be missing (null); those that are there must outlive this. Without `used_up` there is no
    /// budget. Throws std::invalid_argument when the mode's provider is missing.
    MeetingChoice(MeetingChoiceSettings settings, service::MeetingProvider* embedded, service::MeetingProvider* chime,
                  BudgetQuery used_up = {});

    service::Task<core::Result<service::MadeMeeting>> create_meeting(service::MeetingPlan plan) override;
    /// `gone` for a meeting of a provider that this installation no longer has, so that it is made anew.
    service::Task<core::Result<service::Credentials>> credentials(consultation::Meeting meeting,
                                                                  std::string external_user_id,
                                                                  std::string known_attendee_id, bool renew,
                                                                  core::trace::Context of) override;
    consultation::Meeting placed_for(consultation::Meeting meeting, std::string_view reached_at) const override;
    consultation::Meeting through_relay(consultation::Meeting meeting) const override;
    /// These two: nothing to do at a provider that is not there.
    service::Task<core::Result<void>> end_meeting(consultation::Provider provider, std::string meeting_id) override;
    service::Task<core::Result<void>> remove_attendee(consultation::Provider provider, std::string meeting_id,
                                                      std::string attendee_id) override;
    service::Task<core::Result<std::vector<std::string>>> roster(consultation::Meeting meeting) override;
    service::Task<core::Result<void>> start_transcription(consultation::Meeting meeting,
                                                          service::TranscriptionOptions options) override;
    service::Task<core::Result<void>> stop_transcription(consultation::Meeting meeting) override;
    Presence presence(consultation::Provider provider) const override;

  private:
    service::Task<core::Result<service::MadeMeeting>> create_at_chime(service::MeetingPlan plan);
    service::Task<core::Result<service::MadeMeeting>> create_embedded(service::MeetingPlan plan, std::string note);
    service::Task<bool> budget_is_used_up();
    bool may_fall_back() const;
    service::MeetingProvider* of(consultation::Provider provider) const;

    MeetingChoiceSettings settings_;
    service::MeetingProvider* embedded_;
    service::MeetingProvider* chime_;
    BudgetQuery used_up_;
};

}  // namespace meetings::policy
