#include "media/transport/srtp.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <climits>
#include <stdexcept>

#include "media/transport/srtp_direction.hpp"

namespace media::transport {
namespace {

constexpr std::size_t kKeySize = 16;
constexpr std::size_t kRtpHeader = 12;
constexpr std::size_t kRtcpHeader = 8;

std::unique_ptr<SrtpDirection> make_direction(SrtpProfile profile, const SrtpKey& key, SrtpDirection::Use use) {
    return profile == SrtpProfile::aead_aes_128_gcm ? make_gcm_direction(key, use)
                                                    : make_counter_mode_direction(key, use);
}

/// Version 2, a whole fixed header, and a size that fits into a datagram.
bool plausible(std::span<const std::uint8_t> packet, std::size_t header) {
    return packet.size() >= header && packet.size() <= USHRT_MAX && packet[0] >> 6 == 2;
}

bool can_grow(std::span<const std::uint8_t> buffer, std::size_t size, std::size_t header) {
    return size <= buffer.size() && buffer.size() - size >= SrtpSession::kMaxOverhead &&
           plausible(buffer.first(size), header);
}

}  // namespace

SrtpKey::~SrtpKey() {
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

SrtpKeys split_keying_material(SrtpProfile profile, std::span<const std::uint8_t> material) {
    if (material.size() != keying_material_size(profile)) throw std::logic_error("keying material of a wrong size");
    const std::size_t salt_size = material.size() / 2 - kKeySize;
    const auto cut = [&](std::size_t who) {
        SrtpKey key;
        const auto salt_at = std::ranges::copy(material.subspan(who * kKeySize, kKeySize), key.bytes.begin()).out;
        std::ranges::copy(material.subspan(2 * kKeySize + who * salt_size, salt_size), salt_at);
        return key;
    };
    SrtpKeys keys;
    keys.profile = profile;
    keys.client = cut(0);
    keys.server = cut(1);
    return keys;
}

SrtpSession::SrtpSession(SrtpProfile profile, const SrtpKey& inbound, const SrtpKey& outbound)
    : in_(make_direction(profile, inbound, SrtpDirection::Use::unprotect)),
      out_(make_direction(profile, outbound, SrtpDirection::Use::protect)) {}

SrtpSession::~SrtpSession() = default;

std::optional<std::span<std::uint8_t>> SrtpSession::protect_rtp(std::span<std::uint8_t> buffer, std::size_t size) {
    if (can_grow(buffer, size, kRtpHeader)) return out_->protect_rtp(buffer, size);
    ++out_->counters.malformed;
    return std::nullopt;
}

std::optional<std::span<std::uint8_t>> SrtpSession::protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size) {
    if (can_grow(buffer, size, kRtcpHeader)) return out_->protect_rtcp(buffer, size);
    ++out_->counters.malformed;
    return std::nullopt;
}

std::optional<std::span<std::uint8_t>> SrtpSession::unprotect_rtp(std::span<std::uint8_t> packet) {
    if (plausible(packet, kRtpHeader)) return in_->unprotect_rtp(packet);
    ++in_->counters.malformed;
    return std::nullopt;
}

std::optional<std::span<std::uint8_t>> SrtpSession::unprotect_rtcp(std::span<std::uint8_t> packet) {
    if (plausible(packet, kRtcpHeader)) return in_->unprotect_rtcp(packet);
    ++in_->counters.malformed;
    return std::nullopt;
}

const SrtpCounters& SrtpSession::inbound() const {
    return in_->counters;
}

const SrtpCounters& SrtpSession::outbound() const {
    return out_->counters;
}

}  // namespace media::transport
