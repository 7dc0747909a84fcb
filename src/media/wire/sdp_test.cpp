#include "media/wire/sdp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/wire/rtp_extensions.hpp"
#include "media/wire/testdata.hpp"

namespace media::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SdpOffer read(std::string_view name) {
    auto offer = parse_sdp(testdata::offer(name));
    EXPECT_TRUE(offer) << name << ": " << (offer ? "" : offer.error().detail);
    return offer ? *offer : SdpOffer{};
}

/// A small offer with these lines behind its only media line.
std::string small(std::string_view lines) {
    return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
           "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:0\r\n" +
           std::string(lines);
}

void expect_refused(const std::string& text, std::string_view complaint) {
    const auto offer = parse_sdp(text);
    ASSERT_FALSE(offer) << complaint;
    EXPECT_EQ(offer.error().kind, core::ErrorKind::invalid);
    EXPECT_THAT(offer.error().detail, HasSubstr(std::string(complaint)));
}

TEST(Sdp, EveryCapturedOfferIsUsable) {
    for (const auto name : testdata::kOffers) {
        const auto offer = read(name);
        ASSERT_FALSE(offer.media.empty()) << name;
        std::size_t alive = 0;
        for (const auto& media : offer.media) {
            EXPECT_NE(media.kind, MediaKind::other);
            EXPECT_FALSE(media.mid.empty());
            const bool bundled = std::ranges::find(offer.bundle, media.mid) != offer.bundle.end();
            EXPECT_EQ(bundled, !media.rejected()) << name << " " << media.mid;
            if (media.rejected()) continue;
            ++alive;
            EXPECT_GE(media.ice_ufrag.size(), 4U);
            EXPECT_GE(media.ice_pwd.size(), 22U);
            ASSERT_EQ(media.fingerprints.size(), 1U) << name;
            EXPECT_EQ(media.fingerprints[0].algorithm, "sha-256");
            EXPECT_EQ(media.fingerprints[0].digest.size(), 32U);
            EXPECT_EQ(media.setup, "actpass");
            EXPECT_TRUE(media.rtcp_mux);
            EXPECT_TRUE(media.extmap_allow_mixed);
            EXPECT_TRUE(media.extension_id(extension_uri::kMid));
            EXPECT_FALSE(media.codecs.empty());
            for (const auto& codec : media.codecs) EXPECT_FALSE(codec.name.empty());
        }
        EXPECT_EQ(alive, offer.bundle.size());
    }
}

TEST(Sdp, ReadsAChromiumCamera) {
    const auto offer = read("chromium-camera");
    EXPECT_EQ(offer.session_id, 3834447368026695950U);
    EXPECT_EQ(offer.session_version, 3U);
    EXPECT_THAT(offer.bundle, ElementsAre("0", "1"));
    ASSERT_EQ(offer.media.size(), 2U);
    const auto& audio = offer.media[0];
    EXPECT_EQ(audio.kind, MediaKind::audio);
    EXPECT_EQ(audio.port, 45934);
    EXPECT_EQ(audio.connection_address, "192.0.2.2");
    EXPECT_EQ(audio.direction, Direction::sendrecv);
    EXPECT_EQ(audio.ice_ufrag, "IjFe");
    EXPECT_EQ(audio.ice_pwd, "+skdghAzvfwAfEh3V+upubEs");
    EXPECT_EQ(audio.fingerprints[0].digest[0], 0x99);
    EXPECT_EQ(audio.fingerprints[0].digest[31], 0x39);
    EXPECT_THAT(audio.ssrcs, ElementsAre(1286546886U));
    EXPECT_EQ(audio.cname, "vVsA+se1jRTNsYQh");
    EXPECT_EQ(audio.msid_track, "b38cf2c0-3933-4c40-9bff-309ad401c12f");
    ASSERT_EQ(audio.codecs.size(), 8U);
    EXPECT_EQ(audio.codecs[0].name, "red");
    const auto& opus = audio.codecs[1];
    EXPECT_EQ(opus, (Codec{.payload_type = 111,
                           .name = "opus",
                           .clock_rate = 48000,
                           .channels = 2,
                           .fmtp = "minptime=10;useinbandfec=1",
                           .feedback = {"transport-cc"}}));
    EXPECT_EQ(audio.extension_id(extension_uri::kAudioLevel), 1);

    const auto& camera = offer.media[1];
    EXPECT_EQ(camera.kind, MediaKind::video);
    EXPECT_EQ(camera.mid, "1");
    ASSERT_EQ(camera.codecs.size(), 23U);
    EXPECT_EQ(camera.codecs[0].payload_type, 98);
    EXPECT_TRUE(camera.codecs[0].has_feedback("nack pli"));
    EXPECT_TRUE(camera.codecs[0].has_feedback("transport-cc"));
    EXPECT_EQ(find_rtx(camera.codecs, 98)->payload_type, 99);
    EXPECT_THAT(camera.ssrcs, ElementsAre(1223385995U, 2427062969U));
    EXPECT_EQ(camera.rtx_ssrc(1223385995), 2427062969U);
    EXPECT_FALSE(camera.rtx_ssrc(2427062969));
    EXPECT_FALSE(camera.extension_id(extension_uri::kTransportSequence));
    EXPECT_EQ(camera.extension_id(extension_uri::kRid), 10);
}

TEST(Sdp, ReadsFirefoxWithPortZeroAndSessionFingerprint) {
    const auto offer = read("firefox-camera");
    ASSERT_EQ(offer.media.size(), 2U);
    const auto& audio = offer.media[0];
    EXPECT_EQ(audio.fingerprints, offer.media[1].fingerprints);
    EXPECT_EQ(audio.fingerprints[0].digest[0], 0x95);
    EXPECT_EQ(audio.extensions[1].direction, Direction::recvonly);
    EXPECT_EQ(audio.extensions[1].uri, "urn:ietf:params:rtp-hdrext:csrc-audio-level");
    EXPECT_EQ(audio.extension_id(extension_uri::kTransportSequence), 7);
    const auto& camera = offer.media[1];
    EXPECT_EQ(camera.port, 0);
    EXPECT_TRUE(camera.bundle_only);
    EXPECT_FALSE(camera.rejected());
    EXPECT_EQ(camera.direction, Direction::sendrecv);
    EXPECT_EQ(camera.codecs[1].fmtp, "max-fs=12288;max-fr=60");  // fmtp stands before rtpmap there
    EXPECT_EQ(camera.codecs[1].name, "VP8");
    EXPECT_EQ(camera.rtx_ssrc(3334447436), 1305273701U);
    EXPECT_EQ(read("firefox-first").media[1].direction, Direction::inactive);
}

TEST(Sdp, PayloadTypesMapAcrossBrowsers) {
    const auto chromium = read("chromium-camera");
    const auto firefox = read("firefox-camera");
    const auto payload_type_in_firefox = [&](std::uint8_t chromium_type) {
        const auto& codecs = chromium.media[1].codecs;
        const auto codec = std::ranges::find(codecs, chromium_type, &Codec::payload_type);
        const auto* const found = find_codec(firefox.media[1].codecs, codec_identity(*codec));
        return found == nullptr ? 0 : found->payload_type;
    };
    EXPECT_EQ(payload_type_in_firefox(98), 121);  // VP9 profile 0
    EXPECT_EQ(payload_type_in_firefox(96), 120);  // VP8
    EXPECT_EQ(payload_type_in_firefox(45), 99);   // AV1
    EXPECT_EQ(payload_type_in_firefox(100), 0);   // VP9 profile 2
}

TEST(Sdp, ReadsStoppedAndRecycledLines) {
    const auto stopped = read("chromium-stopped");
    ASSERT_EQ(stopped.media.size(), 4U);
    EXPECT_TRUE(stopped.media[2].rejected());
    EXPECT_TRUE(stopped.media[3].rejected());
    EXPECT_EQ(stopped.media[2].direction, Direction::inactive);
    EXPECT_THAT(stopped.bundle, ElementsAre("0", "1"));
    const auto recycled = read("chromium-recycled");
    EXPECT_EQ(recycled.media[2].mid, "4");
    EXPECT_EQ(recycled.media[2].direction, Direction::recvonly);
    EXPECT_FALSE(recycled.media[2].rejected());
    EXPECT_EQ(recycled.media[3].mid, "3");
    EXPECT_TRUE(recycled.media[3].rejected());
}

TEST(Sdp, ReadsSimulcast) {
    const auto offer = read("chromium-simulcast");
    const auto& camera = offer.media[1];
    EXPECT_THAT(camera.send_rids, ElementsAre("low", "mid", "hi"));
    ASSERT_EQ(camera.simulcast_send.size(), 3U);
    EXPECT_EQ(camera.simulcast_send[0].rid, "low");
    EXPECT_FALSE(camera.simulcast_send[0].paused);
    EXPECT_EQ(camera.simulcast_send[1].rid, "mid");
    EXPECT_TRUE(camera.simulcast_send[1].paused);
    EXPECT_TRUE(camera.ssrcs.empty());
}

TEST(Sdp, ReadsLayersAndVideoOnly) {
    const auto layers = read("chromium-share-layers");
    EXPECT_EQ(layers.media[1].extension_id(extension_uri::kDependencyDescriptor), 12);
    const auto video_only = read("chromium-video-only");
    ASSERT_EQ(video_only.media.size(), 1U);
    EXPECT_EQ(video_only.media[0].kind, MediaKind::video);
}

TEST(Sdp, TheSessionSpeaksForItsLines) {
    const auto offer = parse_sdp(
        "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nc=IN IP4 192.0.2.9\nt=0 "
        "0\na=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n"
        "a=fingerprint:SHA-256 0A:0b\na=setup:actpass\na=inactive\na=extmap-allow-mixed\na=ice-lite\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 0 96\na=mid:a\n"
        "m=audio 9/2 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 192.0.2.10\na=mid:b\na=sendonly\na=ice-ufrag:efgh\n"
        "a=ice-pwd:abcdefghijklmnopqrstuv\na=fingerprint:sha-1 01\na=setup:active\na=rtcp-fb:* nack\n"
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:c\n");
    ASSERT_TRUE(offer);
    EXPECT_TRUE(offer->ice_lite);
    EXPECT_TRUE(offer->extmap_allow_mixed);
    const auto& a = offer->media[0];
    EXPECT_EQ(a.ice_ufrag, "abcd");
    EXPECT_EQ(a.ice_pwd, "0123456789012345678901");
    EXPECT_EQ(a.fingerprints[0], (Fingerprint{.algorithm = "sha-256", .digest = {0x0A, 0x0B}}));
    EXPECT_EQ(a.setup, "actpass");
    EXPECT_EQ(a.direction, Direction::inactive);
    EXPECT_EQ(a.connection_address, "192.0.2.9");
    EXPECT_EQ(a.codecs[0].name, "PCMU");
    EXPECT_EQ(a.codecs[1].name, "");
    const auto& b = offer->media[1];
    EXPECT_EQ(b.ice_ufrag, "efgh");
    EXPECT_EQ(b.ice_pwd, "abcdefghijklmnopqrstuv");
    EXPECT_EQ(b.fingerprints.size(), 1U);
    EXPECT_EQ(b.fingerprints[0].algorithm, "sha-1");
    EXPECT_EQ(b.setup, "active");
    EXPECT_EQ(b.direction, Direction::sendonly);
    EXPECT_EQ(b.connection_address, "192.0.2.10");
    EXPECT_THAT(b.codecs[0].feedback, ElementsAre("nack"));
    EXPECT_EQ(offer->media[2].kind, MediaKind::other);
    EXPECT_EQ(offer->media[2].type, "application");
    EXPECT_EQ(offer->media[2].formats, "webrtc-datachannel");
}

TEST(Sdp, ErrorsNameLineAndReasonButNotTheText) {
    const auto offer = parse_sdp(small("a=ice-pwd:tooshort\r\n"));
    ASSERT_FALSE(offer);
    EXPECT_THAT(offer.error().detail, HasSubstr("SDP line 7: ice-pwd"));
    EXPECT_THAT(offer.error().detail, testing::Not(HasSubstr("tooshort")));
}

TEST(Sdp, RefusesWhatItCannotRead) {
    expect_refused("", "no media line");
    expect_refused("v=1\r\n", "not version 0");
    expect_refused("hello", "line 1");
    expect_refused(small("nonsense\r\n"), "not of the form");
    expect_refused(small("a=fmtp:96 a\x01z\r\n"), "control character");
    expect_refused(small("o=x y z\r\n"), "origin");
    expect_refused(small("c=IN\r\n"), "connection");
    expect_refused(small("m=video x UDP/TLS/RTP/SAVPF 96\r\n"), "media line");
    expect_refused(small("m=video 9 UDP/TLS/RTP/SAVPF\r\n"), "media line");
    expect_refused(small("m=video 70000 UDP/TLS/RTP/SAVPF 96\r\n"), "media line");
    expect_refused(small("m=video 9 UDP/TLS/RTP/SAVPF 128\r\n"), "payload type");
    expect_refused(small("m=video 9 UDP/TLS/RTP/SAVPF x\r\n"), "payload type");
    expect_refused(small("m=video 9 UDP/TLS/RTP/SAVPF 96 96\r\n"), "repeated payload type");
    expect_refused(small("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendrecv\r\n"), "without mid");
    expect_refused(small("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"), "repeated mid");
    expect_refused(small("a=mid:a b\r\n"), "mid");
    expect_refused("v=0\r\na=mid:0\r\n", "mid outside");
    expect_refused(small("a=rtpmap:96 VP8\r\n"), "rtpmap");
    expect_refused(small("a=rtpmap:96 opus/48000/0\r\n"), "rtpmap");
    expect_refused(small("a=fmtp:96 " + std::string(1025, 'x') + "\r\n"), "fmtp");
    expect_refused(small("a=extmap:0 urn:x\r\n"), "extmap");
    expect_refused(small("a=extmap:1/up urn:x\r\n"), "extmap");
    expect_refused(small("a=extmap:1 urn:x\r\na=extmap:1 urn:y\r\n"), "repeated header extension");
    expect_refused(small("a=ssrc:x cname:y\r\n"), "ssrc");
    expect_refused(small("a=ssrc-group:FID 1 x\r\n"), "ssrc group");
    expect_refused(small("a=ssrc-group:SIM 1 2 3 4 5 6 7 8 9\r\n"), "ssrc group");
    expect_refused(small("a=rid:a\r\n"), "rid");
    expect_refused(small("a=rid:a;b send\r\n"), "rid");
    expect_refused(small("a=simulcast:send a;;b\r\n"), "simulcast");
    expect_refused(small("a=ice-ufrag:abc\r\n"), "ice-ufrag");
    expect_refused(small("a=ice-ufrag:ab:cd\r\n"), "ice-ufrag");
    expect_refused(small("a=fingerprint:sha-256\r\n"), "fingerprint");
    expect_refused(small("a=fingerprint:sha-256 0\r\n"), "fingerprint");
    expect_refused(small("a=fingerprint:sha-256 00:+1\r\n"), "fingerprint");
    expect_refused(small("a=setup:maybe\r\n"), "setup");
}

TEST(Sdp, EverythingIsBounded) {
    const auto times = [](std::size_t count, auto line) {
        std::string lines;
        for (std::size_t i = 0; i < count; ++i) lines += line(std::to_string(i));
        return lines;
    };
    expect_refused(std::string(kMaxSdpSize + 1, 'v'), "too large");
    expect_refused(small("a=x:" + std::string(kMaxSdpLine, 'x')), "too long");
    expect_refused(small(std::string(kMaxSdpLines, '\n')), "too many lines");
    const auto media_lines = [&](std::size_t count) {
        return small(times(count, [](const auto& i) { return "m=video 9 RTP/AVP 96\r\na=mid:m" + i + "\r\n"; }));
    };
    EXPECT_TRUE(parse_sdp(media_lines(kMaxMediaLines - 1)));
    expect_refused(media_lines(kMaxMediaLines), "too many media lines");
    expect_refused(
        small(times(kMaxExtensionsPerLine + 1, [](const auto& i) { return "a=extmap:1" + i + " urn:x\r\n"; })),
        "too many header extensions");
    expect_refused(small(times(kMaxSsrcsPerLine + 1, [](const auto& i) { return "a=ssrc:" + i + " cname:c\r\n"; })),
                   "too many ssrcs");
    expect_refused(small(times(17, [](const auto&) { return "a=ssrc-group:FID 1 2\r\n"; })), "too many ssrc groups");
    expect_refused(small(times(kMaxRidsPerLine + 1, [](const auto& i) { return "a=rid:r" + i + " send\r\n"; })),
                   "too many rids");
    expect_refused(small(times(5, [](const auto&) { return "a=fingerprint:sha-256 00\r\n"; })),
                   "too many fingerprints");
    const auto feedback = parse_sdp(small(times(100, [](const auto& i) { return "a=rtcp-fb:* x" + i + "\r\n"; })));
    ASSERT_TRUE(feedback);
    EXPECT_LE(feedback->media[0].codecs[0].feedback.size(), 12U);
}

TEST(Sdp, AttributesNobodyKnowsAreLeftAlone) {
    const auto offer =
        parse_sdp(small("a=candidate:junk\r\na=new-thing:x\r\na=rtpmap:50 X/1\r\na=extmap:4096 urn:x\r\nb=AS:1\r\n"));
    ASSERT_TRUE(offer);
    EXPECT_TRUE(offer->media[0].extensions.empty());
    EXPECT_EQ(offer->media[0].codecs.size(), 2U);
}

TEST(Sdp, TruncatedAtEveryLengthDoesNoHarm) {
    for (const auto* name : {"firefox-camera", "chromium-simulcast"}) {
        const auto text = testdata::offer(name);
        const std::size_t step = text.size() > 4000 ? 37 : 1;
        for (std::size_t size = 0; size < text.size(); size += step) {
            const auto cut = text.substr(0, size);
            const auto offer = parse_sdp(cut);
            EXPECT_TRUE(offer || !offer.error().detail.empty());
        }
    }
}

TEST(Sdp, Directions) {
    EXPECT_EQ(reversed(Direction::sendonly), Direction::recvonly);
    EXPECT_EQ(reversed(Direction::recvonly), Direction::sendonly);
    EXPECT_EQ(reversed(Direction::sendrecv), Direction::sendrecv);
    EXPECT_EQ(reversed(Direction::inactive), Direction::inactive);
    EXPECT_TRUE(sends(Direction::sendonly) && !receives(Direction::sendonly));
    EXPECT_TRUE(receives(Direction::sendrecv) && !receives(Direction::inactive));
}

}  // namespace
}  // namespace media::wire
