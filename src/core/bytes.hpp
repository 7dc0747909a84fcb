// Bytes, their text forms, randomness and keyed hashes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

inline BytesView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(BytesView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// RFC 4648 section 5, without padding.
std::string base64url(BytesView bytes);
/// RFC 4648 section 4, with padding.
std::string base64(BytesView bytes);
std::optional<Bytes> from_base64url(std::string_view text);

/// Lower-case hexadecimal.
std::string hex(BytesView bytes);

/// Fills with cryptographically secure random bytes; throws std::runtime_error when the system has none. Any thread.
void random_bytes(std::span<std::uint8_t> out);
std::uint32_t random_u32();

/// A random UUID (RFC 9562 version 4) in lower case.
std::string uuid4();

using Sha256 = std::array<std::uint8_t, 32>;
Sha256 sha256(BytesView data);
Sha256 hmac_sha256(BytesView key, BytesView data);
using Sha1 = std::array<std::uint8_t, 20>;
/// Only for protocols that prescribe it.
Sha1 hmac_sha1(BytesView key, BytesView data);

/// Compares in a time that depends only on the lengths.
bool equal_in_constant_time(BytesView a, BytesView b);

}  // namespace core
