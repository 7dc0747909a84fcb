// The payloads that participants send: one list of packets for audio and one for video, made at start or read from a
// file, shared by everybody.
//
// File: a line `MEDIA-PAYLOADS 1 CODEC RATE` (CODEC opus, vp8, vp9 or h264; RATE packets a second for audio, frames a
// second for video), then for each packet: flags (1 byte: 1 last packet of its frame, 2 packet of a key frame), audio
// level (1 byte, -dBov, 0 for video), size (2 bytes, big-endian), payload. A video begins with a key frame and is
// played round and round.
//
// Immutable after construction: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.hpp"

namespace bench {

struct PayloadRecord {
    core::Bytes bytes{};
    std::uint8_t audio_level = 0;
    bool last_of_frame = true;
    bool key_frame = false;
};

struct Payloads {
    std::string codec{};
    unsigned rate = 50;
    std::vector<PayloadRecord> packets{};
    /// First packet of each frame, and one past the last packet at the end.
    std::vector<std::uint32_t> frames{};

    std::size_t frame_count() const { return frames.size() - 1; }
    void find_frames();
};

/// Behind each video payload's own bytes stand 12 of ours: the sender's packet count (4) and the time of sending in
/// nanoseconds (8). A decoder never sees them, because nobody decodes.
inline constexpr std::size_t kStampSize = 12;

/// Ten seconds of Opus at 32 kbit/s with in-band FEC, encoded from a tone with the pitch, the harmonics and the
/// syllables of a voice.
Payloads make_audio();

struct VideoShape {
    unsigned frame_rate = 30;
    unsigned bits_per_second = 800'000;
    unsigned packet_size = 1'100;
    unsigned key_frame_seconds = 5;
    unsigned key_frame_times = 6;  ///< How much larger a key frame is.
};
/// Packets as a browser's packetiser makes them: payload descriptor, then bytes without meaning (a forwarding server
/// never looks at them). The same bytes each time.
Payloads make_video(const std::string& codec, const VideoShape& shape);

/// Both throw std::runtime_error with what is wrong.
Payloads read_payloads(const std::string& path);
void write_payloads(const Payloads& payloads, const std::string& path);

/// Writes the number of the picture into a payload of that codec (from a record of `make_video` or alike).
void set_picture_id(std::span<std::uint8_t> payload, const std::string& codec, std::uint16_t picture_id);

}  // namespace bench
