#include "events/webhook_call.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "events/envelope.hpp"

namespace events {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::chrono::milliseconds kTimeout{10'000};

std::optional<core::Bytes> from_base64(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string other(text);
    if (other.find_first_of("-_") != std::string::npos) return std::nullopt;
    std::ranges::replace(other, '+', '-');
    std::ranges::replace(other, '/', '_');
    return core::from_base64url(other);
}

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the form that senders must use (RFC 9110 section 5.6.7).
std::optional<core::Time> http_date(std::string_view text) {
    static constexpr std::string_view kForm = "Sun, 06 Nov 1994 08:49:37 GMT";
    static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (text.size() != kForm.size() || !text.ends_with(" GMT")) return std::nullopt;
    const auto month = std::ranges::find(kMonths, text.substr(8, 3));
    const auto day = number(text.substr(5, 2)), year = number(text.substr(12, 4));
    const auto hour = number(text.substr(17, 2)), minute = number(text.substr(20, 2)),
               second = number(text.substr(23, 2));
    if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return core::Time(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

}  // namespace

std::optional<core::Bytes> webhook_key(std::string_view secret) {
    if (secret.starts_with(kSecretPrefix)) {
        auto key = from_base64(secret.substr(kSecretPrefix.size()));
        if (!key || key->empty()) return std::nullopt;
        return key;
    }
    if (secret.empty()) return std::nullopt;
    const auto bytes = core::as_bytes(secret);
    return core::Bytes(bytes.begin(), bytes.end());
}

std::string webhook_signature(core::BytesView key, std::string_view id, std::int64_t seconds, std::string_view body) {
    std::string content(id);
    content.append(".").append(std::to_string(seconds)).append(".").append(body);
    return "v1," + core::base64(core::hmac_sha256(key, core::as_bytes(content)));
}

net::OutgoingRequest webhook_request(const service::OutboxMessage& message, std::string url, core::BytesView key,
                                     core::Time now) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    net::OutgoingRequest request;
    request.method = "POST";
    request.url = std::move(url);
    request.body = body_of(message);
    request.timeout = kTimeout;
    request.trace = core::trace::from_line(message.trace);
    request.purpose = "webhook";
    request.headers = {{"content-type", "application/json"},
                       {"webhook-id", message.event_id},
                       {"webhook-timestamp", std::to_string(seconds)},
                       {"webhook-signature", webhook_signature(key, message.event_id, seconds, request.body)}};
    return request;
}

std::optional<std::chrono::seconds> retry_after(std::string_view value, core::Time now) {
    if (const auto seconds = number(value)) return std::chrono::seconds(*seconds);
    const auto date = http_date(value);
    if (!date) return std::nullopt;
    return std::max(std::chrono::seconds{0}, std::chrono::ceil<std::chrono::seconds>(*date - now));
}

std::optional<core::Time> next_attempt(const WebhookPolicy& policy, const FailedAttempt& failed) {
    std::chrono::microseconds wait = policy.first;
    for (int i = 1; i < failed.failures && wait < policy.most; ++i) wait *= 2;
    wait = std::min<std::chrono::microseconds>(wait, policy.most);
    wait -= std::chrono::duration_cast<std::chrono::microseconds>(wait * (0.2 * std::clamp(failed.chance, 0.0, 1.0)));
    if (failed.retry_after)
        wait = std::max<std::chrono::microseconds>(wait, std::min(*failed.retry_after, policy.most));
    const auto next = failed.now + wait;
    if (next >= failed.occurred_at + policy.life) return std::nullopt;
    return next;
}

}  // namespace events
