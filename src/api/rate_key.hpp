// What buckets are kept under: a keyed hash (SipHash-2-4, Aumasson and Bernstein 2012) of whose bucket it is. Who does
// not know the secret can neither aim at another's place in a table nor tell from a key whose it is. Processes with one
// secret agree on keys. Immutable; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace api {

class RateKeys {
  public:
    explicit RateKeys(std::string_view secret);

    /// `kind` keeps the buckets of one user or address apart.
    std::uint64_t of_user(std::uint8_t kind, std::string_view user_id) const;
    /// Of an IP literal; of IPv6 only the network counts (64 bits: a subscriber has at least all of them). What is no
    /// literal counts as it is written.
    std::uint64_t of_address(std::uint8_t kind, std::string_view address) const;

  private:
    std::uint64_t of(std::uint8_t kind, std::string_view bytes) const;

    std::uint64_t low_ = 0, high_ = 0;
};

/// SipHash-2-4 of at most 64 KiB; `low` and `high` are the halves of the key.
std::uint64_t siphash(std::uint64_t low, std::uint64_t high, std::string_view bytes);

}  // namespace api
