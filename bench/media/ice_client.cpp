#include "ice_client.hpp"

#include "media/transport/ice_lite.hpp"
#include "media/wire/byte_io.hpp"
#include "media/wire/stun.hpp"

namespace bench {

namespace wire = media::wire;

namespace {
constexpr Nanos kRetransmission = 100 * kMillisecond;
/// As Chromium does on a pair that works.
constexpr Nanos kConsent = 2500 * kMillisecond;
constexpr std::uint32_t kPriority = 0x6E7F00FF;
}  // namespace

IceClient::IceClient() : tie_breaker_(std::uint64_t{core::random_u32()} << 32 | core::random_u32()) {
    const auto made = media::transport::IceCredentials::make();
    ufrag_ = made.ufrag;
    password_ = made.password;
}

void IceClient::start(std::string remote_ufrag, std::string remote_password) {
    username_ = std::move(remote_ufrag) + ":" + ufrag_;
    remote_password_ = std::move(remote_password);
}

std::size_t IceClient::poll(Nanos now, std::span<std::uint8_t> out) {
    if (username_.empty() || now < next_check_) return 0;
    next_check_ = now + (connected_ ? kConsent : kRetransmission);
    wire::BindingRequest request;
    ++transaction_;
    for (std::size_t i = 0; i < 8; ++i) request.transaction_id[i] = static_cast<std::uint8_t>(tie_breaker_ >> (8 * i));
    wire::store_u32(&request.transaction_id[8], transaction_);
    request.username = username_;
    request.password = remote_password_;
    request.priority = kPriority;
    request.use_candidate = true;
    request.controlling = tie_breaker_;
    return wire::write_binding_request(out, request);
}

std::size_t IceClient::handle(core::BytesView datagram, std::span<std::uint8_t> out,
                              const wire::TransportAddress& from) {
    const auto message = wire::StunMessage::parse(datagram);
    if (!message) return 0;
    if (message->is_binding_success()) {
        if (message->check_integrity(remote_password_)) connected_ = true;
        return 0;
    }
    if (!message->is_binding_request() || !message->check_integrity(password_)) return 0;
    return wire::write_binding_success(out, message->transaction_id(), from, password_);
}

}  // namespace bench
