#include "media_sender.hpp"

#include <algorithm>

#include "media/wire/byte_io.hpp"
#include "media/wire/rtcp_feedback.hpp"
#include "media/wire/rtp.hpp"
#include "media/wire/rtp_extensions.hpp"

namespace bench {

namespace wire = media::wire;

namespace {
constexpr unsigned kAudioBeats = 20 * kMillisecond / kBeat;
constexpr std::uint32_t kVideoClock = 90'000;
}  // namespace

MediaSender::MediaSender(const Payloads& audio, const Payloads& video, std::uint32_t seed)
    : audio_(audio), video_(video), beats_(seed % kAudioBeats), audio_at_(seed % audio.packets.size()) {
    audio_stream_.index = seed & 0x3FFF;
    video_stream_.index = seed >> 8 & 0x3FFF;
    audio_stream_.timestamp = seed;
    video_stream_.timestamp = seed * 3;
}

void MediaSender::beat(Nanos now, PeerConnection& to) {
    if (plan_.audio_ssrc == 0) return;
    if (++beats_ % kAudioBeats == 0) send_audio(to);
    if (now >= next_frame_at_) begin_frame(now);
    // One packet a beat is 1.8 Mbit/s: a little over twice the stream's rate, as Chromium paces it.
    if (waiting_count_ > 0) send_video(now, to);
}

void MediaSender::send_audio(PeerConnection& to) {
    const PayloadRecord& record = audio_.packets[audio_at_];
    audio_at_ = (audio_at_ + 1) % audio_.packets.size();
    const std::array<std::uint8_t, 1> level = {wire::audio_level_byte({record.audio_level, record.audio_level < 60})};
    const auto number = wire::transport_sequence_bytes(transport_sequence_);
    std::array<wire::RtpExtension, 2> extensions;
    std::size_t count = 0;
    if (plan_.audio_level_id != 0) extensions[count++] = {plan_.audio_level_id, level};
    if (plan_.transport_cc_id != 0) {
        extensions[count++] = {plan_.transport_cc_id, number};
        ++transport_sequence_;
    }
    const wire::RtpHeader header{.payload_type = plan_.audio_payload_type,
                                 .sequence = static_cast<std::uint16_t>(audio_stream_.index),
                                 .timestamp = audio_stream_.timestamp += 960,
                                 .ssrc = plan_.audio_ssrc};
    to.send_rtp([&](std::span<std::uint8_t> out) {
        return wire::write_rtp(out, header, std::span(extensions).first(count), record.bytes);
    });
    ++audio_stream_.index;
    ++audio_stream_.packets;
    audio_stream_.octets += static_cast<std::uint32_t>(record.bytes.size());
}

void MediaSender::begin_frame(Nanos now) {
    const Nanos spacing = kSecond / video_.rate;
    // The first one at a moment of its own, so that a room's cameras do not beat together.
    if (next_frame_at_ == 0) next_frame_at_ = now + spacing * ((video_stream_.index % 32)) / 32;
    if (now < next_frame_at_) return;
    next_frame_at_ = std::max(next_frame_at_ + spacing, now - spacing);
    if (key_frame_wanted_) frame_at_ = 0;
    key_frame_wanted_ = false;
    video_stream_.timestamp += kVideoClock / video_.rate;
    picture_id_ = (picture_id_ + 1) & 0x7FFF;
    if (waiting_count_ < waiting_.size()) {
        waiting_[(waiting_first_ + waiting_count_) % waiting_.size()] = {
            video_.frames[frame_at_], video_.frames[frame_at_ + 1], video_stream_.timestamp, picture_id_};
        ++waiting_count_;
    }
    frame_at_ = (frame_at_ + 1) % video_.frame_count();
}

void MediaSender::send_video(Nanos now, PeerConnection& to) {
    Frame& frame = waiting_[waiting_first_];
    const PayloadRecord& record = video_.packets[frame.next_packet++];
    if (frame.next_packet == frame.end) {
        waiting_first_ = (waiting_first_ + 1) % waiting_.size();
        --waiting_count_;
    }
    const auto number = wire::transport_sequence_bytes(transport_sequence_);
    const std::array<wire::RtpExtension, 1> extensions = {wire::RtpExtension{plan_.transport_cc_id, number}};
    const std::size_t count = plan_.transport_cc_id != 0 ? 1 : 0;
    transport_sequence_ = static_cast<std::uint16_t>(transport_sequence_ + count);
    const wire::RtpHeader header{.payload_type = plan_.video_payload_type,
                                 .marker = record.last_of_frame,
                                 .sequence = static_cast<std::uint16_t>(video_stream_.index),
                                 .timestamp = frame.timestamp,
                                 .ssrc = plan_.video_ssrc};
    to.send_rtp([&](std::span<std::uint8_t> out) -> std::size_t {
        const std::size_t size = wire::write_rtp(out, header, std::span(extensions).first(count), record.bytes);
        if (size == 0) return 0;
        const auto payload = out.subspan(size - record.bytes.size(), record.bytes.size());
        set_picture_id(payload, video_.codec, frame.picture_id);
        wire::store_u32(&payload[payload.size() - kStampSize], counter_);
        wire::store_u64(&payload[payload.size() - 8], static_cast<std::uint64_t>(now));
        return size;
    });
    ++counter_;
    ++video_stream_.index;
    ++video_stream_.packets;
    video_stream_.octets += static_cast<std::uint32_t>(record.bytes.size());
}

void MediaSender::on_feedback(const wire::RtcpView& view, Window& window) {
    if (const auto pli = wire::parse_pli(view); pli && pli->media_ssrc == plan_.video_ssrc) {
        key_frame_wanted_ = true;
        ++window.key_frames_asked;
    } else if (const auto fir = wire::RtcpFir::parse(view)) {
        for (std::size_t i = 0; i < fir->entry_count(); ++i) {
            if (fir->entry(i).ssrc != plan_.video_ssrc) continue;
            key_frame_wanted_ = true;
            ++window.key_frames_asked;
        }
    } else if (const auto nack = wire::RtcpNack::parse(view)) {
        nack->for_each_lost([&](std::uint16_t) { ++window.nacks_received; });
    }
}

void MediaSender::report(wire::RtcpWriter& writer, Nanos now) const {
    const std::uint64_t ntp = wire::ntp_from_unix_us(now / kMicrosecond);
    for (const auto& [ssrc, stream] :
         {std::pair{plan_.audio_ssrc, audio_stream_}, std::pair{plan_.video_ssrc, video_stream_}}) {
        if (stream.packets == 0) continue;
        writer.sender_report(
            ssrc, {.ntp = ntp, .rtp_timestamp = stream.timestamp, .packets = stream.packets, .octets = stream.octets});
        writer.description(ssrc, "bench");
    }
}

}  // namespace bench
