// The meeting providers that the configuration names, made and connected: our own meeting server, AWS Chime, and the
// choice between them. Owned by ServiceProcess; main thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "core/result.hpp"
#include "media/server/meeting_server.hpp"
#include "meetings/chime/chime_meetings.hpp"
#include "meetings/embedded/embedded_meetings.hpp"
#include "meetings/policy/meeting_choice.hpp"
#include "net/http_client.hpp"
#include "service/metering.hpp"
#include "service/nodes.hpp"

namespace app {

class MeetingsParts {
  public:
    /// `secret` is what embedded meetings' tokens are derived from. Fails with one line for the operator:
    /// `Unable to locate credentials` where Chime is wanted and AWS's tools would not find any either.
    static core::Result<std::unique_ptr<MeetingsParts>> make(const Config& config, const std::string& secret,
                                                             service::Nodes& nodes, net::HttpClient& client,
                                                             service::Metering& metering, const core::Clock& clock);

    service::MeetingProvider& provider() { return *choice_; }
    /// Attendance is written down on `executor`. Signalling connections are accepted from then on.
    void attach_owners(std::vector<service::MeetingOwner*> owners, boost::asio::any_io_executor executor);

    meetings::embedded::EmbeddedMeetings* embedded() { return embedded_.get(); }  ///< Null: not here.
    /// For the log: `embedded`, `chime` or `chime, embedded`.
    std::string describe() const;
    bool has_chime() const { return chime_ != nullptr; }
    service::Vitals::Breaker vitals() const;
    service::Vitals::Media media_vitals() const;

    /// Ends the meeting server: callers are told to come again.
    void stop_media();
    /// Ends the search for AWS keys.
    void stop();

  private:
    core::Result<> make_embedded(const Config& config, const std::string& secret, service::Nodes& nodes);
    core::Result<> make_chime(const Config& config, net::HttpClient& client, const core::Clock& clock);

    std::unique_ptr<meetings::chime::AwsCredentials> credentials_;
    std::unique_ptr<meetings::chime::ChimeApi> api_;
    std::unique_ptr<meetings::chime::ChimeMeetings> chime_;
    std::unique_ptr<meetings::embedded::EmbeddedMeetings> embedded_;
    std::unique_ptr<media::server::MeetingServer> media_;
    std::unique_ptr<meetings::policy::MeetingChoice> choice_;
};

}  // namespace app
