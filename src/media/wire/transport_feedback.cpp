#include "media/wire/transport_feedback.hpp"

#include <algorithm>

namespace media::wire {

namespace {

constexpr std::uint8_t kFormat = 15;
constexpr std::size_t kFixedSize = 16;

/// Symbols of a chunk (section 3.1.2): 1 and 2 carry a delta of one and two bytes.
constexpr std::uint16_t kReserved = 3;

/// How many statuses a chunk stands for; run lengths as written.
constexpr std::uint16_t statuses_in(std::uint16_t chunk) {
    if ((chunk & 0x8000) == 0) return chunk & 0x1FFF;
    return (chunk & 0x4000) == 0 ? 14 : 7;
}

constexpr std::uint16_t symbol_at(std::uint16_t chunk, std::uint16_t left) {
    if ((chunk & 0x8000) == 0) return chunk >> 13 & 3;
    if ((chunk & 0x4000) == 0) return chunk >> (left - 1) & 1;
    return chunk >> (2 * (left - 1)) & 3;
}

}  // namespace

TransportFeedback::Cursor::Cursor(const TransportFeedback& feedback)
    : body_(feedback.body_),
      delta_(feedback.delta_offset_),
      remaining_(feedback.status_count()),
      sequence_(feedback.base_sequence()),
      time_us_(std::int64_t{feedback.reference_time()} * 64'000) {}

bool TransportFeedback::Cursor::load_chunk() {
    // Empty runs are legal but endless ones are not: each takes two bytes of the packet.
    while (in_chunk_ == 0) {
        if (body_.size() - chunk_ < 2) return false;
        symbols_ = load_u16(&body_[chunk_]);
        chunk_ += 2;
        in_chunk_ = statuses_in(symbols_);
    }
    return true;
}

std::optional<PacketStatus> TransportFeedback::Cursor::next() {
    if (remaining_ == 0 || failed_) return std::nullopt;
    failed_ = true;
    if (!load_chunk()) return std::nullopt;
    const std::uint16_t symbol = symbol_at(symbols_, in_chunk_);
    PacketStatus status{.sequence = sequence_};
    if (symbol != 0) {
        if (symbol == kReserved || body_.size() - delta_ < symbol) return std::nullopt;
        const std::int32_t delta = symbol == 1 ? body_[delta_] : static_cast<std::int16_t>(load_u16(&body_[delta_]));
        delta_ += symbol;
        time_us_ += std::int64_t{delta} * 250;
        status.received = true;
        status.arrival_us = (time_us_ + kTransportFeedbackPeriodUs) % kTransportFeedbackPeriodUs;
    }
    --in_chunk_;
    --remaining_;
    ++sequence_;
    failed_ = false;
    return status;
}

std::optional<TransportFeedback> TransportFeedback::parse(const RtcpView& view) {
    if (view.type != rtcp_type::kTransportFeedback || view.count != kFormat || view.body.size() < kFixedSize)
        return std::nullopt;
    TransportFeedback feedback;
    feedback.body_ = view.body;
    if (feedback.status_count() == 0) return std::nullopt;

    // Deltas stand behind the last chunk, so the chunks are counted first.
    std::size_t at = kFixedSize;
    for (std::uint32_t covered = 0; covered < feedback.status_count(); at += 2) {
        if (view.body.size() - at < 2) return std::nullopt;
        covered += statuses_in(load_u16(&view.body[at]));
    }
    if (at > 0xFFFF) return std::nullopt;
    feedback.delta_offset_ = static_cast<std::uint16_t>(at);
    Cursor cursor = feedback.statuses();
    while (cursor.next()) {
    }
    if (cursor.failed_) return std::nullopt;
    return feedback;
}

}  // namespace media::wire
