// How people and clinics are called, from the platform's profile service, kept in a bounded cache: what was asked ten
// minutes ago is given at once, what is older is given at once too and asked again in the background, what is missing
// is waited for, but not for long. A neighbour that is slow or down costs a field, never a request.
//
// Owned by `app`. Any event loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "net/http_client.hpp"
#include "service/directory.hpp"

namespace directory {

struct ProfileNamesSettings {
    std::string base_url;                     ///< Of the profile service, `http://profile-service:8082`.
    std::size_t capacity = 10'000;            ///< People and clinics remembered; the longest unused one makes room.
    std::chrono::milliseconds patience{150};  ///< What a request waits for all that is missing.
    std::chrono::milliseconds timeout{3000};  ///< Of one question to the service.
    std::chrono::seconds fresh{600};          ///< Older names are asked for again,
    std::chrono::seconds usable{24L * 3600};  ///< still older ones are not used.
    std::chrono::seconds failure_memory{30};  ///< Nobody of that name, or no answer: not asked again for so long.
    std::size_t failures_in_a_row = 5;        ///< After so many questions without an answer,
    std::chrono::seconds rest{5};             ///< the service is neither asked nor waited for.
    std::size_t at_a_time = 32;               ///< Questions under way.
    std::size_t queue_limit = 1000;           ///< Questions that wait for their turn.
};

class ProfileNames final : public service::Names {
  public:
    /// Client and clock must outlive it. The event loops that have asked must stand still when it is destroyed.
    ProfileNames(ProfileNamesSettings settings, net::HttpClient& client, const core::Clock& clock);
    ~ProfileNames() override;
    ProfileNames(const ProfileNames&) = delete;
    ProfileNames& operator=(const ProfileNames&) = delete;

    service::Task<std::vector<service::SessionNames>> names_of(std::vector<service::NamesWanted> wanted) override;

  private:
    class Cache;
    std::shared_ptr<Cache> cache_;
};

}  // namespace directory
