// The way to one peer and back: ICE-lite, DTLS and SRTP put together. Datagrams in, datagrams and plain RTP out.
// A machine without socket and clock; owned by one peer connection, used on its media thread only.
//
// What comes from elsewhere than a path that has passed an ICE check is dropped before DTLS or SRTP look at it, so a
// packet of a stranger creates no state.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>

#include "core/bytes.hpp"
#include "media/transport/dtls.hpp"
#include "media/transport/ice_lite.hpp"
#include "media/transport/path.hpp"
#include "media/transport/srtp.hpp"
#include "media/wire/demux.hpp"
#include "media/wire/stun.hpp"

namespace media::transport {

struct PeerSettings {
    IceCredentials local;   ///< As in our answer.
    IceCredentials remote;  ///< As in the peer's offer.
    Fingerprint remote_fingerprint;
};

enum class PeerState {
    connecting,
    connected,  ///< Keys are there: media may flow both ways.
    failed,     ///< The handshake failed. Nothing will flow; the client has to connect anew.
    closed,     ///< The peer said goodbye, or we did.
    lost,       ///< No check for `IceLite::kConsent` (or none at all for as long): the peer is gone.
};

/// Who receives what a PeerTransport gives out. Views are valid during the call only; none of the calls may come back
/// into the transport, except `protect_rtp`, `protect_rtcp` and the plain getters.
template <class T>
concept PeerSink =
    requires(T sink, const Path& path, core::BytesView out, std::span<std::uint8_t> in, PeerState state) {
        sink.send(path, out);       ///< Put this datagram on the wire.
        sink.rtp(in);               ///< A decrypted RTP packet of the peer (in the buffer given to `handle`).
        sink.rtcp(in);              ///< A decrypted RTCP compound of the peer (likewise).
        sink.path_added(path);      ///< From now on datagrams from there belong to this peer.
        sink.path_removed(path);    ///< No longer.
        sink.path_selected(path);   ///< Media is to be sent there from now on.
        sink.state_changed(state);  ///< Never `connecting`; `connected` at most once; nothing after the others.
    };

struct PeerCounters {
    std::uint64_t stranger = 0;   ///< DTLS or SRTP from a path without a check.
    std::uint64_t unknown = 0;    ///< Neither STUN, DTLS nor SRTP, or too long.
    std::uint64_t too_early = 0;  ///< SRTP before there are keys, or after the end.
};

class PeerTransport {
  public:
    /// Longer datagrams are dropped.
    static constexpr std::size_t kMaxDatagram = 2048;

    PeerTransport(const DtlsContext& context, PeerSettings settings, Instant now);

    /// One datagram as it was received; it is changed in place.
    template <PeerSink Sink>
    void handle(std::span<std::uint8_t> datagram, const Path& from, Instant now, Sink&& sink);

    /// Does what time demands: DTLS retransmission, loss of consent. To be called when `next_timeout` is reached.
    template <PeerSink Sink>
    void poll(Instant now, Sink&& sink);

    /// Says goodbye to the peer; afterwards nothing is accepted any more but ICE checks.
    template <PeerSink Sink>
    void close(Sink&& sink);

    /// A path ended (its TCP connection was closed).
    template <PeerSink Sink>
    void forget(const Path& path, Sink&& sink);

    /// When `poll` has something to do; nullopt: never.
    std::optional<Instant> next_timeout() const;

    /// The first `size` bytes of `buffer` are a plain packet; gives back the protected packet, in the same buffer, to
    /// be sent to `destination()`. Empty when there are no keys (any more) or there is less room than `size +
    /// SrtpSession::kMaxOverhead`. On repeats see SrtpSession::protect_rtp.
    std::span<std::uint8_t> protect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
    std::span<std::uint8_t> protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);

    /// Where media goes: the nominated path, before that the one the handshake runs on; nullopt: nowhere yet.
    const std::optional<Path>& destination() const { return ice_.selected() ? ice_.selected() : dtls_path_; }

    PeerState state() const { return state_; }
    bool connected() const { return state_ == PeerState::connected; }
    const IceLite& ice() const { return ice_; }
    const DtlsServer& dtls() const { return dtls_; }
    const SrtpSession* srtp() const { return srtp_ ? &*srtp_ : nullptr; }
    const PeerCounters& counters() const { return counters_; }

  private:
    /// Whether DTLS or SRTP from there may be looked at.
    bool admitted(const Path& from);
    template <PeerSink Sink>
    void check(core::BytesView datagram, const Path& from, Instant now, Sink& sink);
    template <PeerSink Sink>
    void follow_dtls(Sink& sink);
    bool become(PeerState state);
    /// When the peer last gave a sign of life.
    Instant heard() const { return ice_.last_seen().value_or(began_); }

    IceLite ice_;
    DtlsServer dtls_;
    std::optional<SrtpSession> srtp_;
    std::optional<Path> dtls_path_;  ///< Where the last DTLS datagram came from.
    Instant began_;
    PeerState state_ = PeerState::connecting;
    PeerCounters counters_;
};

template <PeerSink Sink>
void PeerTransport::handle(std::span<std::uint8_t> datagram, const Path& from, Instant now, Sink&& sink) {
    const wire::PacketKind kind =
        datagram.size() <= kMaxDatagram ? wire::classify(datagram) : wire::PacketKind::unknown;
    if (kind == wire::PacketKind::unknown) {
        ++counters_.unknown;
        return;
    }
    if (kind == wire::PacketKind::stun) return check(datagram, from, now, sink);
    if (!admitted(from)) return;
    if (kind == wire::PacketKind::dtls) {
        dtls_path_ = from;
        dtls_.handle(datagram, now, [&](core::BytesView out) { sink.send(from, out); });
        return follow_dtls(sink);
    }
    if (state_ != PeerState::connected) {
        ++counters_.too_early;
        return;
    }
    if (kind == wire::PacketKind::rtp) {
        if (const auto packet = srtp_->unprotect_rtp(datagram)) sink.rtp(*packet);
    } else {
        if (const auto packet = srtp_->unprotect_rtcp(datagram)) sink.rtcp(*packet);
    }
}

template <PeerSink Sink>
void PeerTransport::check(core::BytesView datagram, const Path& from, Instant now, Sink& sink) {
    std::array<std::uint8_t, wire::kMaxStunResponse> room;
    const IceLite::Outcome outcome = ice_.handle(datagram, from, now, room);
    if (outcome.removed) {
        if (dtls_path_ == outcome.removed) dtls_path_.reset();
        sink.path_removed(*outcome.removed);
    }
    if (outcome.added) sink.path_added(*outcome.added);
    if (outcome.selected) sink.path_selected(*ice_.selected());
    if (!outcome.answer.empty()) sink.send(from, outcome.answer);
}

template <PeerSink Sink>
void PeerTransport::poll(Instant now, Sink&& sink) {
    if (state_ == PeerState::connecting || state_ == PeerState::connected) {
        const std::optional<Path> to = destination();
        dtls_.poll(now, [&](core::BytesView out) {
            if (to) sink.send(*to, out);
        });
        follow_dtls(sink);
    }
    while (const std::optional<Path> gone = ice_.expire(now)) {
        if (dtls_path_ == gone) dtls_path_.reset();
        sink.path_removed(*gone);
    }
    if (now >= heard() + IceLite::kConsent && become(PeerState::lost)) sink.state_changed(state_);
}

template <PeerSink Sink>
void PeerTransport::close(Sink&& sink) {
    const std::optional<Path> to = destination();
    dtls_.close([&](core::BytesView out) {
        if (to) sink.send(*to, out);
    });
    if (become(PeerState::closed)) sink.state_changed(state_);
}

template <PeerSink Sink>
void PeerTransport::forget(const Path& path, Sink&& sink) {
    if (dtls_path_ == path) dtls_path_.reset();
    if (ice_.forget(path)) sink.path_removed(path);
}

template <PeerSink Sink>
void PeerTransport::follow_dtls(Sink& sink) {
    const DtlsState dtls = dtls_.state();
    if (dtls == DtlsState::connected && state_ == PeerState::connecting) {
        const SrtpKeys& keys = *dtls_.keys();
        srtp_.emplace(keys.profile, keys.client, keys.server);
        if (become(PeerState::connected)) sink.state_changed(state_);
    } else if (dtls == DtlsState::failed) {
        if (become(PeerState::failed)) sink.state_changed(state_);
    } else if (dtls == DtlsState::closed) {
        if (become(PeerState::closed)) sink.state_changed(state_);
    }
}

}  // namespace media::transport
