#include "media/room/receiver_link.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "media/wire/byte_io.hpp"
#include "media/wire/rtp.hpp"
#include "media/wire/rtp_extensions.hpp"

namespace media::room {

namespace {
constexpr std::uint8_t kMostOneByteId = 14;
// Of video's share, what its own headers below RTP and their stamps take, and as much again for encoders that
// overshoot.
constexpr std::uint64_t kHeaderShare = 10;
// Below this nothing at all would move; a still picture now and then is better.
constexpr std::uint64_t kLeastVideoBps = 20'000;
constexpr std::uint64_t kLeastReportedPaceBps = 300'000;
constexpr auto kAudioWindow = std::chrono::seconds(1);

std::uint32_t ssrc_of(const std::uint8_t* packet) {
    return wire::load_u32(packet + 8);
}
}  // namespace

std::span<std::uint8_t> SendStamp::write(std::span<std::uint8_t> room, std::size_t size) const {
    constexpr std::size_t kHead = congestion::kHeadRoom;
    constexpr std::size_t kFixed = wire::kRtpHeaderSize;
    // Whoever wrote extensions or CSRCs of his own has left no place for another one.
    if (kind == Kind::none || (room[kHead] & 0x1F) != 0) return room.subspan(kHead, size);
    std::memmove(room.data(), room.data() + kHead, kFixed);
    room[0] |= 0x10;
    std::uint8_t* block = room.data() + kFixed;
    const std::uint8_t length = kind == Kind::transport_number ? 2 : 3;
    const bool one_byte = id <= kMostOneByteId;
    // RFC 8285 sections 4.2 and 4.3: one word of elements behind the block's own header.
    wire::store_u16(block, one_byte ? 0xBEDE : 0x1000);
    wire::store_u16(block + 2, 1);
    std::uint8_t* element = block + 4;
    if (one_byte) {
        *element++ = static_cast<std::uint8_t>(id << 4 | (length - 1));
    } else {
        *element++ = id;
        *element++ = length;
    }
    if (kind == Kind::transport_number) {
        wire::store_u16(element, static_cast<std::uint16_t>(value));
        if (one_byte) element[2] = 0;
    } else {
        wire::store_u24(element, value);
    }
    return room.first(kHead + size);
}

void StampMemory::keep(std::uint32_t ssrc, std::uint16_t sequence, SendStamp stamp) {
    entries_[place(ssrc, sequence)] = {ssrc, sequence, stamp};
}

std::optional<SendStamp> StampMemory::find(std::uint32_t ssrc, std::uint16_t sequence) const {
    const Entry& entry = entries_[place(ssrc, sequence)];
    if (entry.ssrc != ssrc || entry.sequence != sequence) return std::nullopt;
    return entry.stamp;
}

bool OutgoingLine::gave_up(std::uint16_t sequence) const {
    return given_up && static_cast<std::uint16_t>(sequence - given_up->first) <=
                           static_cast<std::uint16_t>(given_up->last - given_up->first);
}

std::vector<OutgoingLine> ReceiverLink::lines_of(const Downlink& downlink) {
    std::vector<OutgoingLine> lines;
    const auto stamped = [](OutgoingLine& line, const ExtensionIds& ids) {
        line.transport_cc = ids.transport_cc;
        if (ids.transport_cc == 0 && ids.abs_send_time <= kMostOneByteId) line.abs_send_time = ids.abs_send_time;
    };
    if (downlink.audio.ssrc != 0) {
        OutgoingLine& line = lines.emplace_back();
        line.ssrc = downlink.audio.ssrc;
        line.is_audio = true;
        stamped(line, downlink.audio.extensions);
    }
    for (const Subscription& wanted : downlink.subscriptions) {
        if (lines.size() > kMaxSubscriptionsPerPeer) break;
        OutgoingLine& line = lines.emplace_back();
        line.ssrc = wanted.ssrc;
        stamped(line, wanted.extensions);
        line.repeats_plainly = wanted.rtx_ssrc == 0;
        for (const CodecPayload& codec : wanted.codecs) {
            if (codec.rtx_payload_type == 0) {
                line.repeats_plainly = true;
            } else if (wanted.rtx_ssrc != 0 && line.rtx_payload_type == 0) {
                line.rtx_ssrc = wanted.rtx_ssrc;
                line.rtx_payload_type = codec.rtx_payload_type;
            }
        }
    }
    return lines;
}

void ReceiverLink::take_lines(std::vector<OutgoingLine> lines) {
    lines_ = std::move(lines);
    const bool numbered = std::ranges::any_of(lines_, [](const OutgoingLine& line) { return line.transport_cc != 0; });
    if (!numbered) estimate_.reset();
    if (numbered && !estimate_) estimate_ = std::make_unique<congestion::SendSideEstimate>();
    if (std::ranges::any_of(lines_, &OutgoingLine::repeats_plainly) && !stamps_) {
        stamps_ = std::make_unique<StampMemory>();
    }
    audio_counts_ =
        std::ranges::any_of(lines_, [](const OutgoingLine& line) { return line.is_audio && line.transport_cc != 0; });
}

OutgoingLine* ReceiverLink::find_line(std::uint32_t ssrc) {
    for (OutgoingLine& line : lines_) {
        if (line.ssrc == ssrc || (line.rtx_ssrc == ssrc && ssrc != 0)) return &line;
    }
    return nullptr;
}

OutgoingLine* ReceiverLink::padding_line() {
    const auto found = std::ranges::find_if(
        lines_, [](const OutgoingLine& line) { return line.rtx_ssrc != 0 && line.transport_cc != 0; });
    return found == lines_.end() ? nullptr : &*found;
}

void ReceiverLink::account(std::span<const std::uint8_t> packet, const OutgoingLine& line) {
    if (line.is_audio) audio_bytes_ += packet.size() + kWireOverhead;
}

std::span<std::uint8_t> ReceiverLink::depart(OutgoingLine& line, std::span<std::uint8_t> room, std::size_t size,
                                             Time now) {
    std::uint8_t* packet = room.data() + congestion::kHeadRoom;
    const bool media = ssrc_of(packet) == line.ssrc;
    if (media) {
        line.last_timestamp = wire::load_u32(packet + 4);
    } else {
        wire::store_u16(packet + 2, line.next_rtx++);
    }
    SendStamp stamp;
    if (line.transport_cc != 0) {
        stamp = {SendStamp::Kind::transport_number, line.transport_cc, estimate_->on_sent(size + kOverhead, now)};
    } else if (line.abs_send_time != 0) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
        stamp = {SendStamp::Kind::send_time, line.abs_send_time, wire::abs_send_time_from_us(us)};
    }
    if (media && line.repeats_plainly) stamps_->keep(line.ssrc, wire::load_u16(packet + 2), stamp);
    const auto stamped = stamp.write(room, size);
    account(stamped, line);
    return stamped;
}

std::span<std::uint8_t> ReceiverLink::depart_again(OutgoingLine& line, std::span<std::uint8_t> room, std::size_t size) {
    const std::uint16_t sequence = wire::load_u16(room.data() + congestion::kHeadRoom + 2);
    const auto stamp = stamps_ ? stamps_->find(line.ssrc, sequence) : std::nullopt;
    if (!stamp) return {};
    if (stamp->kind == SendStamp::Kind::transport_number && estimate_) {
        estimate_->on_repeated(static_cast<std::uint16_t>(stamp->value));
    }
    return stamp->write(room, size);
}

void ReceiverLink::refresh(const ReceiverEstimate& reported, Time now) {
    next_refresh_ = now + kRefresh;
    if (!audio_since_) audio_since_ = now;
    if (now - *audio_since_ >= kAudioWindow) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now - *audio_since_).count();
        audio_bps_ = audio_bytes_ * 8'000'000 / static_cast<std::uint64_t>(us);
        audio_bytes_ = 0;
        audio_since_ = now;
    }
    const auto less = [](std::uint64_t all, std::uint64_t part) { return all > part ? all - part : 0; };
    if (estimate_ && estimate_->measured(now) && estimate_->fresh(now)) {
        available_bps_ = estimate_->bps();
        const std::uint64_t rest = less(available_bps_, audio_counts_ ? audio_bps_ : 0);
        video_budget_bps_ = rest - rest / kHeaderShare;
        const std::uint64_t share = std::max(rest, kLeastVideoBps);
        pacer.set_rates(share * 5 / 2, share + share / 20);
        return;
    }
    const auto said = reported.bps(now);
    available_bps_ = said.value_or(0);
    video_budget_bps_ = less(available_bps_, ReceiverEstimate::kAudioBps);
    // What nobody has measured bounds nothing. What a receiver reports is of its own making, and it reports little as
    // long as it gets little: enough for the peaks, too vague for the average.
    pacer.set_rates(said ? std::max(video_budget_bps_, kLeastReportedPaceBps) * 5 / 2 : 0, 0);
}

}  // namespace media::room
