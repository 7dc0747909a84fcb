// Port: the messages that wait to be told to the rest of the platform, and what became of them. Rows are written by
// SessionStore::commit together with the change they tell of; the relays of room `events` take them from here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/task.hpp"

namespace service {

using consultation::Time;

struct OutboxMessage {
    std::int64_t sequence = 0;  ///< Grows; within one session in the order of the changes.
    std::string event_id;
    std::string session_id;  ///< Or what else orders the messages: `usage`, an appointment.
    std::string routing_key;
    std::string event_type;
    Time occurred_at;
    std::string payload;  ///< The `data` object, JSON text.
    std::string trace{};  ///< As in consultation::Event.
};

enum class Channel { broker, webhooks };

struct Backlog {
    std::int64_t waiting = 0;
    std::optional<Time> oldest;  ///< When the oldest waiting message came about.
};

/// One message on its way to one webhook endpoint.
struct Delivery {
    std::int64_t delivery_id = 0;
    std::string endpoint;  ///< URL.
    int attempts = 0;      ///< Failed ones so far.
    OutboxMessage message;
};

/// All calls as in SessionStore: any control-plane thread, bounded time, `unavailable` when the database is down.
class Outbox {
  public:
    virtual ~Outbox() = default;

    /// Takes or prolongs the lease `name` for `holder` by the database's clock. False: another one holds it.
    virtual Task<core::Result<bool>> hold_lease(std::string name, std::string holder,
                                                std::chrono::milliseconds life) = 0;
    virtual Task<core::Result<void>> release_lease(std::string name, std::string holder) = 0;

    /// A message without a change of a session (a failed booking, a repeated announcement). Idempotent by event id.
    virtual Task<core::Result<void>> append(consultation::Event event) = 0;

    /// Messages that the broker has not confirmed, lowest sequence first.
    virtual Task<core::Result<std::vector<OutboxMessage>>> unpublished(int limit) = 0;
    virtual Task<core::Result<void>> mark_published(std::vector<std::int64_t> sequences) = 0;

    /// Makes a delivery to each endpoint for up to `limit` messages that have none yet; returns for how many. Messages
    /// written before `since` get none.
    virtual Task<core::Result<int>> fan_out(std::vector<std::string> endpoints, Time since, int limit) = 0;
    /// Deliveries whose next attempt is due, the first of each (endpoint, session) only, so that order is kept.
    virtual Task<core::Result<std::vector<Delivery>>> due_deliveries(Time now, int limit) = 0;
    /// Delivered, or given up: either way out of the queue.
    virtual Task<core::Result<void>> finish_deliveries(std::vector<std::int64_t> delivery_ids) = 0;
    virtual Task<core::Result<void>> postpone_delivery(std::int64_t delivery_id, Time next_attempt) = 0;

    virtual Task<core::Result<Backlog>> backlog(Channel channel) = 0;
    /// Removes messages that came about before `before`: with `published_only` those alone that the broker has
    /// confirmed; never one with a delivery outstanding. At most `limit`; returns how many.
    virtual Task<core::Result<int>> prune_outbox(Time before, bool published_only, int limit) = 0;
};

}  // namespace service
