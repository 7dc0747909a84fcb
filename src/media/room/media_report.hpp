// What the packet plane tells the signalling of its meeting: who is heard, what flows, what each link can take. Plain
// values; the spans live until the next call of the PacketRouter that made them.
#pragma once

#include <cstdint>
#include <span>

#include "media/room/media_settings.hpp"

namespace media::room {

/// For AUDIO_METADATA: who is heard, and how loud.
struct AudioLevel {
    PeerId peer = 0;
    std::uint8_t level = 127;  ///< −dBov as in RFC 6464: 0 loudest, 127 silence.
};

/// The link of one peer.
struct LinkReport {
    PeerId peer = 0;
    std::uint32_t available_kbps = 0;  ///< From us to it, all media together; 0: not measured yet.
    std::uint8_t signal_strength = 2;  ///< 0 none, 1 poor, 2 good; of its way to us and from us, the worse one.
};

/// One published stream.
struct StreamReport {
    StreamId stream = 0;
    std::uint32_t bitrate_bps = 0;  ///< Over the last seconds.
    bool flowing = false;           ///< Packets came lately. Browsers announce layers that they never send.
};

/// The server has stopped or restarted a group for one receiver; each change is reported once.
struct GroupPause {
    PeerId peer = 0;
    GroupId group = 0;
    bool paused = false;
};

struct MediaReport {
    std::span<const AudioLevel> levels{};
    std::span<const LinkReport> links{};
    std::span<const StreamReport> streams{};
    std::span<const GroupPause> pauses{};
};

}  // namespace media::room
