// One transport of a participant: ICE, DTLS, SRTP over its address on the shared port. Owned by a participant, used on
// its worker's thread only.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/bytes.hpp"
#include "dtls_client.hpp"
#include "ice_client.hpp"
#include "measure.hpp"
#include "media/transport/srtp.hpp"
#include "udp_port.hpp"

namespace bench {

/// Whoever uses a connection's media.
class MediaEvents {
  public:
    virtual ~MediaEvents() = default;
    /// Still protected: whoever wants the payload calls `PeerConnection::unprotect`.
    virtual void on_rtp(std::span<std::uint8_t> packet, Nanos arrived) = 0;
    virtual void on_rtcp(core::BytesView compound, Nanos arrived) = 0;
};

class PeerConnection {
  public:
    /// `client`: the number of its address on the port. `window` counts what goes out and comes in.
    PeerConnection(UdpPort& port, const Identity& identity, std::uint32_t client, Window& window, MediaEvents& events);

    const IceClient& ice() const { return ice_; }
    std::uint32_t client() const { return client_; }

    /// From the other side's SDP. Again with the same values: nothing.
    void start(const std::string& ufrag, const std::string& password, const std::string& address, std::uint16_t port);
    bool started() const { return started_; }
    /// Every few milliseconds.
    void tick(Nanos now);
    void on_datagram(std::span<std::uint8_t> datagram, Nanos arrived);
    bool media_ready() const { return srtp_.has_value(); }
    void close();

    /// `fill(std::span<std::uint8_t>)` writes a plain RTP packet and returns its size (0: none).
    template <class Fill>
    void send_rtp(Fill&& fill) {
        if (!srtp_) return;
        const auto room = port_.room();
        const std::size_t size = fill(room);
        if (size == 0) return;
        if (const auto packet = srtp_->protect_rtp(room, size)) commit(packet->size());
    }
    void send_rtcp(core::BytesView compound);
    /// Decrypts in place; null: refused, and counted.
    std::optional<std::span<std::uint8_t>> unprotect(std::span<std::uint8_t> packet);

    Window& window() { return window_; }

  private:
    void commit(std::size_t size);
    void send(core::BytesView datagram);
    void shake_hands(core::BytesView datagram);

    UdpPort& port_;
    std::uint32_t client_;
    Window& window_;
    MediaEvents& events_;
    IceClient ice_;
    DtlsClient dtls_;
    std::optional<media::transport::SrtpSession> srtp_;
    sockaddr_in remote_{};
    media::wire::TransportAddress remote_address_;
    Nanos next_handshake_ = 0;
    bool started_ = false;
};

}  // namespace bench
