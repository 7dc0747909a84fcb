// DTLS 1.2 (RFC 6347), server role, for one peer: proves who the peer is by the certificate fingerprint of its SDP
// offer and yields the SRTP keys (RFC 5764). A machine without socket and clock.
//
// DtlsContext: immutable after construction, any thread, outlives its servers. DtlsServer: owned by one peer's
// transport, used on its media thread only.
//
// No cookie exchange: the address has passed an ICE check before its first DTLS record is looked at.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "media/transport/certificate.hpp"
#include "media/transport/path.hpp"
#include "media/transport/srtp.hpp"

namespace media::transport {

/// What all handshakes of the process share: certificate, ciphers, SRTP profiles.
class DtlsContext {
  public:
    explicit DtlsContext(const Certificate& certificate);
    SSL_CTX* get() const { return context_.get(); }
    /// For the SDP answer.
    const Fingerprint& fingerprint() const { return fingerprint_; }

  private:
    OpensslPtr<SSL_CTX, SSL_CTX_free> context_;
    Fingerprint fingerprint_;
};

enum class DtlsState {
    handshaking,
    connected,
    failed,  ///< Wrong certificate, no common parameters, too slow, or a fatal alert.
    closed,  ///< close_notify came or went.
};

class DtlsServer {
  public:
    static constexpr std::size_t kMtu = 1200;
    /// A handshake that takes longer, or more datagrams of the peer, has failed.
    static constexpr Duration kHandshakeTime = std::chrono::seconds(30);
    static constexpr unsigned kHandshakeDatagrams = 256;
    /// The last flight is sent again after this time, then after twice as long, and so on up to the longest.
    static constexpr Duration kFirstRetransmission = std::chrono::milliseconds(250);
    static constexpr Duration kLongestRetransmission = std::chrono::seconds(4);

    /// `peer` is the fingerprint of the offer.
    DtlsServer(const DtlsContext& context, const Fingerprint& peer, Instant now);
    ~DtlsServer();
    DtlsServer(const DtlsServer&) = delete;
    DtlsServer& operator=(const DtlsServer&) = delete;

    /// Takes one datagram of the peer and calls `send(core::BytesView)` for every datagram that answers it.
    template <class Send>
    DtlsState handle(core::BytesView datagram, Instant now, Send&& send) {
        take(datagram, now);
        flush(send);
        return state_;
    }

    /// To be called when `next_timeout` is reached; earlier calls do no harm.
    template <class Send>
    DtlsState poll(Instant now, Send&& send) {
        check_time(now);
        flush(send);
        return state_;
    }

    /// Says goodbye (close_notify); further input is ignored.
    template <class Send>
    void close(Send&& send) {
        shut();
        flush(send);
    }

    /// When `poll` has something to do; nullopt once the handshake is over.
    std::optional<Instant> next_timeout() const;

    DtlsState state() const { return state_; }
    /// The keys, once connected.
    const std::optional<SrtpKeys>& keys() const { return keys_; }
    /// Flights sent again, for metrics.
    unsigned retransmissions() const { return retransmissions_; }

  private:
    friend struct DtlsHooks;  ///< The callbacks that OpenSSL wants.

    void take(core::BytesView datagram, Instant now);
    void check_time(Instant now);
    void shut();
    void shake_hands(Instant now);
    void finish_handshake();
    void read_records();
    void release_buffers();
    void fail();
    void store(core::BytesView datagram);

    template <class Send>
    void flush(Send&& send) {
        std::size_t at = 0;
        for (std::size_t i = 0; i < unsent_; ++i) {
            send(core::BytesView(flight_).subspan(at, sizes_[i]));
            at += sizes_[i];
        }
        unsent_ = 0;
    }

    OpensslPtr<SSL, SSL_free> ssl_;
    Fingerprint peer_;
    DtlsState state_ = DtlsState::handshaking;
    std::optional<SrtpKeys> keys_;

    core::BytesView input_;             ///< The datagram OpenSSL may read now.
    std::vector<std::uint8_t> flight_;  ///< Our last flight: datagrams one after another …
    std::vector<std::uint16_t> sizes_;  ///< … and their sizes.
    bool next_flight_ = true;           ///< Whether the next datagram of ours begins a new one.
    std::size_t unsent_ = 0;            ///< How many of them (from the first) `flush` has to send.

    Instant deadline_;
    std::optional<Instant> retransmit_at_;
    Duration retransmit_after_ = kFirstRetransmission;
    unsigned retransmissions_ = 0;
    unsigned datagrams_ = 0;
};

}  // namespace media::transport
