// Rate limits as requests meet them: who is turned away, with which answer, and what answers say about what is left
// (fields RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers-10). Any thread. Limits may be null:
// then everybody gets in.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "api/rate_limits.hpp"
#include "net/http.hpp"

namespace api {

/// How a route is limited.
enum class RateClass : std::uint8_t {
    by_method,  ///< GET reads, all others write.
    join,
    refresh,
    link,       ///< To whoever has a link: 404 is the answer to a wrong one.
    unlimited,  ///< Probes and metrics, as whoever is told to wait there is taken for dead; and what knows its callers
                ///< better than the site does. Wrong credentials are counted there all the same.
};

/// Somebody without a good token: the refusal, if there have been too many requests from the address.
std::optional<net::Response> turn_away_stranger(RateLimits* limits, const net::Request& request);

/// Somebody showed a token that never was good, and is about to be told 401: the refusal instead, if that happened too
/// often from the address. Good tokens pass whatever happens, so that nobody is locked out by a neighbour.
std::optional<net::Response> turn_away_guesser(RateLimits* limits, const net::Request& request);

class Admission {
  public:
    /// A known user; spends.
    Admission(RateLimits* limits, const net::Request& request, RateClass rate_class, std::string_view user_id);

    /// Nullopt: come in.
    std::optional<net::Response> refusal() const;
    /// What is left, on the answer.
    void describe(net::Response& response) const;

  private:
    std::optional<RateStanding> standing_;
};

}  // namespace api
