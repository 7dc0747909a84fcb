// A stream in pieces (the first byte says how large) through the RFC 4571 decoder; whatever comes out must be what the
// stream says, however it is cut.
#include <algorithm>
#include <cstdlib>

#include "media/transport/framing.hpp"

using media::transport::FrameDecoder;

namespace {

struct Seen {
    std::vector<core::Bytes> packets;
    bool broken = false;
    bool operator==(const Seen&) const = default;
};

Seen decode(core::BytesView stream, std::size_t step) {
    FrameDecoder decoder;
    Seen seen;
    while (!stream.empty() && !seen.broken) {
        const auto space = decoder.space();
        if (space.empty()) std::abort();
        const std::size_t count = std::min({step, stream.size(), space.size()});
        std::copy_n(stream.begin(), count, space.begin());
        stream = stream.subspan(count);
        seen.broken = !decoder.accept(count, [&](std::span<std::uint8_t> packet) {
            if (packet.empty() || packet.size() > FrameDecoder::kMaxPacket) std::abort();
            seen.packets.emplace_back(packet.begin(), packet.end());
            std::ranges::fill(packet, std::uint8_t{0xEE});
        });
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const core::BytesView stream(data + 1, size - 1);
    if (decode(stream, data[0] + std::size_t{1}) != decode(stream, 100000)) std::abort();
    return 0;
}
