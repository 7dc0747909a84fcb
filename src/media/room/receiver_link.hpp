// The way down to one receiver: what its lines carry, what the way is thought to carry, and what waits to be sent.
//
// Owned by one peer; the meeting's thread only. Allocates in `negotiate` only.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "media/congestion/pacer.hpp"
#include "media/congestion/send_side_estimate.hpp"
#include "media/room/media_settings.hpp"
#include "media/room/uplink_limit.hpp"

namespace media::room {

/// What was stamped on a packet: a header extension of at most three bytes.
struct SendStamp {
    enum class Kind : std::uint8_t { none, transport_number, send_time };
    Kind kind = Kind::none;
    std::uint8_t id = 0;
    std::uint32_t value = 0;

    /// Puts the stamp into the packet that begins `congestion::kHeadRoom` bytes inside `room`. Returns the packet to
    /// send: the same one when there is nothing to stamp.
    std::span<std::uint8_t> write(std::span<std::uint8_t> room, std::size_t size) const;
};

/// The stamps of the last packets of lines without RTX. Their repeats are the same packets again, and have to be so bit
/// by bit: under AES-GCM a second packet with the same number but another header would give away the authentication
/// key (RFC 7714 section 8.2: never reuse an IV).
class StampMemory {
  public:
    void keep(std::uint32_t ssrc, std::uint16_t sequence, SendStamp stamp);
    /// Null: never sent, or too long ago.
    std::optional<SendStamp> find(std::uint32_t ssrc, std::uint16_t sequence) const;

  private:
    struct Entry {
        std::uint32_t ssrc = 0;  ///< 0: empty.
        std::uint16_t sequence = 0;
        SendStamp stamp;
    };
    static std::size_t place(std::uint32_t ssrc, std::uint16_t sequence) {
        return (ssrc * 0x9E3779B1U + sequence) % kEntries;
    }
    static constexpr std::size_t kEntries = 1024;
    std::array<Entry, kEntries> entries_{};
};

/// One of the streams that go to the receiver.
struct OutgoingLine {
    std::uint32_t ssrc = 0;
    std::uint32_t rtx_ssrc = 0;
    std::uint8_t rtx_payload_type = 0;
    std::uint8_t transport_cc = 0;   ///< Extension ids; 0: not negotiated.
    std::uint8_t abs_send_time = 0;  ///< 0 as well where transport_cc is not: one of the two is enough.
    bool is_audio = false;
    bool repeats_plainly = false;  ///< For some of its codecs there is no RTX.
    /// Numbers of the RTX stream are given at the moment of sending: probes use them too.
    std::uint16_t next_rtx = 0;
    std::uint32_t last_timestamp = 0;
    /// Numbers that were thrown away unsent: nobody needs them any more.
    struct Range {
        std::uint16_t first = 0;
        std::uint16_t last = 0;
    };
    std::optional<Range> given_up{};
    bool gave_up(std::uint16_t sequence) const;
};

class ReceiverLink {
  public:
    /// Bytes of a packet on the wire beyond RTP: IPv4, UDP, the tag of SRTP.
    static constexpr std::size_t kWireOverhead = 20 + 8 + 16;
    /// The stamp as well.
    static constexpr std::size_t kOverhead = congestion::Pacer::kOverhead;
    static_assert(kOverhead == kWireOverhead + congestion::kHeadRoom);
    static constexpr auto kRefresh = std::chrono::milliseconds(100);

    /// Takes over what was negotiated; lines that stay keep their state. `random` gives first RTX numbers.
    template <class Random>
    void negotiate(const Downlink& downlink, Random&& random) {
        std::vector<OutgoingLine> lines = lines_of(downlink);
        for (OutgoingLine& line : lines) {
            const OutgoingLine* before = find_line(line.ssrc);
            if (before == nullptr || before->ssrc != line.ssrc) {
                line.next_rtx = static_cast<std::uint16_t>(random(line.rtx_ssrc));
                continue;
            }
            line.next_rtx = before->next_rtx;
            line.last_timestamp = before->last_timestamp;
            line.given_up = before->given_up;
        }
        take_lines(std::move(lines));
    }

    /// By media or RTX SSRC.
    OutgoingLine* find_line(std::uint32_t ssrc);
    /// A line on whose RTX stream padding can go; null: none.
    OutgoingLine* padding_line();

    /// Numbers, stamps and accounts for a packet that is sent right now; the packet to send. It begins kHeadRoom inside
    /// `room`.
    std::span<std::uint8_t> depart(OutgoingLine& line, std::span<std::uint8_t> room, std::size_t size, Time now);
    /// The same for a plain repeat. Empty: it cannot be the same packet any more, so it must not be sent.
    std::span<std::uint8_t> depart_again(OutgoingLine& line, std::span<std::uint8_t> room, std::size_t size);

    /// Sums up what is known of the way. `reported`: what the receiver says (REMB).
    void refresh(const ReceiverEstimate& reported, Time now);
    bool refresh_due(Time now) const { return now >= next_refresh_; }

    /// What the way carries, all media together with the headers of all layers, bit/s; 0: not known.
    std::uint64_t available_bps() const { return available_bps_; }
    /// What is left for video (RTP) once audio has got its own. Says nothing while `available_bps` is 0.
    std::uint64_t video_budget_bps() const { return video_budget_bps_; }

    /// Null: the receiver did not negotiate transport-wide numbers.
    congestion::SendSideEstimate* estimate() { return estimate_.get(); }
    /// The receiver's feedback comes: REMB is of no interest.
    bool answers(Time now) const { return estimate_ && estimate_->fresh(now); }
    congestion::Pacer pacer;

  private:
    static std::vector<OutgoingLine> lines_of(const Downlink& downlink);
    void take_lines(std::vector<OutgoingLine> lines);
    void account(std::span<const std::uint8_t> packet, const OutgoingLine& line);

    std::vector<OutgoingLine> lines_;
    std::unique_ptr<congestion::SendSideEstimate> estimate_;
    std::unique_ptr<StampMemory> stamps_;
    bool audio_counts_ = true;  ///< Audio is part of what the estimate is about.
    std::uint64_t audio_bytes_ = 0;
    std::uint64_t audio_bps_ = ReceiverEstimate::kAudioBps;
    std::optional<Time> audio_since_;
    std::uint64_t available_bps_ = 0;
    std::uint64_t video_budget_bps_ = 0;
    Time next_refresh_{};
};

}  // namespace media::room
