// Any bytes as redundant audio: every block lies inside the payload, in order and without overlap.
#include <cstdlib>

#include "media/wire/red_packet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace media::wire;
    const auto red = RedPacket::parse({data, size});
    if (!red) return 0;
    const std::uint8_t* at = data + 4 * red->redundant().size() + 1;
    for (const RedBlock& block : red->redundant()) {
        if (block.data.size() > 1023 || block.timestamp_offset > 16'383) std::abort();
        if (!block.data.empty() && block.data.data() != at) std::abort();
        at += block.data.size();
    }
    if (!red->primary().data.empty() && red->primary().data.data() != at) std::abort();
    if (at + red->primary().data.size() != data + size) std::abort();
    return 0;
}
