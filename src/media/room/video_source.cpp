#include "media/room/video_source.hpp"

#include <algorithm>
#include <utility>

#include "media/wire/codec_payload.hpp"
#include "media/wire/rtx.hpp"

namespace media::room {

void RateMeter::turn(Time now) {
    if (since_ && now > *since_) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now - *since_).count();
        const std::uint64_t measured = us > 0 ? bytes_ * 8'000'000 / static_cast<std::uint64_t>(us) : 0;
        const std::uint64_t smoothed = bps_ == 0 || measured == 0 ? measured : (bps_ + measured) / 2;
        bps_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(smoothed, UINT32_MAX));
    }
    bytes_ = 0;
    since_ = now;
}

VideoSource::VideoSource(PeerId owner, VideoUplink uplink)
    : owner_(owner),
      uplink_(std::move(uplink)),
      ssrc_learnt_(uplink_.ssrc == 0),
      rtx_ssrc_learnt_(uplink_.rtx_ssrc == 0) {}

bool VideoSource::renegotiate(const VideoUplink& uplink) {
    const auto same = [](std::uint32_t known, bool learnt, std::uint32_t offered) {
        return learnt ? offered == 0 || offered == known : offered == known;
    };
    if (uplink.stream_id != uplink_.stream_id || !same(uplink_.ssrc, ssrc_learnt_, uplink.ssrc) ||
        !same(uplink_.rtx_ssrc, rtx_ssrc_learnt_, uplink.rtx_ssrc)) {
        return false;
    }
    if (uplink.codecs != uplink_.codecs) {
        uplink_.codecs = uplink.codecs;
        cache.clear();  // Its packets know their codec by the place in the old list.
    }
    uplink_.extensions = uplink.extensions;
    return true;
}

VideoSource::Part VideoSource::part_of(std::uint32_t ssrc, std::uint8_t payload_type) {
    if (ssrc == uplink_.ssrc && ssrc != 0) return Part::media;
    if (ssrc == uplink_.rtx_ssrc && ssrc != 0) return Part::rtx;
    if (!ssrc_learnt_ && !rtx_ssrc_learnt_) return Part::none;
    for (const CodecPayload& codec : uplink_.codecs) {
        if (uplink_.ssrc == 0 && codec.payload_type == payload_type) {
            uplink_.ssrc = ssrc;
            return Part::media;
        }
        if (uplink_.rtx_ssrc == 0 && codec.rtx_payload_type != 0 && codec.rtx_payload_type == payload_type) {
            uplink_.rtx_ssrc = ssrc;
            return Part::rtx;
        }
    }
    return Part::none;
}

std::optional<VideoPacket> VideoSource::take(const wire::RtpView& packet, Part part, Time arrival,
                                             RouterCounters& counters) {
    const bool is_rtx = part == Part::rtx;
    const auto codec = std::ranges::find(uplink_.codecs, packet.payload_type(),
                                         is_rtx ? &CodecPayload::rtx_payload_type : &CodecPayload::payload_type);
    if (codec == uplink_.codecs.end()) {
        ++counters.dropped_unknown_stream;
        return std::nullopt;
    }
    std::uint16_t sequence = packet.sequence();
    core::BytesView payload = packet.payload();
    if (is_rtx) {
        const auto original = wire::rtx_original_sequence(packet);
        if (!original || !window_.started()) {
            ++counters.dropped_rtx_padding;
            return std::nullopt;
        }
        sequence = *original;
        payload = payload.subspan(2);
    }

    const SequenceWindow::Verdict verdict = window_.take(sequence, is_rtx);
    if (!verdict.fresh()) {
        ++(verdict.kind == SequenceWindow::Kind::duplicate ? counters.dropped_duplicate : counters.dropped_too_old);
        return std::nullopt;
    }
    VideoPacket result{.sequence = verdict.sequence,
                       .timestamp = packet.timestamp(),
                       .marker = packet.marker(),
                       .starts_key_frame = false,
                       .restarted = verdict.kind == SequenceWindow::Kind::restarted,
                       .codec = static_cast<std::uint8_t>(codec - uplink_.codecs.begin()),
                       .payload = payload};
    bool repaired = is_rtx;
    if (result.restarted) {
        nacks.restart(verdict.sequence);
        stats.restart();
        cache.clear();
        key_frames.request();
    } else {
        switch (nacks.on_packet(verdict.sequence, arrival)) {
            case NackGenerator::Arrival::normal:
                break;
            case NackGenerator::Arrival::repaired:
                repaired = true;
                ++counters.repaired;
                break;
            case NackGenerator::Arrival::too_many:
                key_frames.request();
                break;
        }
    }
    stats.on_packet(verdict.sequence, packet.timestamp(), repaired, arrival);
    rate.take(packet.packet().size());
    if (payload.empty()) {
        ++counters.dropped_padding;
        return result;
    }
    result.starts_key_frame = wire::starts_keyframe(codec->codec.kind, payload);
    if (result.starts_key_frame) key_frames.on_key_frame();
    cache.keep(verdict.sequence, packet.timestamp(), packet.marker(), result.codec, payload);
    return result;
}

}  // namespace media::room
