#include "meetings/chime/retry.hpp"

#include <gtest/gtest.h>

namespace meetings::chime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Attempt answered(unsigned status) {
    return {.status = status};
}

TEST(Retry, RepeatsWhatMayBeBetterNextTime) {
    for (const unsigned status : {409u, 429u, 500u, 502u, 503u, 504u})
        EXPECT_TRUE(is_worth_repeating(answered(status)));
    for (const unsigned status : {200u, 204u, 301u, 400u, 401u, 403u, 404u, 422u, 501u})
        EXPECT_FALSE(is_worth_repeating(answered(status)));
    EXPECT_TRUE(is_worth_repeating({.end = Attempt::End::connection_broke}));
    EXPECT_TRUE(is_worth_repeating({.end = Attempt::End::timed_out}));
    EXPECT_TRUE(is_worth_repeating({.status = 400, .throttled = true}));
}

TEST(Retry, PausesGrowAndAreSpreadOverTheirWholeLength) {
    const RetrySettings settings{.attempts = 10};
    const auto pause = [&](int made, double random) {
        return pause_before_next(settings, answered(500), made, seconds{60}, random);
    };
    EXPECT_EQ(pause(1, 0), milliseconds{0});
    EXPECT_EQ(pause(1, 0.5), milliseconds{50});
    EXPECT_EQ(pause(2, 0.5), milliseconds{100});
    EXPECT_EQ(pause(4, 0.5), milliseconds{400});
    EXPECT_EQ(pause(5, 0.5), milliseconds{500});
    EXPECT_EQ(pause(9, 0.999), milliseconds{999});
}

TEST(Retry, EndsWithTheAttemptsAndWithTheTime) {
    const RetrySettings settings;
    EXPECT_TRUE(pause_before_next(settings, answered(500), 3, seconds{3}, 0));
    EXPECT_FALSE(pause_before_next(settings, answered(500), 4, seconds{3}, 0));
    EXPECT_FALSE(pause_before_next(settings, answered(404), 1, seconds{3}, 0));
    EXPECT_TRUE(pause_before_next(settings, answered(500), 1, milliseconds{50}, 0));
    EXPECT_FALSE(pause_before_next(settings, answered(500), 1, milliseconds{49}, 0));
}

TEST(Retry, AConflictIsAskedAgainAtAnEvenPace) {
    for (const int made : {1, 4, 11}) {
        EXPECT_EQ(pause_before_next({}, answered(409), made, seconds{3}, 0), milliseconds{100});
        EXPECT_EQ(pause_before_next({}, answered(409), made, seconds{3}, 0.5), milliseconds{150});
    }
    EXPECT_FALSE(pause_before_next({}, answered(409), 12, seconds{3}, 0));
}

TEST(Retry, WaitsAsLongAsItIsToldOrNotAtAll) {
    Attempt attempt = answered(503);
    attempt.retry_after = seconds{2};
    EXPECT_EQ(pause_before_next({}, attempt, 1, seconds{3}, 0.1), milliseconds{2010});
    EXPECT_FALSE(pause_before_next({}, attempt, 1, seconds{2}, 0));
}

TEST(Retry, ReadsRetryAfter) {
    EXPECT_EQ(retry_after_from("0"), seconds{0});
    EXPECT_EQ(retry_after_from("120"), seconds{120});
    EXPECT_EQ(retry_after_from("86400"), seconds{3600});
    for (const auto* odd : {"", "-1", "1.5", "2 ", "soon", "99999999999", "Wed, 21 Oct 2015 07:28:00 GMT"})
        EXPECT_FALSE(retry_after_from(odd)) << odd;
}

}  // namespace
}  // namespace meetings::chime
