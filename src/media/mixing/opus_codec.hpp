// libopus behind values: a decoder and an encoder whose memory is taken once, and what a packet says about itself
// (RFC 6716, opus-codec.org/docs/opus_api-1.3.1). Sound is float, ±1, 48 kHz, channels interleaved.
//
// Each object belongs to one voice or one mix; the meeting's thread only. Nothing is allocated after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/bytes.hpp"

struct OpusDecoder;
struct OpusEncoder;

namespace media::mixing {

inline constexpr int kSampleRate = 48'000;
/// 20 ms: what is mixed and sent at a time, samples of one channel.
inline constexpr std::size_t kFrame = 960;
/// The longest packet that Opus allows: 120 ms.
inline constexpr std::size_t kMaxPacketSamples = 5760;
/// Gaps are concealed in multiples of 2.5 ms.
inline constexpr std::size_t kOpusStep = 120;

/// Samples of one channel in the packet; 0 when it is malformed.
std::size_t opus_samples(core::BytesView packet);
/// Samples of one channel in each frame of a well-formed packet.
std::size_t opus_frame_samples(core::BytesView packet);
/// The packet was coded in stereo.
bool opus_is_stereo(core::BytesView packet);
/// The packet brings the frame before it a second time (low bit-rate redundancy, RFC 6716 section 4.2.4).
bool opus_carries_fec(core::BytesView packet);

class Decoder {
  public:
    /// `channels` 1 or 2: of the sound that comes out, whatever is in the packets.
    explicit Decoder(std::size_t channels);

    std::size_t channels() const { return channels_; }
    /// As fresh.
    void reset();

    // Each writes samples of one channel as many as it returns, times channels, to `out`; 0: nothing was decoded.
    // `out` must have room for a longest packet.
    std::size_t decode(core::BytesView packet, std::span<float> out);
    /// The `samples` before `next`, out of its FEC where it has some.
    std::size_t restore(core::BytesView next, std::size_t samples, std::span<float> out);
    /// Makes up `samples` (a multiple of kOpusStep).
    std::size_t conceal(std::size_t samples, std::span<float> out);

  private:
    std::size_t channels_;
    std::unique_ptr<std::byte[]> memory_;
    OpusDecoder* decoder_;
};

struct EncoderSettings {
    int mono_bps = 32'000;
    int stereo_bps = 64'000;
};

class Encoder {
  public:
    /// Above what the highest of our bit rates makes of 20 ms, far below any MTU.
    static constexpr std::size_t kMaxSize = 600;

    explicit Encoder(EncoderSettings settings);

    /// As fresh, for `channels` 1 (speech) or 2 (whatever people share).
    void start(std::size_t channels);
    std::size_t channels() const { return channels_; }

    /// 0 to 10: time against quality.
    void set_complexity(int complexity);
    /// What share of the packets gets lost, in percent: how much in-band FEC is put in.
    void set_expected_loss(int percent);

    /// kFrame samples of each channel → one packet, valid until the next call; empty when the encoder refuses.
    /// `independent`: as little as possible depends on the frames before (a decoder comes over from another stream).
    core::BytesView encode(std::span<const float> sound, bool independent);

  private:
    EncoderSettings settings_;
    std::size_t channels_ = 0;
    int complexity_ = -1;
    int loss_ = -1;
    std::unique_ptr<std::byte[]> memory_;
    OpusEncoder* encoder_;
    std::array<std::uint8_t, kMaxSize> packet_{};
};

}  // namespace media::mixing
