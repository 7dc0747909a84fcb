// Brings what happened in meetings of the SDK's API to a URL, in the words of Amazon EventBridge: in order within a
// meeting, at least once, by one process at a time. Signed as our webhooks are.
// https://docs.aws.amazon.com/chime-sdk/latest/dg/using-events.html
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "events/webhook_call.hpp"
#include "net/http_client.hpp"
#include "service/meeting_notification.hpp"
#include "service/outbox.hpp"

namespace events {

/// The event's id: the same whenever it is sent again.
std::string notification_id(const service::MeetingNotification& told);
/// The whole event, as EventBridge delivers it.
std::string notification_body(const service::MeetingNotification& told);

struct MeetingNotificationSettings {
    std::string url;           ///< http or https.
    core::Bytes key;           ///< Signs; see `webhook_key`.
    std::string api_key;       ///< Header X-Api-Key, as of an EventBridge API destination; empty: none.
    std::size_t parallel = 8;  ///< Calls at a time.
    int batch = 200;
    WebhookPolicy policy;
    std::chrono::milliseconds poll{500};
    std::chrono::milliseconds lease_life{30'000};
    std::chrono::milliseconds standby_poll{2000};  ///< While another process has the lease.
};

net::OutgoingRequest notification_request(const MeetingNotificationSettings& settings,
                                          const service::MeetingNotification& told, core::Time now);

class MeetingNotifications {
  public:
    /// `leases` is where the right to send is taken; `executor` that of one single-threaded loop. All references must
    /// outlive this; the loop must run from `start` until `stop` has returned.
    MeetingNotifications(MeetingNotificationSettings settings, service::MeetingNotificationQueue& queue,
                         service::Outbox& leases, net::HttpClient& client, const core::Clock& clock,
                         boost::asio::any_io_executor executor);
    /// `stop` without patience.
    ~MeetingNotifications();
    MeetingNotifications(const MeetingNotifications&) = delete;
    MeetingNotifications& operator=(const MeetingNotifications&) = delete;

    /// Returns at once.
    void start();
    /// Finishes the calls under way, at most so long. On a thread that is not an event loop; twice is fine. False:
    /// something did not end in time and is left to the loop.
    bool stop(std::chrono::milliseconds limit);

  private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace events
