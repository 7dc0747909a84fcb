// What the broker sends on one connection, put together from frames: confirmations, returned messages, deliveries, and
// news of the connection itself. Used by one thread; no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "events/amqp_values.hpp"
#include "events/broker_link.hpp"

namespace events {

/// A message of which the header and parts of the body are still to come.
struct IncomingMessage {
    bool returned = false;  ///< One of ours that reached no queue; else a delivery.
    Delivery delivery;
    std::uint64_t size = 0;
    bool has_header = false;
};

class BrokerInbox {
  public:
    /// Takes one frame. An error ends the connection: it says why the broker wants that.
    core::Result<void> take(const amqp_frame_t& frame);

    /// Something was published under this tag. If it must arrive at a queue, it is the only such message.
    void expect(std::uint64_t tag, bool must_arrive) { expected_.emplace(tag, must_arrive); }
    bool blocked() const { return blocked_; }

    std::vector<Settled> settled;
    std::deque<Delivery> deliveries;

  private:
    core::Result<void> take_method(const amqp_method_t& method);
    core::Result<void> take_header(const amqp_frame_t& frame);
    core::Result<void> take_body(amqp_bytes_t part);
    void finish_if_complete();
    void settle(std::uint64_t tag, bool multiple, bool confirmed);

    std::map<std::uint64_t, bool> expected_;  ///< Tag, and whether it must arrive.
    std::optional<IncomingMessage> incoming_;
    bool returned_ = false;  ///< What must arrive did not.
    bool blocked_ = false;
};

}  // namespace events
