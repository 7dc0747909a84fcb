#include "service/session_watch.hpp"

#include <algorithm>
#include <vector>

namespace service {

std::expected<std::unique_ptr<SessionWatch::Seat>, SessionWatch::Refusal> SessionWatch::take_seat(
    std::string session_id, std::string user_id) {
    auto seat = std::make_unique<Seat>(*this, std::move(session_id), std::move(user_id));
    const std::scoped_lock lock(mutex_);
    if (taken_ >= limits_.all) return std::unexpected(Refusal::all);
    const auto known = sessions_.find(seat->session_id_);
    if (known != sessions_.end()) {
        const auto& seats = known->second.seats;
        if (seats.size() >= limits_.per_session) return std::unexpected(Refusal::session);
        const auto own = std::ranges::count(seats, seat->user_id_, &Seat::user_id_);
        if (static_cast<std::size_t>(own) >= limits_.per_person) return std::unexpected(Refusal::person);
    }
    sessions_[seat->session_id_].seats.insert(seat.get());
    ++taken_;
    return seat;
}

void SessionWatch::leave(Seat& seat) {
    const std::scoped_lock lock(mutex_);
    const auto known = sessions_.find(seat.session_id_);
    if (known == sessions_.end() || known->second.seats.erase(&seat) == 0) return;
    --taken_;
    if (known->second.seats.empty()) sessions_.erase(known);
}

void SessionWatch::Seat::on_news(std::function<void()> wake) {
    const std::scoped_lock lock(watch_.mutex_);
    wake_ = std::move(wake);
}

void SessionWatch::changed(const std::string& session_id, std::int64_t version) {
    std::vector<std::function<void()>> wakes;
    {
        const std::scoped_lock lock(mutex_);
        const auto known = sessions_.find(session_id);
        if (known == sessions_.end()) return;
        auto& watched = known->second;
        if (watched.version && *watched.version >= version) return;
        watched.version = version;
        for (const auto* seat : watched.seats) {
            if (seat->wake_) wakes.push_back(seat->wake_);
        }
    }
    for (const auto& wake : wakes) wake();
}

Task<core::Result<void>> SessionWatch::look() {
    std::vector<std::string> ids;
    {
        const std::scoped_lock lock(mutex_);
        ids.reserve(sessions_.size());
        for (const auto& [id, watched] : sessions_) ids.push_back(id);
    }
    if (ids.empty()) co_return core::Result<void>{};
    const auto versions = co_await store_.versions(std::move(ids));
    if (!versions) co_return std::unexpected(versions.error());
    for (const auto& [id, version] : *versions) changed(id, version);
    co_return core::Result<void>{};
}

std::size_t SessionWatch::seats() const {
    const std::scoped_lock lock(mutex_);
    return taken_;
}

Task<core::Result<Committed>> WatchedStore::commit(consultation::Change change,
                                                   std::optional<IdempotencyRecord> idempotency) {
    const auto session_id = change.after.session_id;
    const auto version = change.after.version;
    auto committed = co_await below().commit(std::move(change), std::move(idempotency));
    if (committed && *committed == Committed::applied) watch_.changed(session_id, version);
    co_return committed;
}

}  // namespace service
