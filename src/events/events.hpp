// What connects the service with the rest of the platform: its events go out by the broker and by webhooks, the
// platform's requests come in. All of it works from the outbox, so a broker that is away costs nobody anything.
//
// Owned by `app`, which makes it after the store and stops it before. Its coroutines live on one event loop; threads of
// its own talk to the broker.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "events/broker_settings.hpp"
#include "events/requests.hpp"
#include "net/http_client.hpp"
#include "service/outbox.hpp"
#include "service/platform_requests.hpp"
#include "service/vitals.hpp"

namespace events {

struct EventsSettings {
    std::optional<BrokerSettings> broker;   ///< Unset: events stay in the outbox until they are too old.
    std::vector<std::string> webhook_urls;  ///< http or https.
    std::string webhook_secret;             ///< See `webhook_key`.
    std::chrono::hours outbox_retention{24 * 7};
    LocalToUtc zone;  ///< Reads the times in requests, which are of the platform's zone; unset: UTC.
};

class Events {
  public:
    /// `executor` is that of one single-threaded loop. All references must outlive this; the loop must run from `start`
    /// until `stop` has returned. Throws std::invalid_argument when webhooks are given without a usable secret.
    Events(EventsSettings settings, service::Outbox& outbox, service::PlatformRequests& requests,
           net::HttpClient& client, const core::Clock& clock, boost::asio::any_io_executor executor);
    /// `stop` without patience.
    ~Events();
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;

    /// Returns at once; connections are made, and made again, in the background.
    void start();

    /// Finishes what is under way, at most so long, and ends everything. On a thread that is not an event loop; twice
    /// is fine. False: something did not end in time and is left to the loop.
    bool stop(std::chrono::milliseconds limit);

    /// For service::Vitals. Any thread; do not block.
    service::Vitals::Relay broker() const;
    service::Vitals::Relay webhooks() const;
    service::Vitals::Consumer consumer() const;

  private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace events
