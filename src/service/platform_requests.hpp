// What the appointments service asks for by message: a session for a new appointment, its start, its end. Every request
// may come twice and must then change nothing more.
#pragma once

#include <optional>
#include <string>

#include "core/result.hpp"
#include "service/consultations.hpp"
#include "service/outbox.hpp"
#include "service/session_store.hpp"
#include "service/task.hpp"

namespace service {

struct RequestedSession {
    std::string appointment_id, doctor_id, patient_id;
    consultation::Time scheduled_start_time;  ///< UTC.
    std::string request_id;                   ///< The same for a repeated delivery of one message; any text.
    core::trace::Context trace{};             ///< The message's; here and below.
};

struct RequestedStart {
    std::string session;  ///< A session id, any meeting id the session has had, or an appointment id.
    std::string doctor_id;
    core::trace::Context trace{};
};

struct RequestedEnd {
    std::string session;  ///< As above.
    std::string ended_by;
    std::string ended_by_role;  ///< `doctor` or `patient`.
    core::trace::Context trace{};
};

/// `unavailable` and `timeout` mean: try again later. Every other error means that the message can never work; its text
/// says why, without personal data. Any control-plane thread.
class PlatformRequests {
  public:
    PlatformRequests(SessionStore& store, Outbox& outbox, Consultations& consultations)
        : store_(store), outbox_(outbox), consultations_(consultations) {}

    /// Books, or announces the appointment's session again.
    Task<Result<void>> create(RequestedSession request);
    Task<Result<void>> start(RequestedStart request);
    Task<Result<void>> end(RequestedEnd request);

    /// Tells the platform that the session of an appointment could not be made, once for each request id.
    Task<Result<void>> creation_failed(std::string appointment_id, std::string why, std::string request_id);

  private:
    Task<Result<consultation::Session>> find(std::string id);

    SessionStore& store_;
    Outbox& outbox_;
    Consultations& consultations_;
};

}  // namespace service
