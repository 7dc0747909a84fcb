// Appointments, from the platform's appointments service.
//
// Owned by `app`. Any event loop.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time_zone.hpp"
#include "net/http_client.hpp"
#include "service/directory.hpp"

namespace directory {

struct AppointmentsSettings {
    std::string base_url;                             ///< Of the appointments service, `http://appointments:8083`.
    core::ZoneResolver time_zone = core::utc_zone();  ///< Its times carry no zone; this one is meant.
    std::chrono::milliseconds timeout{3000};
};

class AppointmentsClient final : public service::Appointments {
  public:
    /// The client must outlive it.
    AppointmentsClient(AppointmentsSettings settings, net::HttpClient& client);

    /// Nullopt when the service says 404 with an empty body; another 404 is not its own.
    service::Task<core::Result<std::optional<service::Appointment>>> appointment(std::string appointment_id,
                                                                                 core::trace::Context of) override;

  private:
    AppointmentsSettings settings_;
    net::HttpClient& client_;
};

/// Reads the service's JSON; nullopt when it is not an appointment with that id. `start` is `appointmentDate`, which is
/// what the service's own messages call the scheduled time; where that is a bare date, `estimatedStartTime`, or else
/// the beginning of the doctor's session on that day.
std::optional<service::Appointment> read_appointment(std::string_view json, std::string_view id,
                                                     const core::ZoneResolver& zone);

}  // namespace directory
