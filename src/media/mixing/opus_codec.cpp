#include "media/mixing/opus_codec.hpp"

#include <opus/opus.h>

#include <algorithm>
#include <stdexcept>

namespace media::mixing {

namespace {
constexpr int kMaxFrames = 48;  // RFC 6716 section 3.2.5, R5: 120 ms of 2.5 ms frames.

const unsigned char* data_of(core::BytesView packet) {
    return packet.data();
}
opus_int32 size_of(core::BytesView packet) {
    return static_cast<opus_int32>(packet.size());
}
std::size_t samples_of(int result) {
    return result > 0 ? static_cast<std::size_t>(result) : 0;
}
}  // namespace

std::size_t opus_samples(core::BytesView packet) {
    if (packet.empty()) return 0;
    const std::size_t samples = samples_of(opus_packet_get_nb_samples(data_of(packet), size_of(packet), kSampleRate));
    return samples <= kMaxPacketSamples ? samples : 0;
}

std::size_t opus_frame_samples(core::BytesView packet) {
    return packet.empty() ? 0 : samples_of(opus_packet_get_samples_per_frame(data_of(packet), kSampleRate));
}

bool opus_is_stereo(core::BytesView packet) {
    return !packet.empty() && opus_packet_get_nb_channels(data_of(packet)) == 2;
}

bool opus_carries_fec(core::BytesView packet) {
    if (packet.empty()) return false;
    constexpr int kFirstCeltOnly = 16;
    if (packet[0] >> 3 >= kFirstCeltOnly) return false;
    std::array<const unsigned char*, kMaxFrames> frames{};
    std::array<opus_int16, kMaxFrames> sizes{};
    unsigned char toc = 0;
    if (opus_packet_parse(data_of(packet), size_of(packet), &toc, frames.data(), sizes.data(), nullptr) <= 0 ||
        sizes[0] == 0) {
        return false;
    }
    // RFC 6716 section 4.2.3: the first bits are a voice activity flag for each 20 ms and one LBRR flag, of the first
    // channel and then of the second.
    const int samples = opus_packet_get_samples_per_frame(data_of(packet), kSampleRate);
    const int parts = std::max(1, samples / static_cast<int>(kFrame));
    const int first = frames[0][0];
    if ((first >> (7 - parts) & 1) != 0) return true;
    return opus_is_stereo(packet) && (first >> (6 - 2 * parts) & 1) != 0;
}

Decoder::Decoder(std::size_t channels)
    : channels_(channels),
      memory_(
          std::make_unique<std::byte[]>(static_cast<std::size_t>(opus_decoder_get_size(static_cast<int>(channels))))),
      decoder_(reinterpret_cast<OpusDecoder*>(memory_.get())) {
    if (opus_decoder_init(decoder_, kSampleRate, static_cast<int>(channels)) != OPUS_OK) {
        throw std::logic_error("the Opus decoder does not start");
    }
}

void Decoder::reset() {
    opus_decoder_ctl(decoder_, OPUS_RESET_STATE);
}

std::size_t Decoder::decode(core::BytesView packet, std::span<float> out) {
    if (packet.empty()) return 0;
    return samples_of(opus_decode_float(decoder_, data_of(packet), size_of(packet), out.data(),
                                        static_cast<int>(out.size() / channels_), 0));
}

std::size_t Decoder::restore(core::BytesView next, std::size_t samples, std::span<float> out) {
    if (next.empty() || samples * channels_ > out.size()) return 0;
    return samples_of(
        opus_decode_float(decoder_, data_of(next), size_of(next), out.data(), static_cast<int>(samples), 1));
}

std::size_t Decoder::conceal(std::size_t samples, std::span<float> out) {
    if (samples * channels_ > out.size()) return 0;
    return samples_of(opus_decode_float(decoder_, nullptr, 0, out.data(), static_cast<int>(samples), 0));
}

Encoder::Encoder(EncoderSettings settings)
    : settings_(settings),
      memory_(std::make_unique<std::byte[]>(static_cast<std::size_t>(opus_encoder_get_size(2)))),
      encoder_(reinterpret_cast<OpusEncoder*>(memory_.get())) {
    start(1);
}

void Encoder::start(std::size_t channels) {
    if (channels == channels_) {
        opus_encoder_ctl(encoder_, OPUS_RESET_STATE);
        return;
    }
    channels_ = channels;
    complexity_ = loss_ = -1;
    if (opus_encoder_init(encoder_, kSampleRate, static_cast<int>(channels), OPUS_APPLICATION_VOIP) != OPUS_OK) {
        throw std::logic_error("the Opus encoder does not start");
    }
    const bool stereo = channels == 2;
    opus_encoder_ctl(encoder_, OPUS_SET_BITRATE(stereo ? settings_.stereo_bps : settings_.mono_bps));
    opus_encoder_ctl(encoder_, OPUS_SET_VBR(1));
    opus_encoder_ctl(encoder_, OPUS_SET_INBAND_FEC(1));
    opus_encoder_ctl(encoder_, OPUS_SET_DTX(0));
    opus_encoder_ctl(encoder_, OPUS_SET_FORCE_CHANNELS(static_cast<int>(channels)));
    opus_encoder_ctl(encoder_, OPUS_SET_SIGNAL(stereo ? OPUS_SIGNAL_MUSIC : OPUS_SIGNAL_VOICE));
}

void Encoder::set_complexity(int complexity) {
    if (complexity == complexity_) return;
    complexity_ = complexity;
    opus_encoder_ctl(encoder_, OPUS_SET_COMPLEXITY(complexity));
}

void Encoder::set_expected_loss(int percent) {
    const int bounded = std::clamp(percent, 0, 100);
    if (bounded == loss_) return;
    loss_ = bounded;
    opus_encoder_ctl(encoder_, OPUS_SET_PACKET_LOSS_PERC(bounded));
}

core::BytesView Encoder::encode(std::span<const float> sound, bool independent) {
    if (sound.size() < kFrame * channels_) return {};
    if (independent) opus_encoder_ctl(encoder_, OPUS_SET_PREDICTION_DISABLED(1));
    const int size = opus_encode_float(encoder_, sound.data(), static_cast<int>(kFrame), packet_.data(),
                                       static_cast<opus_int32>(packet_.size()));
    if (independent) opus_encoder_ctl(encoder_, OPUS_SET_PREDICTION_DISABLED(0));
    return core::BytesView(packet_).first(samples_of(size));
}

}  // namespace media::mixing
