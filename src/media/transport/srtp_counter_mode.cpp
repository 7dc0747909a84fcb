// AES128_CM_SHA1_80 (RFC 3711) on libsrtp.
#include <srtp2/srtp.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "media/transport/srtp_direction.hpp"
#include "media/wire/byte_io.hpp"

namespace media::transport {

namespace {

constexpr std::size_t kRtpSsrcAt = 8;
constexpr std::size_t kRtcpSsrcAt = 4;

void start_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (srtp_init() != srtp_err_status_ok) throw std::runtime_error("libsrtp cannot be initialised");
    });
}

class CounterModeDirection final : public SrtpDirection {
  public:
    CounterModeDirection(SrtpKey key, Use use) {
        start_library();
        srtp_policy_t policy{};
        policy.ssrc.type = use == Use::protect ? ssrc_any_outbound : ssrc_any_inbound;
        policy.key = key.bytes.data();
        policy.window_size = SrtpSession::kWindow;
        policy.allow_repeat_tx = 1;
        constexpr auto kProfile = srtp_profile_aes128_cm_sha1_80;
        if (srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, kProfile) != srtp_err_status_ok ||
            srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, kProfile) != srtp_err_status_ok ||
            srtp_create(&context_, &policy) != srtp_err_status_ok) {
            throw std::runtime_error("libsrtp refuses the SRTP profile");
        }
        sources_.reserve(64);
    }
    ~CounterModeDirection() override { srtp_dealloc(context_); }
    CounterModeDirection(const CounterModeDirection&) = delete;
    CounterModeDirection& operator=(const CounterModeDirection&) = delete;

    Packet protect_rtp(std::span<std::uint8_t> buffer, std::size_t size) override {
        return run(srtp_protect, buffer, size, kRtpSsrcAt);
    }
    Packet protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size) override {
        return run(srtp_protect_rtcp, buffer, size, kRtcpSsrcAt);
    }
    Packet unprotect_rtp(std::span<std::uint8_t> packet) override {
        return run(srtp_unprotect, packet, packet.size(), kRtpSsrcAt);
    }
    Packet unprotect_rtcp(std::span<std::uint8_t> packet) override {
        return run(srtp_unprotect_rtcp, packet, packet.size(), kRtcpSsrcAt);
    }

  private:
    using Call = srtp_err_status_t (*)(srtp_t context, void* packet, int* size);

    Packet run(Call call, std::span<std::uint8_t> buffer, std::size_t size, std::size_t ssrc_at) {
        const std::uint32_t ssrc = wire::load_u32(buffer.data() + ssrc_at);
        const auto place = std::ranges::lower_bound(sources_, ssrc);
        const bool known = place != sources_.end() && *place == ssrc;
        if (!known && sources_.size() >= SrtpSession::kMaxSources) {
            ++counters.too_many_sources;
            return std::nullopt;
        }
        int length = static_cast<int>(size);
        if (const auto status = call(context_, buffer.data(), &length); status != srtp_err_status_ok) {
            count(status);
            return std::nullopt;
        }
        if (!known) sources_.insert(place, ssrc);
        return buffer.first(static_cast<std::size_t>(length));
    }

    void count(srtp_err_status_t status) {
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

    srtp_t context_ = nullptr;
    std::vector<std::uint32_t> sources_;  ///< Sorted SSRCs that have a state in the context.
};

}  // namespace

std::unique_ptr<SrtpDirection> make_counter_mode_direction(const SrtpKey& key, SrtpDirection::Use use) {
    return std::make_unique<CounterModeDirection>(key, use);
}

}  // namespace media::transport
