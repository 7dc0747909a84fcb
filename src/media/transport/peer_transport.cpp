#include "media/transport/peer_transport.hpp"

#include <algorithm>

namespace media::transport {

PeerTransport::PeerTransport(const DtlsContext& context, PeerSettings settings, Instant now)
    : ice_(std::move(settings.local), std::move(settings.remote)),
      dtls_(context, settings.remote_fingerprint, now),
      began_(now) {}

bool PeerTransport::admitted(const Path& from) {
    if (ice_.selected() == from || ice_.knows(from)) return true;
    ++counters_.stranger;
    return false;
}

bool PeerTransport::become(PeerState state) {
    if (state_ != PeerState::connecting && (state_ != PeerState::connected || state == PeerState::connected)) {
        return false;
    }
    state_ = state;
    return true;
}

std::optional<Instant> PeerTransport::next_timeout() const {
    std::optional<Instant> next = ice_.next_expiry();
    const auto consider = [&](Instant at) { next = next ? std::min(*next, at) : at; };
    if (state_ == PeerState::connecting || state_ == PeerState::connected) {
        consider(heard() + IceLite::kConsent);
        if (const auto dtls = dtls_.next_timeout()) consider(*dtls);
    }
    return next;
}

std::span<std::uint8_t> PeerTransport::protect_rtp(std::span<std::uint8_t> buffer, std::size_t size) {
    if (state_ != PeerState::connected) return {};
    return srtp_->protect_rtp(buffer, size).value_or(std::span<std::uint8_t>{});
}

std::span<std::uint8_t> PeerTransport::protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size) {
    if (state_ != PeerState::connected) return {};
    return srtp_->protect_rtcp(buffer, size).value_or(std::span<std::uint8_t>{});
}

}  // namespace media::transport
