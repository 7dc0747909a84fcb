#include "media/room/video_source.hpp"

#include <algorithm>
#include <utility>

#include "media/wire/rtp_extensions.hpp"
#include "media/wire/rtx.hpp"

namespace media::room {

VideoSource::VideoSource(PeerId owner, VideoUplink uplink)
    : owner_(owner),
      uplink_(std::move(uplink)),
      ssrc_learnt_(uplink_.ssrc == 0),
      rtx_ssrc_learnt_(uplink_.rtx_ssrc == 0) {
    key_frames.set_periodic(uplink_.periodic_key_frames);
}

bool VideoSource::renegotiate(const VideoUplink& uplink) {
    const auto same = [](std::uint32_t known, bool learnt, std::uint32_t offered) {
        return learnt ? offered == 0 || offered == known : offered == known;
    };
    if (uplink.stream_id != uplink_.stream_id || uplink.rid != uplink_.rid ||
        !same(uplink_.ssrc, ssrc_learnt_, uplink.ssrc) || !same(uplink_.rtx_ssrc, rtx_ssrc_learnt_, uplink.rtx_ssrc)) {
        return false;
    }
    if (uplink.codecs != uplink_.codecs) {
        uplink_.codecs = uplink.codecs;
        cache.clear();  // Its packets know their codec by the place in the old list.
    }
    uplink_.extensions = uplink.extensions;
    uplink_.group_id = uplink.group_id;
    uplink_.max_bitrate_kbps = uplink.max_bitrate_kbps;
    uplink_.periodic_key_frames = uplink.periodic_key_frames;
    key_frames.set_periodic(uplink_.periodic_key_frames);
    return true;
}

VideoSource::Part VideoSource::part_of(std::uint32_t ssrc, std::uint8_t payload_type) {
    if (ssrc == uplink_.ssrc && ssrc != 0) return Part::media;
    if (ssrc == uplink_.rtx_ssrc && ssrc != 0) return Part::rtx;
    if (!uplink_.rid.empty() || (!ssrc_learnt_ && !rtx_ssrc_learnt_)) return Part::none;
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

VideoSource::Part VideoSource::learn(const wire::RtpView& packet) {
    if (uplink_.rid.empty()) return Part::none;
    const auto says = [&](std::uint8_t id) {
        const auto value = id != 0 ? packet.extension(id) : std::nullopt;
        return value && wire::parse_rid(*value) == uplink_.rid;
    };
    const auto has = [&](std::uint8_t CodecPayload::* type) {
        return std::ranges::find(uplink_.codecs, packet.payload_type(), type) != uplink_.codecs.end();
    };
    // The same layer under another SSRC: its encoder was made anew. What is known of the old one is of no use.
    if (ssrc_learnt_ && has(&CodecPayload::payload_type) && says(uplink_.extensions.rid)) {
        uplink_.ssrc = packet.ssrc();
        clock.restart();
        if (window_.started()) begin_anew_ = true;
        return Part::media;
    }
    if (rtx_ssrc_learnt_ && packet.payload_type() != 0 && has(&CodecPayload::rtx_payload_type) &&
        says(uplink_.extensions.repaired_rid)) {
        uplink_.rtx_ssrc = packet.ssrc();
        return Part::rtx;
    }
    return Part::none;
}

void VideoSource::remove_watcher(VideoSubscription* watcher) {
    const auto found = std::ranges::find(watchers_, watcher);
    if (found == watchers_.end()) return;
    *found = watchers_.back();
    watchers_.pop_back();
}

SequenceWindow::Verdict VideoSource::number(std::uint16_t sequence, bool is_repeat) {
    const bool anew = std::exchange(begin_anew_, false);
    if (anew) {
        number_base_ = (number_base_ + window_.highest()) / 0x10000 * 0x10000 + 0x10000;
        window_ = {};
    }
    SequenceWindow::Verdict verdict = window_.take(sequence, is_repeat);
    verdict.sequence += number_base_;
    if (anew) verdict.kind = SequenceWindow::Kind::restarted;
    return verdict;
}

/// Such a packet is not passed on, and what follows only from a new key frame on.
bool VideoSource::is_stale(VideoPacket& packet, Time arrival) {
    const StalePictures::Verdict verdict = stale_.take(packet.timestamp, arrival);
    if (verdict == StalePictures::Verdict::fresh) return false;
    if (verdict == StalePictures::Verdict::first_stale) {
        nacks.restart(packet.sequence);
        key_frames.request_anew();
    }
    packet.cut_off = true;
    packet.outage = true;
    packet.payload = {};
    return true;
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

    const SequenceWindow::Verdict verdict = number(sequence, is_rtx);
    if (!verdict.fresh()) {
        ++(verdict.kind == SequenceWindow::Kind::duplicate ? counters.dropped_duplicate : counters.dropped_too_old);
        return std::nullopt;
    }
    VideoPacket result{.sequence = verdict.sequence,
                       .timestamp = packet.timestamp(),
                       .marker = packet.marker(),
                       .starts_key_frame = false,
                       .restarted = verdict.kind == SequenceWindow::Kind::restarted,
                       .cut_off = false,
                       .outage = false,
                       .codec = static_cast<std::uint8_t>(codec - uplink_.codecs.begin()),
                       .layer = {},
                       .payload = payload};
    bool repaired = is_rtx;
    if (result.restarted) {
        nacks.restart(verdict.sequence);
        stats.restart();
        stale_.restart();
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
                result.cut_off = true;
                break;
            case NackGenerator::Arrival::outage:
                key_frames.request_anew();
                result.cut_off = true;
                result.outage = true;
                break;
        }
    }
    stats.on_packet(verdict.sequence, packet.timestamp(), repaired, arrival);
    if (payload.empty()) {
        rate.take({}, packet.packet().size());
        ++counters.dropped_padding;
        return result;
    }
    heard_ = arrival;
    if (!is_rtx && is_stale(result, arrival)) {
        ++counters.dropped_stale;
        return result;
    }
    const std::uint8_t descriptor = uplink_.extensions.dependency_descriptor;
    const auto read =
        reader_.read(codec->codec.kind, payload, descriptor != 0 ? packet.extension(descriptor) : std::nullopt);
    result.layer = read.layer;
    result.starts_key_frame = read.starts_key_frame;
    rate.take(result.layer, packet.packet().size());
    if (result.starts_key_frame) key_frames.on_key_frame(arrival);
    cache.keep({.sequence = verdict.sequence,
                .timestamp = packet.timestamp(),
                .codec = result.codec,
                .marker = packet.marker(),
                .layer = result.layer},
               payload);
    return result;
}

}  // namespace media::room
