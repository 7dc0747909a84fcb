// What becomes of finished sessions when their time is over: they are made anonymous, or removed. And of what else
// would grow without end. One process at a time does it; what is done stays done, so an interrupted run goes on later.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/archive.hpp"
#include "service/store.hpp"
#include "service/task.hpp"

namespace service {

struct RetentionSettings {
    std::chrono::days keep{0};  ///< Since the planned end and the last change; 0: for good.
    bool purge = false;         ///< Else made anonymous.
    std::string holder;         ///< Names this process among those on the database.
    int batch = 50;             ///< Sessions of one step.

    // How long the rest is of use.
    std::chrono::days idempotency{7};  ///< Nobody repeats a booking later.
    std::chrono::days chime{92};       ///< What AWS told: for checking the months that may still be billed.
    std::chrono::days leases{1};
};

/// Owns nothing but references, which must outlive it. One coroutine at a time.
class Retention {
  public:
    /// Gives a person another name: the same for the same person, and nobody finds the way back.
    using Pseudonym = std::function<std::string(const std::string& user_id)>;

    Retention(RetentionSettings settings, Store& store, Archive& archive, Pseudonym pseudonym, const core::Clock& clock)
        : settings_(std::move(settings)),
          store_(store),
          archive_(archive),
          pseudonym_(std::move(pseudonym)),
          clock_(clock) {}

    /// Does all that is due, in steps, unless another process is at it. Returns how many sessions it retired.
    Task<core::Result<int>> run();

  private:
    Task<core::Result<void>> prune(Leftover what, std::chrono::days age);
    /// False: it has changed meanwhile, or is gone; it comes again if it must.
    Task<core::Result<bool>> retire(std::string session_id);
    Task<core::Result<bool>> anonymise(consultation::Session session);
    Task<core::Result<bool>> purge(consultation::Session session);
    Task<core::Result<void>> write_down(const consultation::Session& session);

    RetentionSettings settings_;
    Store& store_;
    Archive& archive_;
    Pseudonym pseudonym_;
    const core::Clock& clock_;
};

/// The session without its people and texts: ids replaced, times and figures kept. Pure.
consultation::Session anonymous(consultation::Session session, const Retention::Pseudonym& pseudonym);

}  // namespace service
