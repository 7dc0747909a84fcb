// Callers of tokens that were found good, so that a client's token is taken apart once and not with each request.
// Knows tokens by their SHA-256 only. Bounded: an entry makes room for the next that falls on its place.
//
// Owned by a verifier. Any thread; a lock is held for a comparison and a copy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "service/token_verifier.hpp"

namespace directory {

class CallerCache {
  public:
    /// When a token holds, in seconds since 1970: `from` <= now < `until`.
    struct Validity {
        double from = 0;
        double until = 0;
    };

    CallerCache();

    /// `generation` is that of the keys: what was found good with others is not known any more.
    std::optional<service::Caller> find(const core::Sha256& token, double now, std::uint64_t generation) const;
    void put(const core::Sha256& token, const service::Caller& caller, Validity validity, std::uint64_t generation);

  private:
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kPlaces = 64;  ///< In each shard.

    struct Entry {
        core::Sha256 token{};
        service::Caller caller;
        Validity validity;
        std::uint64_t generation = 0;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::array<Entry, kPlaces> entries;
    };
    static std::size_t shard_of(const core::Sha256& token) { return token[0] % kShards; }
    static std::size_t place_of(const core::Sha256& token) { return token[1] % kPlaces; }

    std::vector<Shard> shards_;
};

}  // namespace directory
