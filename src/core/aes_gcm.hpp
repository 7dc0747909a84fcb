// Authenticated encryption of small values that are kept: AES-256-GCM (NIST SP 800-38D) on OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace core {

/// One key. Every value gets a random nonce of 96 bits, so a key is good for 2^32 values (SP 800-38D section 8.3).
/// Any thread; a call allocates nothing but its result.
class Aes256Gcm {
  public:
    static constexpr std::size_t kKey = 32;
    static constexpr std::size_t kNonce = 12;
    static constexpr std::size_t kTag = 16;

    /// Throws std::invalid_argument unless the key has 32 bytes.
    explicit Aes256Gcm(BytesView key);
    Aes256Gcm(const Aes256Gcm&) = default;
    Aes256Gcm& operator=(const Aes256Gcm&) = default;
    ~Aes256Gcm();

    /// Nonce, cipher text, tag. `context` is authenticated with it: the same must be given to open it again.
    Bytes seal(BytesView plain, std::string_view context) const;
    /// Nullopt: changed, cut off, of another context, or sealed under another key.
    std::optional<std::string> open(BytesView sealed, std::string_view context) const;
    /// HMAC-SHA256 under a key derived from this one for `purpose`.
    Sha256 mark(std::string_view purpose, std::string_view text) const;

  private:
    std::array<std::uint8_t, kKey> key_{};
};

}  // namespace core
