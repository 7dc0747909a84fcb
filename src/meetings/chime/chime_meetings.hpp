// Meetings of AWS Chime: the provider behind the use cases. Thin: the calls are ChimeApi's. Owned by `app`; any event
// loop.
//
// AWS ends a meeting by itself when nobody has been in it for five minutes, or after a day. So nothing that was once
// handed out is trusted: each time somebody wants to enter, AWS is asked for their attendee.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "meetings/chime/chime_api.hpp"
#include "service/meeting_provider.hpp"
#include "service/vitals.hpp"

namespace meetings::chime {

struct ChimeMeetingsSettings {
    std::string media_region = "us-east-1";  ///< For sessions that ask for none.
    bool events_expected = false;            ///< Chime's notifications of who connects and leaves come in.
};

class ChimeMeetings final : public service::MeetingProvider {
  public:
    /// The API must outlive this.
    ChimeMeetings(ChimeMeetingsSettings settings, ChimeApi& api) : settings_(std::move(settings)), api_(api) {}

    /// With attendees for all that the plan names. Their external user ids are those that Chime knows: where the
    /// plan's do not fit into AWS's limits, these are others.
    service::Task<core::Result<service::MadeMeeting>> create_meeting(service::MeetingPlan plan) override;
    service::Task<core::Result<service::Credentials>> credentials(consultation::Meeting meeting,
                                                                  std::string external_user_id,
                                                                  std::string known_attendee_id, bool renew,
                                                                  core::trace::Context of) override;
    /// As it is: AWS's addresses are the same for everybody.
    consultation::Meeting placed_for(consultation::Meeting meeting, std::string_view reached_at) const override;
    service::Task<core::Result<void>> end_meeting(consultation::Provider provider, std::string meeting_id) override;
    service::Task<core::Result<void>> remove_attendee(consultation::Provider provider, std::string meeting_id,
                                                      std::string attendee_id) override;
    service::Task<core::Result<std::vector<std::string>>> roster(consultation::Meeting meeting) override;
    service::Task<core::Result<void>> start_transcription(consultation::Meeting meeting,
                                                          service::TranscriptionOptions options) override;
    service::Task<core::Result<void>> stop_transcription(consultation::Meeting meeting) override;
    Presence presence(consultation::Provider) const override {
        return settings_.events_expected ? Presence::events : Presence::none;
    }

    service::Vitals::Breaker vitals() const { return api_.vitals(); }

  private:
    NewMeeting new_meeting(const service::MeetingPlan& plan) const;

    ChimeMeetingsSettings settings_;
    ChimeApi& api_;
};

}  // namespace meetings::chime
