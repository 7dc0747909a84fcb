// Arbitrary datagrams from a checked path and from a stranger's into a transport: one byte says from where, two how
// long. The same bytes also go to SRTP as a peer with keys would get them.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "media/transport/peer_transport.hpp"

using namespace media::transport;

namespace {

struct Sink {
    std::size_t paths = 0;

    void send(const Path&, core::BytesView datagram) {
        if (datagram.empty() || datagram.size() > DtlsServer::kMtu) std::abort();
    }
    void rtp(std::span<std::uint8_t>) { std::abort(); }
    void rtcp(std::span<std::uint8_t>) { std::abort(); }
    void path_added(const Path&) { ++paths; }
    void path_removed(const Path&) { --paths; }
    void path_selected(const Path&) {}
    void state_changed(PeerState state) {
        if (state == PeerState::connected) std::abort();
    }
};

void require_inside(std::span<const std::uint8_t> part, std::span<const std::uint8_t> whole) {
    if (part.data() < whole.data() || part.data() + part.size() > whole.data() + whole.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Certificate certificate;
    static const DtlsContext context(certificate);
    const IceCredentials local{"98f34df2", "server-password"};
    const IceCredentials remote{"fZx0", "client-password"};
    const Path known{media::wire::TransportAddress::v4(192, 0, 2, 1, 1000)};
    const Path stranger{media::wire::TransportAddress::v4(192, 0, 2, 2, 1000)};
    Instant now{std::chrono::hours(1)};
    PeerTransport peer(context, {local, remote, Fingerprint{}}, now);
    Sink sink;

    std::array<std::uint8_t, 256> check{};
    media::wire::BindingRequest request;
    request.username = "98f34df2:fZx0";
    request.password = local.password;
    request.controlling = 1;
    const std::size_t check_size = media::wire::write_binding_request(check, request);
    peer.handle(std::span(check).first(check_size), known, now, sink);
    if (peer.ice().paths() != 1) std::abort();

    SrtpSession srtp(size % 2 == 0 ? SrtpProfile::aead_aes_128_gcm : SrtpProfile::aes128_cm_sha1_80, SrtpKey(),
                     SrtpKey());
    core::BytesView rest(data, size);
    while (rest.size() >= 3) {
        const std::size_t length = std::min(std::size_t{rest[1]} << 8 | rest[2], rest.size() - 3);
        const Path& from = rest[0] % 2 == 0 ? known : stranger;
        core::Bytes datagram(rest.begin() + 3, rest.begin() + 3 + static_cast<std::ptrdiff_t>(length));
        core::Bytes copy = datagram;
        if (const auto plain = srtp.unprotect_rtp(copy)) require_inside(*plain, copy);
        copy = datagram;
        if (const auto plain = srtp.unprotect_rtcp(copy)) require_inside(*plain, copy);
        copy = datagram;
        copy.resize(length + SrtpSession::kMaxOverhead);
        if (const auto packet = srtp.protect_rtp(copy, length)) require_inside(*packet, copy);
        copy = datagram;
        copy.resize(length + SrtpSession::kMaxOverhead);
        if (const auto packet = srtp.protect_rtcp(copy, length)) require_inside(*packet, copy);

        peer.handle(datagram, from, now, sink);
        now += std::chrono::milliseconds(rest[0]);
        peer.poll(now, sink);
        rest = rest.subspan(3 + length);
    }
    if (sink.paths > 1 || peer.ice().paths() != sink.paths) std::abort();
    return 0;
}
