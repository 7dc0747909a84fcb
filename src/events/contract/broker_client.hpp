// What the platform's other services do at the broker, for tests: straight on librabbitmq, so that it shares nothing
// with what is tested. One thread.
#pragma once

#include <amqp.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "events/broker_settings.hpp"

namespace events::contract {

struct Received {
    std::string body, exchange, routing_key, content_type, content_encoding, message_id, type, app_id;
    std::uint64_t timestamp = 0;
    int delivery_mode = 0;
    std::map<std::string, std::string> headers;  ///< Texts, and whole numbers in decimal.
};

struct Sent {
    std::string body;
    std::string content_type = "application/json";
    std::map<std::string, std::string> headers = {};
};

class BrokerClient {
  public:
    /// Connects; throws std::runtime_error.
    explicit BrokerClient(const BrokerSettings& settings);
    ~BrokerClient();
    BrokerClient(const BrokerClient&) = delete;
    BrokerClient& operator=(const BrokerClient&) = delete;

    /// Durable, not automatically deleted, no arguments. False: the broker has it otherwise; the client is then
    /// useless.
    bool declare_topic(const std::string& exchange);
    bool declare_queue(const std::string& queue);
    /// At most one message; what comes when it is full is refused.
    void declare_tiny_queue(const std::string& queue);
    void bind(const std::string& queue, const std::string& exchange, const std::string& key);
    void remove_queue(const std::string& queue);
    void remove_exchange(const std::string& exchange);
    void declare_exchange_of_type(const std::string& exchange, const std::string& type);
    void purge(const std::string& queue);

    /// Returns when the broker has it for good.
    void send(const std::string& exchange, const std::string& key, const Sent& message);
    /// Messages ready in it.
    std::uint32_t depth(const std::string& queue);
    /// Takes the next message for good.
    std::optional<Received> take(const std::string& queue);
    std::vector<Received> take_all(const std::string& queue);
    /// Waits for so many.
    std::vector<Received> take(const std::string& queue, std::size_t count);

  private:
    void demand(const char* what) const;

    amqp_connection_state_t state_;
};

}  // namespace events::contract
