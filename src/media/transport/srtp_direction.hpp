// One direction of an SRTP association, whatever the profile. Private to srtp*.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "media/transport/srtp.hpp"

namespace media::transport {

/// Calls come with plausible packets only: version 2, a whole fixed header, at most 65,535 bytes; for `protect_*` with
/// `kMaxOverhead` bytes of room behind `size`. A direction either protects or unprotects.
class SrtpDirection {
  public:
    enum class Use { protect, unprotect };
    using Packet = std::optional<std::span<std::uint8_t>>;

    virtual ~SrtpDirection() = default;
    virtual Packet protect_rtp(std::span<std::uint8_t> buffer, std::size_t size) = 0;
    virtual Packet protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size) = 0;
    virtual Packet unprotect_rtp(std::span<std::uint8_t> packet) = 0;
    virtual Packet unprotect_rtcp(std::span<std::uint8_t> packet) = 0;

    SrtpCounters counters;
};

/// AEAD_AES_128_GCM, on OpenSSL.
std::unique_ptr<SrtpDirection> make_gcm_direction(const SrtpKey& key, SrtpDirection::Use use);
/// AES128_CM_SHA1_80, the fallback of old clients, on libsrtp.
std::unique_ptr<SrtpDirection> make_counter_mode_direction(const SrtpKey& key, SrtpDirection::Use use);

}  // namespace media::transport
