// Port: what patients have agreed to, and what happens in sessions while somebody looks on. `store/sqlite` and
// `store/postgres` implement it; one contract test runs against both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consultation/news.hpp"
#include "core/result.hpp"
#include "service/task.hpp"

namespace service {

using consultation::Time;

/// One patient's word to one version of the text. Kept for good, as it was given.
struct Consent {
    std::string patient_id;
    std::string version;
    std::string text_sha256;  ///< Of the text that they were shown, in hex.
    Time given_at;
    std::optional<std::string> session_id;  ///< The visit it was given for, if any.
    std::optional<std::string> address, request_id;

    bool operator==(const Consent&) const = default;
};

/// Calls as in SessionStore.
class BookingStore {
  public:
    virtual ~BookingStore() = default;

    virtual Task<core::Result<std::optional<Consent>>> find_consent(std::string patient_id, std::string version) = 0;
    /// Nullopt: added. Else what the patient has said to this version before, which stays as it is.
    virtual Task<core::Result<std::optional<Consent>>> add_consent(Consent consent) = 0;

    /// What has happened in a session after `sequence`, of the types that are told (see consultation/news.hpp), in the
    /// order of commits.
    virtual Task<core::Result<std::vector<consultation::Happening>>> happenings(std::string session_id,
                                                                                std::int64_t sequence, int limit) = 0;
    /// The one with this id, or without an id the latest.
    virtual Task<core::Result<std::optional<consultation::Happening>>> find_happening(
        std::string session_id, std::optional<std::string> event_id) = 0;
    /// The present versions of those sessions, in any order; of those that do not exist, none.
    virtual Task<core::Result<std::vector<std::pair<std::string, std::int64_t>>>> versions(
        std::vector<std::string> session_ids) = 0;
};

}  // namespace service
