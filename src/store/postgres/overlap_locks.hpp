// The locks under which two visits of one person never come to overlap: one for the doctor and one for the patient, the
// same in every process on the database. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "consultation/session.hpp"
#include "core/bytes.hpp"

namespace store::postgres {

/// In ascending order, so that two transactions never wait for each other.
inline std::array<std::int64_t, 2> overlap_locks(const consultation::Session& session) {
    const auto lock = [](std::string_view role, std::string_view person) {
        const auto text = std::string("video_consultation ").append(role).append(" ").append(person);
        const auto digest = core::sha256(core::as_bytes(text));
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < 8; ++i) number = number << 8U | digest.at(i);
        return static_cast<std::int64_t>(number);
    };
    std::array<std::int64_t, 2> locks{lock("doctor", session.doctor_id), lock("patient", session.patient_id)};
    std::ranges::sort(locks);
    return locks;
}

}  // namespace store::postgres
