// Who looks on at which session, and when there is something new for them: changes of this process at once, those of
// other processes on the same database by one question for all sessions that are looked at.
//
// Owned by the wiring; the store must outlive it, and it outlives every seat. Any control-plane thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "service/booking_store.hpp"
#include "service/store_layer.hpp"

namespace service {

class SessionWatch {
  public:
    struct Limits {
        std::size_t all = 1000;
        std::size_t per_session = 32;
        std::size_t per_person = 4;  ///< Of one session.
    };
    enum class Refusal { person, session, all };

    SessionWatch(BookingStore& store, Limits limits) : store_(store), limits_(limits) {}

    /// Somebody's place among those who look on; given back when it goes.
    class Seat {
      public:
        Seat(SessionWatch& watch, std::string session_id, std::string user_id)
            : watch_(watch), session_id_(std::move(session_id)), user_id_(std::move(user_id)) {}
        ~Seat() { watch_.leave(*this); }
        Seat(const Seat&) = delete;
        Seat& operator=(const Seat&) = delete;

        /// Whom to call when something is new. It is called on any thread, may be called a last time while the seat
        /// goes, and must return at once.
        void on_news(std::function<void()> wake);

      private:
        friend class SessionWatch;
        SessionWatch& watch_;
        const std::string session_id_, user_id_;
        std::function<void()> wake_;  ///< Under the watch's lock.
    };
    std::expected<std::unique_ptr<Seat>, Refusal> take_seat(std::string session_id, std::string user_id);

    /// This process has changed a session.
    void changed(const std::string& session_id, std::int64_t version);
    /// Asks what others have changed. Call it about twice a second; while nobody looks on it does nothing.
    Task<core::Result<void>> look();

    BookingStore& store() const { return store_; }
    /// Taken at the moment.
    std::size_t seats() const;

  private:
    struct Watched {
        std::optional<std::int64_t> version;  ///< The latest that is known.
        std::set<Seat*> seats;
    };
    void leave(Seat& seat);

    BookingStore& store_;
    const Limits limits_;
    mutable std::mutex mutex_;
    std::map<std::string, Watched> sessions_;
    std::size_t taken_ = 0;
};

/// A store that tells a watch of every change that is committed through it.
class WatchedStore final : public StoreLayer {
  public:
    WatchedStore(Store& below, SessionWatch& watch) : StoreLayer(below), watch_(watch) {}

    Task<core::Result<Committed>> commit(consultation::Change change,
                                         std::optional<IdempotencyRecord> idempotency = {}) override;

  private:
    SessionWatch& watch_;
};

}  // namespace service
