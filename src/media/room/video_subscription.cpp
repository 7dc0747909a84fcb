#include "media/room/video_subscription.hpp"

#include <algorithm>
#include <utility>

#include "media/wire/byte_io.hpp"
#include "media/wire/rtp.hpp"

namespace media::room {

VideoSubscription::VideoSubscription(PeerId receiver, Subscription settings, std::uint16_t first_sequence,
                                     std::uint16_t first_rtx_sequence, std::uint32_t first_timestamp)
    : receiver_(receiver),
      settings_(std::move(settings)),
      rewriter_(first_sequence, first_timestamp),
      rtx_sequence_(first_rtx_sequence) {}

void VideoSubscription::renegotiate(const Subscription& settings) {
    if (settings.stream_id != settings_.stream_id) paused_ = false;
    settings_ = settings;
    map_payloads();
}

void VideoSubscription::follow(VideoSource* source) {
    if (source != source_) {
        source_ = source;
        rewriter_.suspend();
        new_source_ = true;
    }
    map_payloads();
}

void VideoSubscription::map_payloads() {
    std::array<Payloads, kMaxCodecsPerLine> payloads{};
    if (source_ != nullptr) {
        const auto& codecs = source_->codecs();
        for (std::size_t i = 0; i < std::min(codecs.size(), payloads.size()); ++i) {
            const auto own = std::ranges::find(settings_.codecs, codecs[i].codec, &CodecPayload::codec);
            if (own != settings_.codecs.end()) payloads[i] = {own->payload_type, own->rtx_payload_type};
        }
    }
    if (payloads == payloads_) return;
    payloads_ = payloads;
    // A plain repeat has to be the same packet bit by bit, its payload type included: SRTP would use a key stream
    // twice.
    rewriter_.forget();
}

void VideoSubscription::set_paused(bool paused) {
    paused_ = paused;
    if (paused) rewriter_.suspend();
}

void VideoSubscription::set_open(bool open) {
    open_ = open;
    if (!open) rewriter_.suspend();
}

std::size_t VideoSubscription::filler(std::uint16_t sequence, std::uint8_t payload_type, std::span<std::uint8_t> out) {
    const std::size_t header = wire::write_rtp(out,
                                               {.payload_type = payload_type,
                                                .marker = false,
                                                .sequence = sequence,
                                                .timestamp = rewriter_.last_timestamp(),
                                                .ssrc = settings_.ssrc},
                                               {}, {});
    if (header == 0 || header >= out.size()) return 0;
    out[0] |= 0x20;   // Padding …
    out[header] = 1;  // … of one byte, the count itself.
    return header + 1;
}

std::size_t VideoSubscription::forward(const VideoPacket& packet, Time now, std::span<std::uint8_t> out,
                                       RouterCounters& counters) {
    if (packet.restarted) {
        rewriter_.suspend();
        new_source_ = true;
    }
    if (!open_) return 0;
    if (paused_) {
        ++counters.dropped_paused;
        return 0;
    }
    const Payloads payloads = packet.codec < payloads_.size() ? payloads_[packet.codec] : Payloads{};
    if (packet.payload.empty() || payloads.media == 0) {
        if (!packet.payload.empty()) ++counters.dropped_no_payload_type;
        const auto reserved = rewriter_.skip(packet.sequence);
        return reserved && payloads.media != 0 ? filler(*reserved, payloads.media, out) : 0;
    }

    const bool was_running = rewriter_.running();
    std::optional<VideoRewriter::Stamp> stamp = rewriter_.place(packet.sequence, packet.timestamp, now);
    if (!rewriter_.running()) {
        if (!packet.starts_key_frame) {
            ++counters.dropped_before_key_frame;
            if (was_running) source_->key_frames.request();
            return 0;
        }
        rewriter_.start(packet.sequence, packet.timestamp, new_source_, now);
        new_source_ = false;
        stamp = rewriter_.place(packet.sequence, packet.timestamp, now);
    }
    if (!stamp) {
        ++counters.dropped_video_late;
        return 0;
    }
    const std::size_t size = wire::write_rtp(out,
                                             {.payload_type = payloads.media,
                                              .marker = packet.marker,
                                              .sequence = stamp->sequence,
                                              .timestamp = stamp->timestamp,
                                              .ssrc = settings_.ssrc},
                                             {}, packet.payload);
    if (size != 0) {
        ++packets_;
        octets_ += static_cast<std::uint32_t>(packet.payload.size());
        ++counters.video_forwarded;
    }
    return size;
}

std::size_t VideoSubscription::repeat(std::uint16_t sequence, Time now, std::chrono::microseconds round_trip,
                                      RepeatBudget& budget, std::span<std::uint8_t> out, RouterCounters& counters) {
    const auto source_sequence = wants_packets() ? rewriter_.source_of(sequence) : std::nullopt;
    const PacketCache::Packet* packet = source_sequence ? source_->cache.find(*source_sequence) : nullptr;
    const Payloads payloads =
        packet != nullptr && packet->codec < payloads_.size() ? payloads_[packet->codec] : Payloads{};
    if (payloads.media == 0) {
        // Lost before it came to us: it is forwarded when the sender has repeated it.
        ++counters.repeats_unknown;
        return 0;
    }
    const auto stamp = rewriter_.stamp_of(packet->sequence, packet->timestamp);
    if (!stamp) {
        ++counters.repeats_unknown;
        return 0;
    }
    if (!repeats_.take(sequence, now, round_trip)) {
        ++counters.repeats_limited;
        return 0;
    }
    if (!budget.take(packet->size + wire::kRtpHeaderSize, now)) {
        ++counters.repeats_over_budget;
        return 0;
    }
    ++counters.repeats_sent;
    const core::BytesView payload = packet->payload();
    if (settings_.rtx_ssrc == 0 || payloads.rtx == 0) {
        return wire::write_rtp(out,
                               {.payload_type = payloads.media,
                                .marker = packet->marker,
                                .sequence = stamp->sequence,
                                .timestamp = stamp->timestamp,
                                .ssrc = settings_.ssrc},
                               {}, payload);
    }
    // RFC 4588 section 4: the original number stands before the payload.
    const std::size_t header = wire::write_rtp(out,
                                               {.payload_type = payloads.rtx,
                                                .marker = packet->marker,
                                                .sequence = rtx_sequence_++,
                                                .timestamp = stamp->timestamp,
                                                .ssrc = settings_.rtx_ssrc},
                                               {}, {});
    if (header == 0 || header + 2 + payload.size() > out.size()) return 0;
    wire::store_u16(&out[header], stamp->sequence);
    std::ranges::copy(payload, out.begin() + static_cast<std::ptrdiff_t>(header + 2));
    return header + 2 + payload.size();
}

wire::SenderInfo VideoSubscription::sender_info(std::uint64_t ntp, Time now) const {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - rewriter_.last_time()).count();
    return {.ntp = ntp,
            .rtp_timestamp = rewriter_.last_timestamp() + static_cast<std::uint32_t>(since * 90),
            .packets = packets_,
            .octets = octets_};
}

}  // namespace media::room
