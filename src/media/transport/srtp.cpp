#include "media/transport/srtp.hpp"

#include <openssl/crypto.h>
#include <srtp2/srtp.h>

#include <algorithm>
#include <climits>
#include <mutex>
#include <stdexcept>

namespace media::transport {
namespace {

constexpr std::size_t kKeySize = 16;
constexpr std::size_t kRtpHeader = 12;
constexpr std::size_t kRtpSsrcAt = 8;
constexpr std::size_t kRtcpHeader = 8;
constexpr std::size_t kRtcpSsrcAt = 4;

void start_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (srtp_init() != srtp_err_status_ok) throw std::runtime_error("libsrtp cannot be initialised");
    });
}

srtp_ctx_t_* make_context(SrtpProfile profile, SrtpKey key, srtp_ssrc_type_t direction) {
    srtp_policy_t policy{};
    const srtp_profile_t id =
        profile == SrtpProfile::aead_aes_128_gcm ? srtp_profile_aead_aes_128_gcm : srtp_profile_aes128_cm_sha1_80;
    srtp_ctx_t_* context = nullptr;
    policy.ssrc.type = direction;
    policy.key = key.bytes.data();
    policy.window_size = SrtpSession::kWindow;
    policy.allow_repeat_tx = 1;
    if (srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, id) != srtp_err_status_ok ||
        srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, id) != srtp_err_status_ok ||
        srtp_create(&context, &policy) != srtp_err_status_ok) {
        throw std::runtime_error("libsrtp refuses the SRTP profile");
    }
    return context;
}

std::uint32_t read_u32(const std::uint8_t* p) {
    return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

void count(SrtpCounters& counters, int status) {
    switch (status) {
        case srtp_err_status_replay_fail:
        case srtp_err_status_replay_old:
        case srtp_err_status_pkt_idx_old:
            ++counters.replayed;
            break;
        case srtp_err_status_auth_fail:
            ++counters.unauthentic;
            break;
        case srtp_err_status_bad_param:
        case srtp_err_status_parse_err:
            ++counters.malformed;
            break;
        default:
            ++counters.other;
    }
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

SrtpSession::SrtpSession(SrtpProfile profile, const SrtpKey& inbound, const SrtpKey& outbound) {
    start_library();
    in_.context = make_context(profile, inbound, ssrc_any_inbound);
    out_.context = make_context(profile, outbound, ssrc_any_outbound);
    in_.sources.reserve(64);
    out_.sources.reserve(64);
}

SrtpSession::~SrtpSession() = default;

SrtpSession::Direction::~Direction() {
    if (context) srtp_dealloc(context);
}

std::optional<std::span<std::uint8_t>> SrtpSession::Direction::run(Call call, std::span<std::uint8_t> buffer,
                                                                   std::size_t size, std::size_t ssrc_at) {
    const std::uint32_t ssrc = read_u32(buffer.data() + ssrc_at);
    const auto place = std::ranges::lower_bound(sources, ssrc);
    const bool known = place != sources.end() && *place == ssrc;
    if (!known && sources.size() >= kMaxSources) {
        ++counters.too_many_sources;
        return std::nullopt;
    }
    int length = static_cast<int>(size);
    if (const int status = call(context, buffer.data(), &length); status != srtp_err_status_ok) {
        count(counters, status);
        return std::nullopt;
    }
    if (!known) sources.insert(place, ssrc);
    return buffer.first(static_cast<std::size_t>(length));
}

namespace {

/// Version 2, a whole fixed header, and a size that libsrtp's `int` can hold.
bool plausible(std::span<const std::uint8_t> packet, std::size_t header) {
    return packet.size() >= header && packet.size() <= USHRT_MAX && packet[0] >> 6 == 2;
}

}  // namespace

std::optional<std::span<std::uint8_t>> SrtpSession::protect_rtp(std::span<std::uint8_t> buffer, std::size_t size) {
    if (size > buffer.size() || buffer.size() - size < kMaxOverhead || !plausible(buffer.first(size), kRtpHeader)) {
        ++out_.counters.malformed;
        return std::nullopt;
    }
    const Call call = [](srtp_ctx_t_* context, void* packet, int* length) -> int {
        return srtp_protect(context, packet, length);
    };
    return out_.run(call, buffer, size, kRtpSsrcAt);
}

std::optional<std::span<std::uint8_t>> SrtpSession::protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size) {
    if (size > buffer.size() || buffer.size() - size < kMaxOverhead || !plausible(buffer.first(size), kRtcpHeader)) {
        ++out_.counters.malformed;
        return std::nullopt;
    }
    const Call call = [](srtp_ctx_t_* context, void* packet, int* length) -> int {
        return srtp_protect_rtcp(context, packet, length);
    };
    return out_.run(call, buffer, size, kRtcpSsrcAt);
}

std::optional<std::span<std::uint8_t>> SrtpSession::unprotect_rtp(std::span<std::uint8_t> packet) {
    if (!plausible(packet, kRtpHeader)) {
        ++in_.counters.malformed;
        return std::nullopt;
    }
    const Call call = [](srtp_ctx_t_* context, void* data, int* length) -> int {
        return srtp_unprotect(context, data, length);
    };
    return in_.run(call, packet, packet.size(), kRtpSsrcAt);
}

std::optional<std::span<std::uint8_t>> SrtpSession::unprotect_rtcp(std::span<std::uint8_t> packet) {
    if (!plausible(packet, kRtcpHeader)) {
        ++in_.counters.malformed;
        return std::nullopt;
    }
    const Call call = [](srtp_ctx_t_* context, void* data, int* length) -> int {
        return srtp_unprotect_rtcp(context, data, length);
    };
    return in_.run(call, packet, packet.size(), kRtcpSsrcAt);
}

}  // namespace media::transport
