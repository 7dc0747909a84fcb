#include "media/wire/sdp_write.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/wire/testdata.hpp"

namespace media::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

SdpAnswer session() {
    return {.session_id = 11,
            .session_version = 3,
            .ice_ufrag = "ufrag123",
            .ice_pwd = "passwordpasswordpassword",
            .fingerprint_sha256 = core::Bytes(32, 0xAB),
            .udp_candidates = {TransportAddress::v4(192, 0, 2, 1, 8087), *TransportAddress::parse("2001:db8::1", 8087)},
            .tcp_candidates = {TransportAddress::v4(192, 0, 2, 1, 8088)}};
}

/// What a server would make of an offer: takes every line, sends on the lines that only receive.
SdpAnswer answer_to(const SdpOffer& offer) {
    SdpAnswer answer = session();
    answer.extmap_allow_mixed = offer.extmap_allow_mixed;
    for (const auto& line : offer.media) {
        AnswerMedia media{.kind = line.kind,
                          .mid = line.mid,
                          .rejected = line.rejected(),
                          .rejected_formats = line.formats,
                          .direction = reversed(line.direction),
                          .codecs = line.codecs,
                          .extensions = line.extensions,
                          .receive_rids = line.send_rids};
        for (auto& extension : media.extensions) extension.direction = reversed(extension.direction);
        if (line.direction == Direction::recvonly) {
            media.msid_stream = "v_" + line.mid;
            media.msid_track = "track" + line.mid;
            media.ssrc = 1000;
            media.rtx_ssrc = 1001;
        }
        answer.media.push_back(media);
    }
    return answer;
}

TEST(SdpWrite, WritesTheWholeAnswer) {
    SdpAnswer answer = session();
    answer.extmap_allow_mixed = true;
    answer.media = {
        {.kind = MediaKind::audio,
         .mid = "0",
         .direction = Direction::sendrecv,
         .codecs = {{.payload_type = 111,
                     .name = "opus",
                     .clock_rate = 48000,
                     .channels = 2,
                     .fmtp = "minptime=10;useinbandfec=1",
                     .feedback = {"transport-cc"}}},
         .extensions = {{.id = 1, .uri = "urn:level"}, {.id = 2, .uri = "urn:x", .direction = Direction::sendonly}},
         .msid_stream = "a_0",
         .msid_track = "audio0",
         .ssrc = 77},
        {.kind = MediaKind::video, .mid = "3", .rejected = true, .rejected_formats = "96 97"},
        {.kind = MediaKind::video,
         .mid = "4",
         .direction = Direction::sendonly,
         .codecs = {{.payload_type = 98, .name = "VP9", .clock_rate = 90000},
                    {.payload_type = 99, .name = "rtx", .clock_rate = 90000, .fmtp = "apt=98"}},
         .msid_stream = "v_4",
         .msid_track = "t",
         .ssrc = 5,
         .rtx_ssrc = 6}};
    const auto rest_of_transport = [](const std::string& mid) {
        std::string fingerprint;
        for (int i = 0; i < 32; ++i) fingerprint += i == 0 ? "AB" : ":AB";
        return "c=IN IP4 192.0.2.1\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=mid:" + mid +
               "\r\na=ice-ufrag:ufrag123\r\na=ice-pwd:passwordpasswordpassword\r\na=fingerprint:sha-256 " +
               fingerprint +
               "\r\na=setup:passive\r\n"
               "a=candidate:1 1 udp 2130706431 192.0.2.1 8087 typ host\r\n"
               "a=candidate:2 1 udp 2130706175 2001:db8::1 8087 typ host\r\n"
               "a=candidate:3 1 tcp 1671430143 192.0.2.1 8088 typ host tcptype passive\r\n"
               "a=end-of-candidates\r\n";
    };
    EXPECT_EQ(write_answer(answer),
              "v=0\r\no=- 11 3 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 4\r\na=ice-lite\r\n"
              "a=msid-semantic: WMS *\r\na=extmap-allow-mixed\r\n"
              "m=audio 8087 UDP/TLS/RTP/SAVPF 111\r\n" +
                  rest_of_transport("0") +
                  "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
                  "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
                  "a=extmap:1 urn:level\r\na=extmap:2/sendonly urn:x\r\na=sendrecv\r\na=msid:a_0 audio0\r\n"
                  "a=ssrc:77 cname:server\r\na=ssrc:77 msid:a_0 audio0\r\n"
                  "m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\na=inactive\r\n"
                  "m=video 8087 UDP/TLS/RTP/SAVPF 98 99\r\n" +
                  rest_of_transport("4") +
                  "a=rtpmap:98 VP9/90000\r\na=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\na=sendonly\r\n"
                  "a=msid:v_4 t\r\na=ssrc-group:FID 5 6\r\na=ssrc:5 cname:server\r\na=ssrc:5 msid:v_4 t\r\n"
                  "a=ssrc:6 cname:server\r\na=ssrc:6 msid:v_4 t\r\n");
}

TEST(SdpWrite, AnswersToCapturedOffersReadBackAsMeant) {
    for (const auto name : testdata::kOffers) {
        const auto offer = parse_sdp(testdata::offer(name));
        ASSERT_TRUE(offer);
        const auto answer = answer_to(*offer);
        const auto back = parse_sdp(write_answer(answer));
        ASSERT_TRUE(back) << name << ": " << back.error().detail;
        EXPECT_TRUE(back->ice_lite);
        EXPECT_EQ(back->extmap_allow_mixed, offer->extmap_allow_mixed);
        EXPECT_EQ(back->bundle, offer->bundle);
        ASSERT_EQ(back->media.size(), offer->media.size());
        for (std::size_t i = 0; i < back->media.size(); ++i) {
            const auto& line = back->media[i];
            const auto& asked = offer->media[i];
            EXPECT_EQ(line.mid, asked.mid);
            EXPECT_EQ(line.kind, asked.kind);
            EXPECT_EQ(line.rejected(), asked.rejected());
            EXPECT_EQ(line.formats, asked.formats);
            if (line.rejected()) continue;
            EXPECT_EQ(line.direction, reversed(asked.direction));
            EXPECT_EQ(line.port, 8087);
            EXPECT_EQ(line.codecs, asked.codecs);
            EXPECT_EQ(line.extensions, answer.media[i].extensions);
            EXPECT_EQ(line.receive_rids, asked.send_rids);
            EXPECT_EQ(line.ice_ufrag, "ufrag123");
            EXPECT_EQ(line.fingerprints[0].digest, core::Bytes(32, 0xAB));
            EXPECT_EQ(line.setup, "passive");
            EXPECT_TRUE(line.rtcp_mux);
            if (asked.direction == Direction::recvonly) {
                EXPECT_EQ(line.msid_stream, "v_" + asked.mid);
                EXPECT_THAT(line.ssrcs, ElementsAre(1000U, 1001U));
                EXPECT_EQ(line.rtx_ssrc(1000), 1001U);
            } else {
                EXPECT_TRUE(line.ssrcs.empty());
            }
        }
    }
}

TEST(SdpWrite, SimulcastNamesItsLayersInOrder) {
    SdpAnswer answer = session();
    answer.media = {{.mid = "1", .direction = Direction::sendrecv, .receive_rids = {"low", "mid", "hi"}}};
    const auto text = write_answer(answer);
    EXPECT_THAT(text,
                HasSubstr("a=rid:low recv\r\na=rid:mid recv\r\na=rid:hi recv\r\na=simulcast:recv low;mid;hi\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("a=ssrc")));
    EXPECT_THAT(text, Not(HasSubstr("extmap-allow-mixed")));
}

TEST(SdpWrite, WorksWithTcpAloneAndWithoutAnyCandidate) {
    SdpAnswer answer = session();
    answer.media = {{.mid = "1"}};
    answer.udp_candidates.clear();
    EXPECT_THAT(write_answer(answer), HasSubstr("m=video 8088 "));
    EXPECT_THAT(write_answer(answer), Not(HasSubstr(" udp ")));
    answer.tcp_candidates.clear();
    EXPECT_THAT(write_answer(answer), HasSubstr("m=video 9 "));
    answer.udp_candidates = {*TransportAddress::parse("2001:db8::1", 5)};
    EXPECT_THAT(write_answer(answer), HasSubstr("c=IN IP6 2001:db8::1\r\n"));
}

TEST(SdpWrite, RejectsDataChannelsInTheirOwnWords) {
    SdpAnswer answer = session();
    answer.media = {{.kind = MediaKind::other,
                     .mid = "2",
                     .rejected = true,
                     .type = "application",
                     .protocol = "UDP/DTLS/SCTP",
                     .rejected_formats = "webrtc-datachannel"}};
    EXPECT_THAT(write_answer(answer), HasSubstr("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    EXPECT_THAT(write_answer(answer), HasSubstr("a=group:BUNDLE\r\n"));
}

}  // namespace
}  // namespace media::wire
