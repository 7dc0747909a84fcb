// The two checks over a STUN message: HMAC-SHA1 (RFC 8489 section 14.5) and CRC-32 (section 14.7). For stun.cpp.
// Neither allocates. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/bytes.hpp"

namespace media::wire::detail {

using Sha1Digest = std::array<std::uint8_t, 20>;

/// HMAC-SHA1 over `head` followed by `tail`: the message's header is hashed with another length than it has.
Sha1Digest hmac_sha1(std::string_view key, core::BytesView head, core::BytesView tail);

/// CRC-32 of ITU V.42 over `head` followed by `tail`.
std::uint32_t crc32(core::BytesView head, core::BytesView tail);

}  // namespace media::wire::detail
