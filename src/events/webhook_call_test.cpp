#include "events/webhook_call.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "events/webhooks.hpp"

namespace events {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

const core::Time kNow{std::chrono::sys_days{2026y / 1 / 25} + 14h};

/// The signature as OpenSSL alone makes it.
std::string independent(const std::string& key, const std::string& content) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(content.data()),
         content.size(), mac, &size);
    unsigned char text[2 * EVP_MAX_MD_SIZE];
    const int length = EVP_EncodeBlock(text, mac, static_cast<int>(size));
    return "v1," + std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
}

TEST(WebhookSignature, IsTheHmacOfIdTimeAndBody) {
    // Every length of key and body, so that every kind of base64 padding and both odd letters come up.
    for (int i = 1; i < 80; ++i) {
        const std::string key(static_cast<std::size_t>(i), static_cast<char>('!' + i));
        const std::string id = "id-" + std::to_string(i), body(static_cast<std::size_t>(i) * 3, '{');
        EXPECT_EQ(
            webhook_signature(core::as_bytes(key), id, 1'700'000'000 + i, body),
            independent(
                key, std::string(id).append(".").append(std::to_string(1'700'000'000 + i)).append(".").append(body)));
    }
}

TEST(WebhookSignature, TheSpecificationsOwnExample) {
    const auto key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    ASSERT_TRUE(key);
    EXPECT_EQ(webhook_signature(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1'614'265'330, R"({"test": 2432232314})"),
              "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, SecretsAreBase64BehindTheirMarkOrText) {
    const auto text = [](std::string_view secret) {
        const auto key = webhook_key(secret);
        return key ? std::optional<std::string>(core::as_text(*key)) : std::nullopt;
    };
    EXPECT_EQ(text("whsec_c2VjcmV0"), "secret");
    EXPECT_EQ(text("whsec_c2VjcmV0cw=="), "secrets");
    EXPECT_EQ(text("whsec_++//"), "\xfb\xef\xff");
    EXPECT_EQ(text("plain secret"), "plain secret");
    EXPECT_EQ(text("c2VjcmV0"), "c2VjcmV0");
    EXPECT_FALSE(text("whsec_"));
    EXPECT_FALSE(text("whsec_no base64"));
    EXPECT_FALSE(text("whsec_-_-_"));
    EXPECT_FALSE(text(""));
}

TEST(WebhookRequest, CarriesTheEventAndIsSignedNow) {
    service::OutboxMessage message;
    message.event_id = "98600686-16ef-4424-befb-54361f625488";
    message.event_type = "video.user.joined";
    message.occurred_at = kNow - 1h;
    message.payload = R"({"role":"PATIENT"})";
    const auto key = core::as_bytes("secret");
    const auto request = webhook_request(message, "http://localhost/hook?x=1", key, kNow + 999ms);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, "http://localhost/hook?x=1");
    EXPECT_EQ(request.body,
              R"({"event_type":"video.user.joined","timestamp":"2026-01-25T13:00:00","data":{"role":"PATIENT"}})");
    EXPECT_FALSE(request.follow_redirects);
    const net::HeaderList headers = {
        {"content-type", "application/json"},
        {"webhook-id", "98600686-16ef-4424-befb-54361f625488"},
        {"webhook-timestamp", "1769349600"},
        {"webhook-signature", independent("secret", "98600686-16ef-4424-befb-54361f625488.1769349600." + request.body)},
    };
    EXPECT_EQ(request.headers, headers);
}

TEST(WebhookRetry, TwiceAsLongEachTimeUpToAnHour) {
    const WebhookPolicy policy;
    const auto wait = [&](int failures, double chance) {
        return *next_attempt(
                   policy,
                   {.failures = failures, .occurred_at = kNow, .now = kNow, .retry_after = {}, .chance = chance}) -
               kNow;
    };
    EXPECT_EQ(wait(1, 0), 5s);
    EXPECT_EQ(wait(2, 0), 10s);
    EXPECT_EQ(wait(3, 0), 20s);
    EXPECT_EQ(wait(10, 0), 2560s);
    EXPECT_EQ(wait(11, 0), 1h);
    EXPECT_EQ(wait(1000, 0), 1h);
    EXPECT_EQ(wait(1, 1), 4s);
    EXPECT_EQ(wait(1000, 0.5), 54min);
}

TEST(WebhookRetry, RetryAfterIsHonouredWithinBounds) {
    const WebhookPolicy policy;
    const auto wait = [&](seconds asked) {
        return *next_attempt(policy,
                             {.failures = 3, .occurred_at = kNow, .now = kNow, .retry_after = asked, .chance = 0}) -
               kNow;
    };
    EXPECT_EQ(wait(60s), 60s);
    EXPECT_EQ(wait(0s), 20s);  // Not sooner than we would come anyway.
    EXPECT_EQ(wait(24h), 1h);  // Nor for ever.
}

TEST(WebhookRetry, GivenUpADayAfterTheEvent) {
    const WebhookPolicy policy;
    FailedAttempt failed{.failures = 1, .occurred_at = kNow - 24h + 6s, .now = kNow, .retry_after = {}, .chance = 0};
    EXPECT_EQ(next_attempt(policy, failed), kNow + 5s);
    failed.retry_after = 6s;
    EXPECT_FALSE(next_attempt(policy, failed));
    failed.occurred_at = kNow - 25h;
    EXPECT_FALSE(next_attempt(policy, failed));
}

TEST(WebhookRetry, AllTheAttemptsOfADay) {
    const WebhookPolicy policy;
    int attempts = 1;
    for (auto now = kNow;; ++attempts) {
        const auto next = next_attempt(
            policy, {.failures = attempts, .occurred_at = kNow, .now = now, .retry_after = {}, .chance = 0});
        if (!next) break;
        ASSERT_GT(*next, now);
        now = *next;
    }
    EXPECT_EQ(attempts, 33);  // 5 s to 2,560 s in ten steps, then hourly.
}

TEST(WebhookRetry, RetryAfterAsSecondsOrDate) {
    EXPECT_EQ(retry_after("120", kNow), 120s);
    EXPECT_EQ(retry_after("Sun, 25 Jan 2026 14:02:00 GMT", kNow), 120s);
    EXPECT_EQ(retry_after("Sun, 25 Jan 2026 13:00:00 GMT", kNow), 0s);
    for (const auto* bad : {"", "-1", "1.5", "soon", "99999999999999999999", "Sun, 31 Feb 2026 14:02:00 GMT",
                            "Sun, 25 Jan 2026 25:02:00 GMT", "Sun, 25 Jem 2026 14:02:00 GMT"}) {
        EXPECT_FALSE(retry_after(bad, kNow)) << bad;
    }
}

TEST(WebhookLog, OnlyTheHostIsNamed) {
    EXPECT_EQ(host_of("https://user:secret@hooks.example.org:8443/a?token=b"), "hooks.example.org");
    EXPECT_EQ(host_of("http://127.0.0.1:8080"), "127.0.0.1");
    EXPECT_EQ(host_of("no url"), "?");
}

}  // namespace
}  // namespace events
