// Which calls to AWS are made again, and when. Pure.
// Exponential backoff with full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>

namespace meetings::chime {

/// What became of one attempt.
struct Attempt {
    enum class End { answered, connection_broke, timed_out };
    End end = End::answered;
    unsigned status = 0;     ///< When answered.
    bool throttled = false;  ///< The answer's error code says so, whatever the status.
    std::optional<std::chrono::seconds> retry_after{};
};

/// 429, 409 (the same request is being worked on right now), all of 5xx but 501, and whatever brought no answer.
inline bool is_worth_repeating(const Attempt& attempt) {
    if (attempt.end != Attempt::End::answered || attempt.throttled) return true;
    return attempt.status == 429 || attempt.status == 409 || (attempt.status >= 500 && attempt.status != 501);
}

struct RetrySettings {
    int attempts = 4;            ///< At most, the first included.
    int conflict_attempts = 12;  ///< While somebody else has the same request under way (409).
    std::chrono::milliseconds first_pause{100};
    std::chrono::milliseconds most_pause{1000};
    std::chrono::milliseconds least_left{50};  ///< An attempt with less time than this is not worth making.
};

/// The pause before the next attempt; nullopt: let it be. `made`: attempts so far. `remaining`: of the time for the
/// whole call. `random`: 0 <= random < 1. A Retry-After that does not fit in the time ends the attempts.
inline std::optional<std::chrono::milliseconds> pause_before_next(const RetrySettings& settings, const Attempt& last,
                                                                  int made, std::chrono::milliseconds remaining,
                                                                  double random) {
    const bool conflict = last.end == Attempt::End::answered && last.status == 409;
    if (!is_worth_repeating(last) || made >= (conflict ? settings.conflict_attempts : settings.attempts)) return {};
    // The other request will be through in a moment: that is worth an even pace, and is not helped by more distance.
    const auto base = conflict ? settings.first_pause : std::chrono::milliseconds{0};
    const auto doubled = settings.first_pause * (1 << std::clamp(made - 1, 0, 16));
    const auto spread = conflict ? settings.first_pause : std::min(doubled, settings.most_pause);
    auto pause = base + std::chrono::milliseconds{static_cast<long>(random * double(spread.count()))};
    if (last.retry_after) pause += *last.retry_after;
    if (pause + settings.least_left > remaining) return {};
    return pause;
}

/// Retry-After in seconds, the form AWS uses (RFC 9110 section 10.2.3); at most an hour.
inline std::optional<std::chrono::seconds> retry_after_from(std::string_view value) {
    int seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error != std::errc{} || end != value.data() + value.size() || seconds < 0) return {};
    return std::chrono::seconds{std::min(seconds, 3600)};
}

}  // namespace meetings::chime
