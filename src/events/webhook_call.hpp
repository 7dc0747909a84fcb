// One call of a webhook: what is sent, and what the answer means. Standard Webhooks (standardwebhooks.com, the
// specification of its repository): headers `webhook-id`, `webhook-timestamp`, `webhook-signature`. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "net/http_client.hpp"
#include "service/outbox.hpp"

namespace events {

/// The bytes that a secret stands for: `whsec_` and base64, or any text, which is taken as it is.
/// Nullopt: `whsec_` with something behind it that is not base64, or no secret at all.
std::optional<core::Bytes> webhook_key(std::string_view secret);

/// `v1,` and the base64 of HMAC-SHA256 over `<id>.<seconds since 1970>.<body>`.
std::string webhook_signature(core::BytesView key, std::string_view id, std::int64_t seconds, std::string_view body);

/// The same body as at the broker, the event's id as `webhook-id`, and the time of this attempt.
net::OutgoingRequest webhook_request(const service::OutboxMessage& message, std::string url, core::BytesView key,
                                     core::Time now);

/// Seconds from now, by `Retry-After` (RFC 9110 section 10.2.3: seconds, or a date); nullopt: absent or unreadable.
std::optional<std::chrono::seconds> retry_after(std::string_view value, core::Time now);

/// When a message is tried again.
struct WebhookPolicy {
    std::chrono::seconds first{5};  ///< After the first failure; twice as long after each further one,
    std::chrono::seconds most{std::chrono::hours(1)};   ///< but at most so long, whatever `Retry-After` says.
    std::chrono::seconds life{std::chrono::hours(24)};  ///< So long after it came about a message is given up.
};
struct FailedAttempt {
    int failures = 1;  ///< So far, this one included.
    core::Time occurred_at;
    core::Time now;
    std::optional<std::chrono::seconds> retry_after;  ///< What the endpoint asked for.
    double chance = 0;                                ///< 0 to 1: shortens the wait by up to a fifth.
};
/// Nullopt: never again.
std::optional<core::Time> next_attempt(const WebhookPolicy& policy, const FailedAttempt& failed);

}  // namespace events
