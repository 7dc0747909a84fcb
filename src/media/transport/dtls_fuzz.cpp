// Arbitrary datagrams, each preceded by its length in two bytes, into a fresh DTLS server.
#include <cstdlib>

#include "media/transport/dtls.hpp"

using namespace media::transport;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Certificate certificate;
    static const DtlsContext context(certificate);
    Instant now{std::chrono::hours(1)};
    DtlsServer server(context, Fingerprint{}, now);
    std::size_t sent = 0;
    const auto send = [&](core::BytesView datagram) {
        if (datagram.empty() || datagram.size() > DtlsServer::kMtu) std::abort();
        sent += datagram.size();
    };
    core::BytesView rest(data, size);
    unsigned datagrams = 0;
    while (rest.size() >= 2) {
        const std::size_t length = std::min(std::size_t{rest[0]} << 8 | rest[1], rest.size() - 2);
        // Every eighth length also lets time pass.
        if (length % 8 == 0) {
            now += std::chrono::milliseconds(100);
            server.poll(now, send);
        }
        server.handle(rest.subspan(2, length), now, send);
        rest = rest.subspan(2 + length);
        ++datagrams;
    }
    // Nobody here owns a certificate with that fingerprint, and nobody gets more out than is reasonable.
    if (server.state() == DtlsState::connected || server.keys()) std::abort();
    if (sent > 4096 * (datagrams + 1)) std::abort();
    return 0;
}
