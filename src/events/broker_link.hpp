// One connection to the broker (AMQP 0-9-1, through librabbitmq), with one channel on which everything is confirmed.
//
// Owned and used by one thread, which may block; `drop`, `end` and the Waker's `wake` may be called by others. Nothing
// waits longer than the settings' limits, and `drop` and `end` stop whatever is going on. Whenever a call fails the
// connection is closed, and what was not settled on it will not be.
// Errors: `unavailable`, in words of our own; the broker's text may name users and hosts.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "events/broker_settings.hpp"
#include "events/envelope.hpp"
#include "events/waker.hpp"

struct amqp_basic_properties_t_;

namespace events {

class MessageProperties;

/// What became of something that was published.
struct Settled {
    std::uint64_t tag = 0;
    bool confirmed = false;  ///< False: refused, or it had to reach a queue and found none.
};

/// A message that the broker has handed over; it is ours until it is acknowledged or the connection breaks.
struct Delivery {
    std::uint64_t tag = 0;
    std::string body;
    std::shared_ptr<const MessageProperties> properties;  ///< As they came, to be sent on.
};

class BrokerLink {
  public:
    /// `name` is shown by the broker's own tools. `waker` ends `wait`.
    BrokerLink(BrokerSettings settings, std::string name, std::shared_ptr<Waker> waker);
    /// Closes without a word.
    ~BrokerLink();
    BrokerLink(const BrokerLink&) = delete;
    BrokerLink& operator=(const BrokerLink&) = delete;

    /// Connects, logs in, and makes sure of the exchanges.
    core::Result<void> open_for_publishing();
    /// The same, and of the queues; then the broker begins to deliver requests.
    core::Result<void> open_for_requests();
    bool is_open() const;
    /// The broker has said that it takes nothing for the time being (it is short of memory or disk).
    bool blocked() const;
    /// Takes leave of the broker, at most so long, and closes.
    void close(std::chrono::milliseconds limit);

    /// Sends; returns the tag under which it will be settled.
    core::Result<std::uint64_t> publish(const Outgoing& message, const Route& route);
    /// Sends a delivered message on to the queue of parked ones, as it came, with the headers `x-parked-reason` and
    /// `x-parked-at`; settled like any other. One at a time.
    core::Result<std::uint64_t> park(const Delivery& delivery, std::string_view reason, core::Time at);
    core::Result<void> acknowledge(std::uint64_t delivery_tag);

    /// Takes in what the broker has sent; waits for it at most `limit`, or until the waker wakes. Call it at least
    /// every third of the heartbeat.
    core::Result<void> wait(std::chrono::milliseconds limit);
    /// What has come since; also after `wait` failed.
    std::vector<Settled> take_settled();
    std::optional<Delivery> take_delivery();

    /// Breaks the present connection, if there is one. Any thread.
    void drop();
    /// For good: every later call fails at once. Any thread.
    void end();

  private:
    struct Connection;

    core::Result<void> connect();
    core::Result<void> log_in();
    core::Result<void> declare_exchanges();
    core::Result<void> declare_queues();
    core::Result<void> start_requests();
    core::Result<std::uint64_t> send(const Route& route, const amqp_basic_properties_t_& properties,
                                     std::string_view body, bool must_arrive);
    core::Result<void> read_frames();
    std::unexpected<core::Error> lose(std::string why);
    core::Result<void> hold(int socket);
    void let_go();
    bool ended() const;

    const BrokerSettings settings_;
    const std::string name_;
    const std::shared_ptr<Waker> waker_;
    std::unique_ptr<Connection> connection_;
    std::vector<Settled> settled_;

    mutable std::mutex mutex_;
    int socket_ = -1;  ///< Our own descriptor of the connection's socket: the library closes its own as it likes.
    bool ended_ = false;
};

}  // namespace events
