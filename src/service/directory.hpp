// Ports: what other services of the platform know. Room `directory` implements them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/task.hpp"

namespace service {

/// How the people and the place of a session are called; unset where nobody knows, or not in time.
struct SessionNames {
    std::optional<std::string> doctor_name, doctor_specialty, patient_name, clinic_name;
};

/// Whose names are wanted.
struct NamesWanted {
    std::string doctor_id, patient_id;
    std::optional<std::int32_t> clinic_id;
};

class Names {
  public:
    virtual ~Names() = default;
    /// One answer for each, in the order asked; never fails, and answers within 150 ms all told. Any event loop.
    virtual Task<std::vector<SessionNames>> names_of(std::vector<NamesWanted> wanted) = 0;
};

/// An appointment, as far as a visit depends on it.
struct Appointment {
    std::string appointment_id, doctor_id, patient_id;
    bool is_virtual = false;
    bool is_cancelled = false;
    std::optional<consultation::Time> start;  ///< UTC.
    std::optional<int> duration_minutes;
    std::optional<std::int32_t> clinic_id;
    std::optional<std::string> chief_complaint;
};

class Appointments {
  public:
    virtual ~Appointments() = default;
    /// Nullopt: there is none. Errors: `timeout`, `unavailable`, `bad_gateway`.
    virtual Task<core::Result<std::optional<Appointment>>> appointment(std::string appointment_id,
                                                                       core::trace::Context of) = 0;
};

}  // namespace service
