#include "media/wire/codec.hpp"

#include <gtest/gtest.h>

#include <map>

#include "media/wire/codec_payload.hpp"
#include "media/wire/rtp.hpp"
#include "media/wire/testdata.hpp"

namespace media::wire {
namespace {

using testdata::from_hex;

Codec codec(std::string name, std::string fmtp = {}) {
    return {.payload_type = 96, .name = std::move(name), .clock_rate = 90000, .fmtp = std::move(fmtp)};
}

CodecIdentity identity(std::string name, std::string fmtp = {}) {
    return codec_identity(codec(std::move(name), std::move(fmtp)));
}

TEST(Codec, ReadsFmtpParameters) {
    constexpr std::string_view kFmtp = "level-asymmetry-allowed=1; Packetization-Mode=1 ;profile-level-id=42e01f;flag;";
    EXPECT_EQ(fmtp_parameter(kFmtp, "packetization-mode"), "1");
    EXPECT_EQ(fmtp_parameter(kFmtp, "profile-level-id"), "42e01f");
    EXPECT_FALSE(fmtp_parameter(kFmtp, "flag"));
    EXPECT_FALSE(fmtp_parameter(kFmtp, "profile"));
    EXPECT_FALSE(fmtp_parameter("", "x"));
    EXPECT_EQ(fmtp_parameter("x=", "x"), "");
}

TEST(Codec, BrowsersWordTheSameCodecDifferently) {
    EXPECT_EQ(identity("VP9", "profile-id=0;x-google-start-bitrate=1000"), identity("VP9", "max-fs=12288;max-fr=60"));
    EXPECT_EQ(identity("AV1", "level-idx=5;profile=0;tier=0"), identity("AV1"));
    EXPECT_EQ(identity("VP8", "max-fs=12288;max-fr=60"), identity("vp8"));
    EXPECT_EQ(identity("H264", "profile-level-id=42e01f;packetization-mode=1"),
              identity("H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42E034"));
    EXPECT_NE(identity("VP9", "profile-id=0"), identity("VP9", "profile-id=2"));
    EXPECT_NE(identity("H264", "profile-level-id=42e01f;packetization-mode=1"),
              identity("H264", "profile-level-id=42e01f;packetization-mode=0"));
    EXPECT_NE(identity("H264", "profile-level-id=42e01f;packetization-mode=1"),
              identity("H264", "profile-level-id=42001f;packetization-mode=1"));
    EXPECT_EQ(identity("H264").h264_profile, 0x4200);
    EXPECT_EQ(identity("H264", "profile-level-id=zz").h264_profile, 0x4200);
    EXPECT_NE(identity("VP8"), identity("VP9"));
}

TEST(Codec, CapabilityNumbers) {
    const auto h264 = [](const char* profile) {
        return codec_capability(identity("H264", std::string("packetization-mode=1;profile-level-id=") + profile));
    };
    EXPECT_EQ(codec_capability(identity("VP8")), 1U);
    EXPECT_EQ(h264("42001f"), 2U);
    EXPECT_EQ(h264("42e01f"), 3U);
    EXPECT_EQ(h264("4d001f"), 4U);
    EXPECT_EQ(h264("64001f"), 5U);
    EXPECT_EQ(h264("640c1f"), 6U);
    EXPECT_FALSE(h264("f4001f"));
    EXPECT_FALSE(codec_capability(identity("H264", "packetization-mode=0;profile-level-id=42e01f")));
    EXPECT_EQ(codec_capability(identity("VP9")), 8U);
    EXPECT_FALSE(codec_capability(identity("VP9", "profile-id=2")));
    EXPECT_EQ(codec_capability(identity("AV1")), 11U);
    EXPECT_FALSE(codec_capability(identity("rtx", "apt=96")));
    EXPECT_FALSE(codec_capability(identity("opus")));
}

TEST(Codec, FindsCodecsAndTheirRtx) {
    std::vector<Codec> codecs{codec("VP9", "profile-id=2"), codec("VP9"), codec("rtx", "apt=98"),
                              codec("rtx", "apt=x")};
    codecs[0].payload_type = 100;
    codecs[1].payload_type = 98;
    codecs[2].payload_type = 99;
    EXPECT_EQ(find_codec(codecs, identity("VP9", "profile-id=0"))->payload_type, 98);
    EXPECT_EQ(find_codec(codecs, identity("AV1")), nullptr);
    EXPECT_EQ(find_rtx(codecs, 98)->payload_type, 99);
    EXPECT_EQ(find_rtx(codecs, 100), nullptr);
    EXPECT_EQ(rtx_apt(codecs[2]), 98);
    EXPECT_FALSE(rtx_apt(codecs[3]));
    EXPECT_FALSE(rtx_apt(codecs[0]));
}

TEST(CodecPayload, Vp8) {
    EXPECT_TRUE(starts_keyframe(CodecKind::vp8, from_hex("10 00")));
    EXPECT_FALSE(starts_keyframe(CodecKind::vp8, from_hex("10 01")));  // P = 1
    EXPECT_FALSE(starts_keyframe(CodecKind::vp8, from_hex("00 00")));  // not the start
    EXPECT_FALSE(starts_keyframe(CodecKind::vp8, from_hex("11 00")));  // partition 1
    EXPECT_TRUE(starts_keyframe(CodecKind::vp8, from_hex("90 80 05 00")));
    EXPECT_TRUE(starts_keyframe(CodecKind::vp8, from_hex("90 f0 8005 07 40 00")));
    EXPECT_EQ(parse_vp8(from_hex("90 f0 8005 07 80 00"))->temporal_id, 2);
    EXPECT_FALSE(parse_vp8(from_hex("90 f0 8005 07 80")));
    EXPECT_FALSE(parse_vp8({}));
}

TEST(CodecPayload, Vp9) {
    // I, F, B, E with a two-byte picture id.
    const auto plain = parse_vp9(from_hex("9c 8123"));
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->picture_id, 0x0123);
    EXPECT_TRUE(plain->flexible && plain->start_of_frame && plain->end_of_frame && plain->starts_keyframe());
    EXPECT_FALSE(plain->layered);
    // I, P, L, F, B with TID 2, U, SID 1, D.
    const auto layer = parse_vp9(from_hex("f8 05 53"));
    ASSERT_TRUE(layer);
    EXPECT_EQ(layer->picture_id, 5);
    EXPECT_EQ(layer->temporal_id, 2);
    EXPECT_EQ(layer->spatial_id, 1);
    EXPECT_TRUE(layer->switching_up && layer->inter_layer && layer->inter_predicted);
    EXPECT_FALSE(layer->starts_keyframe());
    EXPECT_FALSE(starts_keyframe(CodecKind::vp9, from_hex("a8 05 03")));  // key picture, but its second layer
    EXPECT_TRUE(starts_keyframe(CodecKind::vp9, from_hex("a8 05 00")));
    EXPECT_FALSE(parse_vp9(from_hex("9c 81")));
    EXPECT_FALSE(parse_vp9(from_hex("b8 05")));
    EXPECT_FALSE(parse_vp9({}));
}

TEST(CodecPayload, H264) {
    const auto key = [](std::string_view hex) { return starts_keyframe(CodecKind::h264, from_hex(hex)); };
    EXPECT_TRUE(key("65 88"));   // IDR
    EXPECT_FALSE(key("41 9a"));  // not IDR
    EXPECT_TRUE(key("67 42"));   // SPS
    EXPECT_TRUE(key("78 0002 6742 0002 68ce 0002 6588"));
    EXPECT_FALSE(key("78 0002 4142 0002 68ce"));
    EXPECT_FALSE(key("78 0009 6742"));  // the unit reaches beyond the packet
    EXPECT_FALSE(key("78 0000 0001 65"));
    EXPECT_TRUE(key("7c 85 88"));   // FU-A, first fragment of an IDR
    EXPECT_FALSE(key("7c 05 88"));  // a later one
    EXPECT_FALSE(key("7c"));
    EXPECT_FALSE(key(""));
}

TEST(CodecPayload, Av1AndOthers) {
    EXPECT_TRUE(starts_keyframe(CodecKind::av1, from_hex("08 0a")));
    EXPECT_FALSE(starts_keyframe(CodecKind::av1, from_hex("10 32")));
    EXPECT_FALSE(starts_keyframe(CodecKind::av1, from_hex("88 0a")));
    EXPECT_FALSE(starts_keyframe(CodecKind::av1, from_hex("08")));
    EXPECT_FALSE(starts_keyframe(CodecKind::opus, from_hex("08 0a")));
}

TEST(CodecPayload, KeyframesOfCapturedStreamsAreFoundAtTheFirstPacket) {
    struct Stream {
        const char* file;
        std::uint8_t payload_type;
        CodecKind codec;
        int keyframes;  // The AV1 excerpt ends with one that a receiver had asked for.
    };
    for (const auto& [name, payload_type, kind, expected] :
         {Stream{"rtp-vp9.bin", 98, CodecKind::vp9, 1}, Stream{"rtp-av1.bin", 45, CodecKind::av1, 2}}) {
        int frames = 0;
        int keyframes = 0;
        std::optional<std::uint32_t> timestamp;
        for (const auto& bytes : testdata::packet_records(name)) {
            const auto view = RtpView::parse(bytes);
            if (!view || view->payload_type() != payload_type || view->padding_only()) continue;
            const bool new_frame = timestamp != view->timestamp();
            timestamp = view->timestamp();
            const bool key = starts_keyframe(kind, view->payload());
            if (frames == 0) EXPECT_TRUE(key) << name;
            EXPECT_FALSE(key && !new_frame) << name;
            frames += new_frame ? 1 : 0;
            keyframes += key ? 1 : 0;
        }
        EXPECT_GT(frames, 3) << name;
        EXPECT_EQ(keyframes, expected) << name;
    }
}

TEST(CodecPayload, NoiseDoesNoHarm) {
    for (unsigned first = 0; first < 256; ++first) {
        for (std::size_t size = 0; size < 8; ++size) {
            const core::Bytes payload(size, static_cast<std::uint8_t>(first));
            for (const auto kind : {CodecKind::vp8, CodecKind::vp9, CodecKind::h264, CodecKind::av1}) {
                EXPECT_FALSE(starts_keyframe(kind, payload) && payload.empty());
            }
        }
    }
}

}  // namespace
}  // namespace media::wire
