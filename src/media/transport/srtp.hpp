// Secure RTP (RFC 3711, RFC 7714 for GCM) for one peer: one key pair in, one key pair out.
//
// Owned by one peer's transport and used on its media thread only. Works in place in the caller's buffers; allocates
// only when a source (SSRC) is seen for the first time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace media::transport {

class SrtpDirection;

enum class SrtpProfile { aead_aes_128_gcm, aes128_cm_sha1_80 };

/// Bytes of keying material that DTLS exports for the profile: both keys, both salts (RFC 5764 section 4.2).
constexpr std::size_t keying_material_size(SrtpProfile profile) {
    return profile == SrtpProfile::aead_aes_128_gcm ? 2 * (16 + 12) : 2 * (16 + 14);
}

/// Key followed by salt of one direction. Wiped when it goes.
struct SrtpKey {
    std::array<std::uint8_t, 30> bytes{};
    SrtpKey() = default;
    SrtpKey(const SrtpKey&) = default;
    SrtpKey& operator=(const SrtpKey&) = default;
    ~SrtpKey();
};

struct SrtpKeys {
    SrtpProfile profile = SrtpProfile::aead_aes_128_gcm;
    SrtpKey client;  ///< Protects what the DTLS client sends.
    SrtpKey server;  ///< Protects what the DTLS server sends.
};

/// Cuts the exporter's output (client key, server key, client salt, server salt). `material` has the profile's size.
SrtpKeys split_keying_material(SrtpProfile profile, std::span<const std::uint8_t> material);

/// What was refused, by reason. Packets that were fine are counted by the rooms that use them.
struct SrtpCounters {
    std::uint64_t replayed = 0;          ///< Seen before, or too old for the window.
    std::uint64_t unauthentic = 0;       ///< Wrong tag: damaged, forged, or under other keys.
    std::uint64_t malformed = 0;         ///< Not RTP or RTCP at all, or no room for the tag.
    std::uint64_t too_many_sources = 0;  ///< A new SSRC beyond `kMaxSources`.
    std::uint64_t other = 0;
};

class SrtpSession {
  public:
    /// Most bytes that protection adds to a packet (RTCP under GCM: tag and index).
    static constexpr std::size_t kMaxOverhead = 20;
    /// Packets a sequence number may lag behind the newest one, in and out.
    static constexpr unsigned kWindow = 1024;
    /// Distinct SSRCs per direction. A peer that changes its SSRCs more often has to connect anew.
    static constexpr std::size_t kMaxSources = 1024;

    /// `inbound` is the peer's key, `outbound` ours. Throws std::runtime_error when a library refuses.
    SrtpSession(SrtpProfile profile, const SrtpKey& inbound, const SrtpKey& outbound);
    ~SrtpSession();
    SrtpSession(const SrtpSession&) = delete;
    SrtpSession& operator=(const SrtpSession&) = delete;

    /// The first `size` bytes of `buffer` are an RTP packet; afterwards `buffer` holds the SRTP packet that is
    /// returned. Needs `size + kMaxOverhead` bytes of room; nullopt (buffer then undefined) when it cannot be
    /// protected.
    ///
    /// A sequence number may be sent again within the window, but ONLY with the very same bytes as the first time:
    /// other bytes under the same SSRC and sequence number would reveal the plain text of both (RFC 7714 section 8.1).
    /// Streams should begin with a sequence number below 32768, else losing their first packets can leave the receiver
    /// with a wrong roll-over counter.
    std::optional<std::span<std::uint8_t>> protect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
    std::optional<std::span<std::uint8_t>> protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);

    /// Decrypts in place; the returned plain packet lies within `packet`. nullopt (content then undefined): refused.
    std::optional<std::span<std::uint8_t>> unprotect_rtp(std::span<std::uint8_t> packet);
    std::optional<std::span<std::uint8_t>> unprotect_rtcp(std::span<std::uint8_t> packet);

    const SrtpCounters& inbound() const;
    const SrtpCounters& outbound() const;

  private:
    std::unique_ptr<SrtpDirection> in_;
    std::unique_ptr<SrtpDirection> out_;
};

}  // namespace media::transport
