// What a mixer did, and what it did without, by reason. Plain integers, written on the meeting's thread.
#pragma once

#include <cstdint>

namespace media::mixing {

struct MixerCounters {
    std::uint64_t decoded = 0;      ///< Packets of the chosen few.
    std::uint64_t encoded = 0;      ///< Mixes.
    std::uint64_t redundant = 0;    ///< Packets whose first copy came as redundancy (RFC 2198) and filled a gap.
    std::uint64_t restored = 0;     ///< Gaps of up to 20 ms filled from the in-band FEC of the packet behind.
    std::uint64_t concealed = 0;    ///< Gaps of up to 20 ms filled by the decoder's concealment.
    std::uint64_t silenced = 0;     ///< Gaps too long to conceal: the voice faded to silence.
    std::uint64_t shortened = 0;    ///< A pitch period was left out: the buffer had grown too long.
    std::uint64_t lengthened = 0;   ///< A pitch period was played twice: the buffer was too short.
    std::uint64_t skipped = 0;      ///< Far behind: went on from the newest.
    std::uint64_t late = 0;         ///< Packets that came after their time had been played.
    std::uint64_t duplicate = 0;    ///< Packets that were there already.
    std::uint64_t malformed = 0;    ///< Payloads that are no Opus packet, or that the decoder refused.
    std::uint64_t overflowed = 0;   ///< Packets pushed out by newer ones before they were played.
    std::uint64_t restarted = 0;    ///< Timelines that jumped.
    std::uint64_t out_of_room = 0;  ///< A voice or listener had to wait: all decoders or encoders were taken.
};

}  // namespace media::mixing
