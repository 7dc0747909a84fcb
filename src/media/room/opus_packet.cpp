#include "media/room/opus_packet.hpp"

namespace media::room {

std::optional<std::chrono::microseconds> opus_duration(core::BytesView packet) {
    if (packet.empty()) return std::nullopt;
    static constexpr int kSilk[] = {10'000, 20'000, 40'000, 60'000};
    static constexpr int kHybrid[] = {10'000, 20'000};
    static constexpr int kCelt[] = {2'500, 5'000, 10'000, 20'000};
    const int configuration = packet[0] >> 3;
    const int frame_us = configuration < 12   ? kSilk[configuration % 4]
                         : configuration < 16 ? kHybrid[configuration % 2]
                                              : kCelt[configuration % 4];
    int frames = 1;
    switch (packet[0] & 3) {
        case 0:
            break;
        case 3:
            if (packet.size() < 2) return std::nullopt;
            frames = packet[1] & 63;
            break;
        default:
            frames = 2;
    }
    const int total = frames * frame_us;
    if (total == 0 || total > 120'000) return std::nullopt;
    return std::chrono::microseconds(total);
}

}  // namespace media::room
