// A circuit breaker: after failures it lets nothing through for a while, so that whoever is down is left in peace and
// nobody here waits in vain. A value; the time is an argument. Not thread-safe: its owner locks.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace meetings::chime {

class Breaker {
  public:
    using Clock = std::chrono::steady_clock;
    using Time = Clock::time_point;
    enum class State { closed, open, half_open };

    struct Settings {
        int failures_in_a_row = 5;  ///< So many open it.
        int window_calls = 20;      ///< The latest calls, but none older than `window`…
        std::chrono::seconds window{30};
        double window_failures = 0.5;  ///< …open it too, once they are so many and this part of them failed.
        std::chrono::seconds open_first{5};
        std::chrono::seconds open_most{60};  ///< The first time doubles with each probe that fails, up to this.
    };

    /// The right to make one call. Its outcome counts only while the breaker is as it was then: calls that were under
    /// way when it opened say nothing about the time after.
    struct Pass {
        std::uint64_t era = 0;
    };

    Breaker() = default;
    explicit Breaker(Settings settings) : settings_(settings) {}

    /// May a call go out? Whoever gets a pass reports the outcome with it, by one of the next three.
    std::optional<Pass> admit(Time now);
    void succeeded(Pass pass, Time now);
    void failed(Pass pass, Time now);
    /// Given up without an outcome.
    void abandoned(Pass pass);

    /// Half-open: the time is up, and one call goes out to see.
    State state(Time now) const;
    /// How long nothing gets through; zero unless open.
    Clock::duration remaining(Time now) const;

  private:
    struct Outcome {
        Time at;
        bool ok;
    };
    void note(Time now, bool ok);
    bool fails_too_often() const;
    void open(Time now);
    void close();

    Settings settings_;
    std::deque<Outcome> latest_;
    int in_a_row_ = 0;
    bool is_open_ = false;  ///< Open or half-open.
    bool probing_ = false;  ///< The one call is under way.
    std::uint64_t era_ = 0;
    Time open_until_;
    std::chrono::seconds pause_{0};  ///< What it was opened for.
};

}  // namespace meetings::chime
