// What is agreed on for sound.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/room/negotiation.hpp"
#include "media/room/signalling_test_client.hpp"

namespace media::room {
namespace {

using ::testing::SizeIs;

class NegotiationAudio : public ::testing::Test {
  protected:
    /// The answer to a browser's offer in which `from` has become `to`.
    Answer answer_to(std::string_view from, std::string_view to, bool content = false) {
        std::string text = test::OfferText{}.text();
        if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
        const auto offer = wire::parse_sdp(text);
        EXPECT_TRUE(offer) << text;
        MeetingSettings settings;
        settings.fingerprint_sha256.resize(32);
        settings.udp_candidates = {wire::TransportAddress::v4(127, 0, 0, 1, 5000)};
        const std::vector<StreamId> receive;
        auto answer = negotiation.answer(
            *offer, {.receive = receive, .listed = [](StreamId) { return false; }, .content = content}, settings);
        EXPECT_TRUE(answer);
        return std::move(*answer);
    }
    static std::vector<wire::Codec> codecs(const Answer& answer) {
        return wire::parse_sdp(answer.sdp)->media[0].codecs;
    }

    SsrcSource ssrcs{1};
    Negotiation negotiation{{"ufrag", "passwordpasswordpassword"}, ssrcs};
};

TEST_F(NegotiationAudio, RedIsAcceptedInTheOrderOfTheClient) {
    const Answer answer = answer_to("", "");
    ASSERT_THAT(codecs(answer), SizeIs(2));
    EXPECT_EQ(codecs(answer)[0].name, "red");
    EXPECT_EQ(codecs(answer)[0].fmtp, "111/111");
    EXPECT_EQ(codecs(answer)[1].name, "opus");
    EXPECT_EQ(answer.audio.payload_type, 111);
    EXPECT_EQ(answer.audio.red_payload_type, 63);
    EXPECT_EQ(answer.downlink.audio.payload_type, 111) << "we never send RED";

    const Answer other = answer_to("SAVPF 63 111", "SAVPF 111 63");
    EXPECT_EQ(codecs(other)[0].name, "opus");
    EXPECT_EQ(codecs(other)[1].name, "red");
}

TEST_F(NegotiationAudio, RedAroundSomethingElseIsNot) {
    for (const char* fmtp : {"a=fmtp:63 111/0\r\n", "a=fmtp:63 110/110\r\n", "a=fmtp:63 1111\r\n", ""}) {
        const Answer answer = answer_to("a=fmtp:63 111/111\r\n", fmtp);
        EXPECT_THAT(codecs(answer), SizeIs(1)) << fmtp;
        EXPECT_EQ(answer.audio.red_payload_type, 0) << fmtp;
    }
}

TEST_F(NegotiationAudio, ShareIsAskedForInStereoAndAMicrophoneIsNot) {
    EXPECT_EQ(codecs(answer_to("", ""))[1].fmtp, "minptime=10;useinbandfec=1");
    EXPECT_EQ(codecs(answer_to("", "", true))[1].fmtp, "minptime=10;useinbandfec=1;stereo=1");
    EXPECT_EQ(codecs(answer_to("useinbandfec=1", "stereo=1;maxaveragebitrate=128000", true))[1].fmtp,
              "minptime=10;stereo=1;maxaveragebitrate=128000;useinbandfec=1");
    EXPECT_EQ(codecs(answer_to("a=fmtp:111 minptime=10;useinbandfec=1\r\n", ""))[1].fmtp, "useinbandfec=1");
}

}  // namespace
}  // namespace media::room
