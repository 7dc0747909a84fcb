#include "meetings/chime/breaker.hpp"

#include <algorithm>

namespace meetings::chime {

std::optional<Breaker::Pass> Breaker::admit(Time now) {
    if (is_open_) {
        if (now < open_until_ || probing_) return {};
        probing_ = true;
    }
    return Pass{era_};
}

void Breaker::succeeded(Pass pass, Time now) {
    if (pass.era != era_) return;
    if (is_open_) return close();
    note(now, true);
}

void Breaker::failed(Pass pass, Time now) {
    if (pass.era != era_) return;
    if (!is_open_) note(now, false);
    if (is_open_ || in_a_row_ >= settings_.failures_in_a_row || fails_too_often()) open(now);
}

void Breaker::abandoned(Pass pass) {
    if (pass.era == era_) probing_ = false;
}

Breaker::State Breaker::state(Time now) const {
    if (!is_open_) return State::closed;
    return now < open_until_ ? State::open : State::half_open;
}

Breaker::Clock::duration Breaker::remaining(Time now) const {
    return is_open_ ? std::max(open_until_ - now, Clock::duration::zero()) : Clock::duration::zero();
}

void Breaker::note(Time now, bool ok) {
    in_a_row_ = ok ? 0 : in_a_row_ + 1;
    latest_.push_back({now, ok});
    while (latest_.size() > std::size_t(settings_.window_calls) || latest_.front().at + settings_.window < now)
        latest_.pop_front();
}

bool Breaker::fails_too_often() const {
    if (latest_.size() < std::size_t(settings_.window_calls)) return false;
    const auto failures = std::ranges::count(latest_, false, &Outcome::ok);
    return double(failures) >= settings_.window_failures * double(latest_.size());
}

void Breaker::open(Time now) {
    pause_ = is_open_ ? std::min(pause_ * 2, settings_.open_most) : settings_.open_first;
    is_open_ = true;
    open_until_ = now + pause_;
    probing_ = false;
    ++era_;
}

void Breaker::close() {
    is_open_ = probing_ = false;
    ++era_;
    in_a_row_ = 0;
    latest_.clear();
}

}  // namespace meetings::chime
