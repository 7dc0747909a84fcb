// The SDK's API under `/chime` where keys for it are configured: use cases, HTTP resources, and the messenger that
// tells what happens. Owned by ServiceProcess; main thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>

#include "app/config.hpp"
#include "app/open_store.hpp"
#include "events/meeting_notifications.hpp"
#include "net/http.hpp"
#include "net/http_client.hpp"
#include "service/meeting_floor.hpp"
#include "service/sdk_meetings.hpp"

namespace app {

class ChimeApiParts {
  public:
    /// Null when no keys are configured. All references must outlive it.
    static std::unique_ptr<ChimeApiParts> make(const Config& config, const OpenStore& store,
                                               service::MeetingFloor& floor, net::HttpClient& client,
                                               const core::Clock& clock, boost::asio::any_io_executor executor);

    service::SdkMeetings& meetings() { return *meetings_; }
    /// A handler that answers what is for this API, and leaves the rest to `site`.
    net::Handler before(net::Handler site) const;

    void start();
    /// At most so long; false: not everything came to its end.
    bool stop(std::chrono::milliseconds limit);

  private:
    std::unique_ptr<service::SdkMeetings> meetings_;
    std::unique_ptr<events::MeetingNotifications> notifications_;  ///< Null: nobody is told.
    net::Handler api_;
};

}  // namespace app
