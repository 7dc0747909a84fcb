#include "payloads.hpp"

#include <opus/opus.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <numbers>
#include <random>
#include <stdexcept>

#include "media/wire/byte_io.hpp"

namespace bench {

namespace {

constexpr int kSampleRate = 48'000;
constexpr int kFrameSamples = 960;
constexpr unsigned kAudioSeconds = 10;
constexpr const char* kMagic = "MEDIA-PAYLOADS 1 ";

/// A voice as far as an encoder cares: a gliding pitch with harmonics, four syllables a second, some breath.
class Voice {
  public:
    void fill(std::span<float> frame) {
        for (float& sample : frame) {
            const double t = static_cast<double>(at_++) / kSampleRate;
            const double pitch = 140 + 30 * std::sin(2 * std::numbers::pi * 0.7 * t);
            phase_ += 2 * std::numbers::pi * pitch / kSampleRate;
            const double syllable = std::pow(std::abs(std::sin(2 * std::numbers::pi * 2 * t)), 1.5);
            double sum = 0;
            for (int harmonic = 1; harmonic <= 12; ++harmonic) sum += std::sin(harmonic * phase_) / harmonic;
            const double breath = (static_cast<double>(random_() % 2001) - 1000) / 1000;
            sample = static_cast<float>(syllable * (0.15 * sum + 0.01 * breath));
        }
    }

  private:
    std::uint64_t at_ = 0;
    double phase_ = 0;
    std::minstd_rand random_{7};
};

std::uint8_t level_of(std::span<const float> frame) {
    double energy = 0;
    for (const float sample : frame) energy += static_cast<double>(sample) * sample;
    const double rms = std::sqrt(energy / static_cast<double>(frame.size()));
    return static_cast<std::uint8_t>(std::clamp(-20 * std::log10(std::max(rms, 1e-7)), 0.0, 127.0));
}

/// What stands before the bytes without meaning.
core::Bytes descriptor(const std::string& codec, bool key, std::size_t index, bool last) {
    const bool first = index == 0;
    if (codec == "vp8") {
        // X, S; I; 15-bit picture id; then the first byte of the frame's header, whose lowest bit is 0 in key frames.
        core::Bytes bytes = {static_cast<std::uint8_t>(first ? 0x90 : 0x80), 0x80, 0x80, 0x00};
        if (first) bytes.push_back(key ? 0x10 : 0x11);
        return bytes;
    }
    if (codec == "vp9") {
        // I, F, Z always; P and one reference in other than key frames; V with 960x540 at the start of a key frame.
        std::uint8_t flags = 0x91;
        if (!key) flags |= 0x40;
        if (first) flags |= 0x08;
        if (last) flags |= 0x04;
        core::Bytes bytes = {flags, 0x80, 0x00};
        if (!key) bytes.push_back(0x02);
        if (key && first) {
            bytes[0] |= 0x02;
            for (const std::uint8_t b : {0x10, 0x03, 0xC0, 0x02, 0x1C}) bytes.push_back(b);
        }
        return bytes;
    }
    // H.264: a key frame begins with its parameter sets in one packet; the slice follows in fragments (FU-A).
    if (key && first)
        return {0x78, 0x00, 0x08, 0x67, 0x42, 0xE0, 0x1F, 0xDA, 0x02, 0x80, 0xF6, 0x00, 0x04, 0x68, 0xCE, 0x3C, 0x80};
    const auto type = static_cast<std::uint8_t>(key ? 5 : 1);
    const bool starts = index == (key ? 1 : 0);
    return {0x7C, static_cast<std::uint8_t>((starts ? 0x80 : 0) | (last ? 0x40 : 0) | type)};
}

void add_frame(Payloads& video, bool key, std::size_t size, std::size_t packet_size, std::minstd_rand& random) {
    const bool parameters = video.codec == "h264" && key;
    const std::size_t count = std::max<std::size_t>(parameters ? 2 : 1, (size + packet_size - 1) / packet_size);
    for (std::size_t i = 0; i < count; ++i) {
        const bool first = i == 0;
        const bool last = i + 1 == count;
        PayloadRecord record{.bytes = descriptor(video.codec, key, i, last), .last_of_frame = last, .key_frame = key};
        // Packetisers split a frame evenly.
        const std::size_t wanted = std::max(size / count, record.bytes.size() + kStampSize);
        const bool only_parameters = parameters && first;
        while (!only_parameters && record.bytes.size() + kStampSize < wanted) {
            record.bytes.push_back(static_cast<std::uint8_t>(random() >> 8));
        }
        record.bytes.resize(record.bytes.size() + kStampSize);
        video.packets.push_back(std::move(record));
    }
}

}  // namespace

void Payloads::find_frames() {
    frames.assign(1, 0);
    for (std::uint32_t i = 0; i < packets.size(); ++i) {
        if (packets[i].last_of_frame) frames.push_back(i + 1);
    }
}

Payloads make_audio() {
    int error = 0;
    const std::unique_ptr<OpusEncoder, void (*)(OpusEncoder*)> encoder(
        opus_encoder_create(kSampleRate, 1, OPUS_APPLICATION_VOIP, &error), opus_encoder_destroy);
    if (error != OPUS_OK) throw std::runtime_error("no Opus encoder");
    opus_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(32'000));
    opus_encoder_ctl(encoder.get(), OPUS_SET_INBAND_FEC(1));
    opus_encoder_ctl(encoder.get(), OPUS_SET_PACKET_LOSS_PERC(5));
    opus_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(5));
    Payloads audio{.codec = "opus", .rate = kSampleRate / kFrameSamples};
    Voice voice;
    std::array<float, kFrameSamples> samples{};
    std::array<std::uint8_t, 1275> packet{};
    for (unsigned i = 0; i < kAudioSeconds * audio.rate; ++i) {
        voice.fill(samples);
        const auto size = opus_encode_float(encoder.get(), samples.data(), kFrameSamples, packet.data(), packet.size());
        if (size < 0) throw std::runtime_error("Opus does not encode");
        audio.packets.push_back(
            {.bytes = core::Bytes(packet.begin(), packet.begin() + size), .audio_level = level_of(samples)});
    }
    audio.find_frames();
    return audio;
}

Payloads make_video(const std::string& codec, const VideoShape& shape) {
    if (codec != "vp8" && codec != "vp9" && codec != "h264") throw std::runtime_error("no such video codec: " + codec);
    Payloads video{.codec = codec, .rate = shape.frame_rate};
    std::minstd_rand random{42};
    const unsigned frames = shape.frame_rate * shape.key_frame_seconds;
    // One key frame and the others together give the rate.
    const double unit =
        static_cast<double>(shape.bits_per_second) / 8 * shape.key_frame_seconds / (frames - 1 + shape.key_frame_times);
    for (unsigned i = 0; i < frames; ++i) {
        const double vary = 0.9 + 0.2 * static_cast<double>(random() % 1000) / 1000;
        add_frame(video, i == 0, static_cast<std::size_t>(unit * vary * (i == 0 ? shape.key_frame_times : 1)),
                  shape.packet_size, random);
    }
    video.find_frames();
    return video;
}

Payloads read_payloads(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string line;
    Payloads result;
    if (!std::getline(in, line) || !line.starts_with(kMagic))
        throw std::runtime_error(path + ": not a file of payloads");
    std::array<char, 16> codec{};
    if (std::sscanf(line.c_str() + std::char_traits<char>::length(kMagic), "%15s %u", codec.data(), &result.rate) !=
            2 ||
        result.rate == 0 || result.rate > 1000) {
        throw std::runtime_error(path + ": codec and rate are missing in the first line");
    }
    result.codec = codec.data();
    const core::Bytes rest{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t at = 0; at < rest.size();) {
        const std::size_t size = at + 4 <= rest.size() ? media::wire::load_u16(&rest[at + 2]) : 0;
        if (size == 0 || size > 1'300 || at + 4 + size > rest.size())
            throw std::runtime_error(path + ": a packet is cut off");
        const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(at + 4);
        result.packets.push_back({.bytes = core::Bytes(begin, begin + static_cast<std::ptrdiff_t>(size)),
                                  .audio_level = rest[at + 1],
                                  .last_of_frame = (rest[at] & 1) != 0,
                                  .key_frame = (rest[at] & 2) != 0});
        at += 4 + size;
    }
    if (result.packets.empty() || !result.packets.back().last_of_frame)
        throw std::runtime_error(path + ": no whole frame at its end");
    if (result.codec != "opus") {
        for (PayloadRecord& record : result.packets) record.bytes.resize(record.bytes.size() + kStampSize);
    }
    result.find_frames();
    return result;
}

void write_payloads(const Payloads& payloads, const std::string& path) {
    std::ofstream out(path, std::ios::binary);
    out << kMagic << payloads.codec << ' ' << payloads.rate << '\n';
    for (const PayloadRecord& record : payloads.packets) {
        const std::size_t size = record.bytes.size() - (payloads.codec == "opus" ? 0 : kStampSize);
        const int flags = (record.last_of_frame ? 1 : 0) | (record.key_frame ? 2 : 0);
        for (const std::size_t byte :
             {static_cast<std::size_t>(flags), std::size_t{record.audio_level}, size >> 8, size & 0xFF}) {
            out.put(static_cast<char>(byte));
        }
        out.write(reinterpret_cast<const char*>(record.bytes.data()), static_cast<std::streamsize>(size));
    }
    if (!out.flush()) throw std::runtime_error(path + ": cannot be written");
}

void set_picture_id(std::span<std::uint8_t> payload, const std::string& codec, std::uint16_t picture_id) {
    const std::size_t at = codec == "vp8" ? 2 : 1;
    const bool has_long_id = codec == "vp8" ? payload.size() > 4 && (payload[0] & 0x80) != 0 && (payload[1] & 0x80) != 0
                             : codec == "vp9" ? payload.size() > 3 && (payload[0] & 0x80) != 0
                                              : false;
    if (has_long_id && (payload[at] & 0x80) != 0)
        media::wire::store_u16(&payload[at], static_cast<std::uint16_t>(0x8000 | picture_id));
}

}  // namespace bench
