#include "peer_connection.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "media/wire/demux.hpp"

namespace bench {

namespace wire = media::wire;

namespace {
constexpr Nanos kHandshakeBeat = 50 * kMillisecond;
}

PeerConnection::PeerConnection(UdpPort& port, const Identity& identity, std::uint32_t client, Window& window,
                               MediaEvents& events)
    : port_(port), client_(client), window_(window), events_(events), dtls_(identity) {}

void PeerConnection::start(const std::string& ufrag, const std::string& password, const std::string& address,
                           std::uint16_t port) {
    if (started_) return;
    const auto parsed = wire::TransportAddress::parse(address, port);
    if (!parsed || parsed->is_v6) throw std::runtime_error("no IPv4 candidate");
    remote_address_ = *parsed;
    remote_.sin_family = AF_INET;
    remote_.sin_port = htons(port);
    std::copy_n(parsed->bytes.begin(), 4, reinterpret_cast<std::uint8_t*>(&remote_.sin_addr));
    ice_.start(ufrag, password);
    started_ = true;
}

void PeerConnection::tick(Nanos now) {
    if (!started_) return;
    const auto room = port_.room();
    if (const std::size_t size = ice_.poll(now, room)) commit(size);
    if (!ice_.connected() || dtls_.connected() || dtls_.failed() || now < next_handshake_) return;
    next_handshake_ = now + kHandshakeBeat;
    shake_hands({});
}

void PeerConnection::shake_hands(core::BytesView datagram) {
    dtls_.handle(datagram, [this](core::BytesView out) { send(out); });
    if (dtls_.connected() && !srtp_) srtp_.emplace(dtls_.keys()->profile, dtls_.keys()->server, dtls_.keys()->client);
}

void PeerConnection::on_datagram(std::span<std::uint8_t> datagram, Nanos arrived) {
    ++window_.received;
    window_.received_bytes += datagram.size();
    switch (wire::classify(datagram)) {
        case wire::PacketKind::rtp:
            if (srtp_) events_.on_rtp(datagram, arrived);
            break;
        case wire::PacketKind::rtcp:
            ++window_.control_received;
            if (srtp_) {
                if (const auto plain = srtp_->unprotect_rtcp(datagram)) events_.on_rtcp(*plain, arrived);
            }
            break;
        case wire::PacketKind::stun: {
            const auto room = port_.room();
            if (const std::size_t size = ice_.handle(datagram, room, remote_address_)) commit(size);
            break;
        }
        case wire::PacketKind::dtls:
            if (started_) shake_hands(datagram);
            break;
        default:
            break;
    }
}

void PeerConnection::send_rtcp(core::BytesView compound) {
    if (!srtp_ || compound.empty()) return;
    const auto room = port_.room();
    std::ranges::copy(compound, room.begin());
    if (const auto packet = srtp_->protect_rtcp(room, compound.size())) {
        ++window_.control_sent;
        commit(packet->size());
    }
}

std::optional<std::span<std::uint8_t>> PeerConnection::unprotect(std::span<std::uint8_t> packet) {
    const auto plain = srtp_->unprotect_rtp(packet);
    if (!plain) ++window_.refused;
    return plain;
}

void PeerConnection::close() {
    if (started_) dtls_.close([this](core::BytesView out) { send(out); });
}

void PeerConnection::send(core::BytesView datagram) {
    std::ranges::copy(datagram, port_.room().begin());
    commit(datagram.size());
}

void PeerConnection::commit(std::size_t size) {
    ++window_.sent;
    window_.sent_bytes += size;
    port_.commit(size, client_, remote_);
}

}  // namespace bench
