// Looks at every request from its beginning to its end: counts it by route and status, measures it, opens its span, and
// says so in the log when it took too long. Routes are told apart by their patterns, so whatever clients ask for, there
// is only so much to count, and no id of a session or a person gets anywhere.
//
// Made before the site and outlives it; any thread. A request takes no lock.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/router.hpp"
#include "core/histogram.hpp"
#include "core/trace.hpp"
#include "net/http.hpp"

namespace api {

class RequestWatch {
  public:
    /// What is asked for beside the routes of a table.
    enum class Other : std::uint8_t {
        unmatched,   ///< No such path or method.
        preflight,   ///< CORS asks beforehand.
        chime_api,   ///< The Chime SDK's own API.
        signalling,  ///< The upgrade of a client that joins a meeting.
    };
    static constexpr std::size_t kOthers = 4;

    /// `slow`: requests that take so long are logged; 0: none. The table must live as long as the program.
    RequestWatch(std::span<const Pattern> routes, std::chrono::milliseconds slow);
    RequestWatch(const RequestWatch&) = delete;
    RequestWatch& operator=(const RequestWatch&) = delete;

    /// One request, as long as it is under way. A coroutine's, which may be dropped: then there was no answer.
    class Seen {
      public:
        Seen(RequestWatch& watch, const net::Request& request);
        ~Seen();
        Seen(const Seen&) = delete;
        Seen& operator=(const Seen&) = delete;

        /// By its index in the table; until told, it is `unmatched`.
        void is(std::size_t route) { route_ = route; }
        void is(Other other) { route_ = watch_.place_of(other); }
        void answered(unsigned status) { status_ = status; }
        /// The parent of what the request leads to.
        const core::trace::Context& trace() const { return work_.context(); }

      private:
        void tell_slow(std::chrono::steady_clock::duration time) const;

        RequestWatch& watch_;
        const net::Request& request_;
        const std::chrono::steady_clock::time_point begun_;
        core::trace::Work work_;
        std::size_t route_;
        unsigned status_ = 0;
    };

    /// Statuses that are counted by themselves; what else there may be is 0.
    static constexpr auto kStatuses = std::to_array<std::uint16_t>(
        {0,   101, 200, 201, 202, 204, 206, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405,
         406, 408, 409, 410, 411, 412, 413, 415, 422, 426, 428, 429, 431, 500, 501, 502, 503, 504});

    struct Figures {
        std::string_view method, route;                                ///< `GET`, `/api/video/sessions/{}`.
        std::vector<std::pair<std::string, std::uint64_t>> by_status;  ///< Without those that never came.
        core::LatencyHistogram::Sums times;
    };
    /// Of all routes that were ever asked for.
    std::vector<Figures> figures() const;
    std::uint64_t under_way() const;

  private:
    struct Route {
        std::string_view method, path;
        std::string name;  ///< Of its spans.
        core::PiecedCounts<kStatuses.size()> by_status;
        core::LatencyHistogram times;
    };

    std::size_t place_of(Other other) const { return routes_.size() - kOthers + static_cast<std::size_t>(other); }

    const std::chrono::steady_clock::duration slow_;
    std::vector<std::unique_ptr<Route>> routes_;  ///< Those of the table, then the others.
    core::PiecedCounts<1> begun_, over_;
};

/// The same for a handler that has no routes of the table.
net::Handler watched(RequestWatch& watch, RequestWatch::Other as, net::Handler handler);

}  // namespace api
