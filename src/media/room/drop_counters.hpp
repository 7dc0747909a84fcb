// What the packet plane did and what it threw away, by reason. Plain integers, written on the meeting's thread.
#pragma once

#include <cstdint>

#include "media/mixing/counters.hpp"

namespace media::room {

struct RouterCounters {
    // Packets that were taken and sent.
    std::uint64_t rtp_in = 0;
    std::uint64_t rtp_out = 0;
    std::uint64_t rtcp_in = 0;
    std::uint64_t rtcp_out = 0;
    std::uint64_t audio_forwarded = 0;
    std::uint64_t audio_recovered = 0;  ///< Lost packets passed on from a redundant copy.
    std::uint64_t audio_mixed = 0;      ///< Packets of a mix.
    std::uint64_t audio_silence = 0;    ///< Slots filled with an Opus silence packet.
    std::uint64_t audio_open_slots =
        0;  ///< Slots left empty because the speaker's packet was lost: the receiver conceals.
    std::uint64_t video_forwarded = 0;

    mixing::MixerCounters mixing;

    // Packets that were dropped.
    std::uint64_t dropped_unknown_peer = 0;
    std::uint64_t dropped_malformed = 0;
    std::uint64_t dropped_unknown_stream = 0;  ///< SSRC and payload type belong to nothing negotiated.
    std::uint64_t dropped_duplicate = 0;       ///< Sequence number already seen (RTX probes, path duplicates).
    std::uint64_t dropped_too_old = 0;         ///< Behind the window in which duplicates can be told.
    std::uint64_t dropped_rtx_padding = 0;     ///< RTX without an original packet inside.
    std::uint64_t dropped_padding = 0;         ///< Padding-only on a media SSRC.
    std::uint64_t dropped_stale = 0;           ///< Pictures that waited in their sender during an outage.
    std::uint64_t dropped_audio_late = 0;      ///< Its slot was already filled.
    std::uint64_t dropped_audio_too_fast = 0;  ///< The sender runs ahead of real time.
    std::uint64_t dropped_audio_muted = 0;     ///< Muted, or before the path was up.
    // Once for each receiver:
    std::uint64_t dropped_before_key_frame = 0;
    std::uint64_t dropped_paused = 0;
    std::uint64_t dropped_held = 0;             ///< Stopped by us: the receiver's link is too narrow.
    std::uint64_t dropped_layer = 0;            ///< Of a layer that the receiver does not get.
    std::uint64_t dropped_no_payload_type = 0;  ///< The receiver did not negotiate the codec.
    std::uint64_t dropped_video_late = 0;       ///< Older than the receiver's start or its numbering window.
    std::uint64_t dropped_pacer_full = 0;       ///< The receiver's link was slower than its video: whole frames.
    std::uint64_t dropped_pacer_late = 0;       ///< Waited too long for that.
    std::uint64_t dropped_repair_queue = 0;     ///< Repairs that would have waited behind too many others.

    // The way down.
    std::uint64_t paced = 0;        ///< Packets that had to wait.
    std::uint64_t probes_sent = 0;  ///< Padding that measures the way.

    // Repairs.
    std::uint64_t nacks_sent = 0;      ///< Sequence numbers asked for, repetitions included.
    std::uint64_t repaired = 0;        ///< Packets that came after they had been asked for.
    std::uint64_t given_up = 0;        ///< Packets no longer asked for.
    std::uint64_t nacks_received = 0;  ///< Sequence numbers asked for by receivers.
    std::uint64_t repeats_sent = 0;
    std::uint64_t repeats_unknown = 0;  ///< Asked for something we never sent or no longer have.
    std::uint64_t repeats_limited = 0;  ///< Asked for again too soon or too often.
    std::uint64_t repeats_over_budget = 0;
    std::uint64_t key_frame_requests_sent = 0;
    std::uint64_t key_frame_requests_received = 0;
    std::uint64_t rtcp_malformed = 0;
};

}  // namespace media::room
