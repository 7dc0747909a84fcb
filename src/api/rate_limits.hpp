// How often a user, an address, and whoever shows wrong tokens may ask: the buckets of each, and what is told to the
// other processes. Made by the wiring, outlives the site; any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "api/rate_bucket.hpp"
#include "api/rate_key.hpp"
#include "api/rate_table.hpp"
#include "core/histogram.hpp"

namespace api {

/// What a request spends from: the first four belong to a user, the others to an address. Numbers go into keys that
/// processes of different versions share: only add to them.
enum class RateKind : std::uint8_t {
    read = 0,
    write = 1,
    join = 2,
    refresh = 3,
    address = 4,    ///< Everything from there.
    anonymous = 5,  ///< What comes from there without a good token.
    failed = 6,     ///< Wrong tokens from there.
};
constexpr std::size_t kRateKinds = 7;

/// As in header fields.
std::string_view to_text(RateKind kind);

/// Requests a minute; 0: as many as they like.
struct RateSettings {
    int read = 300, write = 100, join = 30, refresh = 10;
    int address = 0;
    int anonymous = 6000;
    int failed = 60;
    bool shared = false;                       ///< There are others to be told.
    std::size_t slots = std::size_t{1} << 16;  ///< Buckets of users, and as many of addresses.
};

/// What became of a request.
struct RateStanding {
    RateKind kind = RateKind::read;
    RatePolicy policy;
    Spending spending;
};

class RateLimits {
  public:
    /// Processes that share a ledger need one secret.
    RateLimits(const RateSettings& settings, std::string_view secret);

    /// Nullopt: not limited.
    std::optional<RateStanding> spend_user(RateKind kind, std::string_view user_id, Micros now);
    std::optional<RateStanding> spend_address(RateKind kind, std::string_view address, Micros now);

    /// As in RateTable, over users and addresses.
    std::vector<RateShare> collect(std::size_t limit, Micros now);
    void settle(std::uint64_t key, Micros owed, Micros now);
    void give_back(const RateShare& share, Micros now);

    /// `wake` is called, on any thread, when the next `collect` should be soon; once until then. Before the first
    /// request.
    void on_urgent(std::function<void()> wake) { wake_ = std::move(wake); }

    /// How often that was too often, since the start.
    std::uint64_t refused(RateKind kind) const { return refused_.sum(static_cast<std::size_t>(kind)); }

    bool is_shared() const { return shared_; }
    std::size_t bytes() const { return users_.bytes() + addresses_.bytes(); }

  private:
    std::optional<RateStanding> spend_from(RateTable& table, RateKind kind, std::uint64_t key, Micros now);
    int quota(RateKind kind) const { return quotas_[static_cast<std::size_t>(kind)]; }

    const std::array<int, kRateKinds> quotas_;
    const bool shared_;
    const RateKeys keys_;
    RateTable users_, addresses_;  ///< Apart, so that no flood of addresses touches a user.
    std::function<void()> wake_;
    std::atomic<bool> woken_{false};
    core::PiecedCounts<kRateKinds> refused_;
};

}  // namespace api
