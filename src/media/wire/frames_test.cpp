#include "media/wire/frames.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "media/wire/sdp.hpp"
#include "media/wire/testdata.hpp"

namespace media::wire {
namespace {

std::string message(std::string_view hex) {
    return std::string(core::as_text(testdata::from_hex(hex)));
}

TEST(Frames, ReadsWhatBrowsersSend) {
    std::map<int, int> seen;
    for (const auto& bytes : testdata::hex_lines("frames.txt")) {
        const auto frame = unwrap_frame(core::as_text(bytes));
        ASSERT_TRUE(frame);
        ASSERT_TRUE(frame->has_type());
        EXPECT_GT(frame->timestamp_ms(), 1'700'000'000'000U);
        ++seen[frame->type()];
        switch (frame->type()) {
            case proto::Frame::JOIN:
                EXPECT_EQ(frame->join().protocol_version(), 2U);
                EXPECT_EQ(frame->join().flags(), 2U);
                EXPECT_TRUE(frame->join().wants_compressed_sdp());
                EXPECT_EQ(frame->join().server_side_network_adaption(), proto::ADAPTION_DEFAULT);
                EXPECT_NE(frame->join().audio_session_id(), 0U);
                EXPECT_EQ(frame->join().client_details().chime_sdk_version(), "3.32.0");
                break;
            case proto::Frame::SUBSCRIBE: {
                const auto offer = parse_sdp(frame->sub().sdp_offer());
                ASSERT_TRUE(offer);
                std::ptrdiff_t video = std::ranges::count(offer->media, MediaKind::video, &MediaDescription::kind);
                EXPECT_EQ(frame->sub().receive_stream_ids_size(), video);
                ASSERT_GE(frame->sub().send_streams_size(), 1);
                EXPECT_EQ(frame->sub().send_streams(0).media_type(), proto::AUDIO);
                EXPECT_EQ(frame->sub().send_streams(0).track_label(), "AmazonChimeExpressAudio");
                EXPECT_TRUE(frame->sub().has_duplex());
                EXPECT_TRUE(frame->sub().has_audio_muted());
                break;
            }
            case proto::Frame::PING_PONG:
                EXPECT_EQ(frame->ping_pong().type(), proto::PingPong::PING);
                EXPECT_GE(frame->ping_pong().ping_id(), 1U);
                break;
            case proto::Frame::AUDIO_CONTROL:
                EXPECT_TRUE(frame->audio_control().has_muted());
                break;
            case proto::Frame::DATA_MESSAGE:
                ASSERT_EQ(frame->data_message().messages_size(), 1);
                EXPECT_FALSE(frame->data_message().messages(0).topic().empty());
                EXPECT_FALSE(frame->data_message().messages(0).data().empty());
                break;
            case proto::Frame::PAUSE:
            case proto::Frame::RESUME:
                EXPECT_EQ(frame->pause().stream_ids_size(), 1);
                break;
            default:
                break;
        }
    }
    for (const auto type : {proto::Frame::JOIN, proto::Frame::SUBSCRIBE, proto::Frame::PING_PONG,
                            proto::Frame::AUDIO_CONTROL, proto::Frame::DATA_MESSAGE, proto::Frame::PAUSE,
                            proto::Frame::RESUME, proto::Frame::LEAVE, proto::Frame::CLIENT_METRIC}) {
        EXPECT_GT(seen[type], 0) << type;
    }
}

TEST(Frames, FieldNumbersAreTheClientsOwn) {
    // Written by hand after the protocol's table: time 1, type 5, at_capacity false, one source, participants 2.
    auto index = make_frame(proto::Frame::INDEX, core::Time(std::chrono::milliseconds(1)));
    index.mutable_index()->set_at_capacity(false);
    auto* const source = index.mutable_index()->add_sources();
    source->set_stream_id(101);
    source->set_group_id(7);
    source->set_media_type(proto::VIDEO);
    index.mutable_index()->set_num_participants(2);
    index.mutable_index()->add_supported_receive_codec_intersection(proto::CAPABILITY_VP9_PROFILE_0);
    EXPECT_EQ(wrap_frame(index), message("05 0801 1005 420e 0800 1206 0865 3007 4802 2002 2808"));

    auto info = make_frame(proto::Frame::AUDIO_STREAM_ID_INFO, core::Time(std::chrono::milliseconds(1)));
    auto* const stream = info.mutable_audio_stream_id_info()->add_streams();
    stream->set_audio_stream_id(3);
    stream->set_muted(false);  // Explicit: the client tells it from absent.
    EXPECT_EQ(wrap_frame(info), message("05 0801 1012 9a01 06 0a04 0803 1800"));

    auto ack = make_frame(proto::Frame::SUBSCRIBE_ACK, core::Time(std::chrono::milliseconds(1)));
    auto* const track = ack.mutable_suback()->add_tracks();
    track->set_stream_id(1);
    track->set_ssrc(2);
    track->set_track_label("v");
    EXPECT_EQ(wrap_frame(ack), message("05 0801 1004 3a09 2207 0801 1002 1a0176"));
}

TEST(Frames, RoundTrip) {
    auto frame = make_frame(proto::Frame::JOIN_ACK, core::Time(std::chrono::microseconds(1'753'000'000'123'456)));
    frame.mutable_joinack()->mutable_turn_credentials()->set_ttl(0);
    frame.mutable_error()->set_status(403);
    const auto text = wrap_frame(frame);
    EXPECT_EQ(text[0], 5);
    const auto back = unwrap_frame(text);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->timestamp_ms(), 1'753'000'000'123U);
    EXPECT_EQ(back->type(), proto::Frame::JOIN_ACK);
    EXPECT_TRUE(back->joinack().turn_credentials().has_ttl());
    EXPECT_FALSE(back->joinack().has_wants_compressed_sdp());
    EXPECT_EQ(back->error().status(), 403U);
}

TEST(Frames, AnyTypeByteIsTakenOff) {
    for (const char* hex : {"05 0801 1009", "02 0801 1009", "ff 0801 1009"}) {
        const auto frame = unwrap_frame(message(hex));
        ASSERT_TRUE(frame);
        EXPECT_EQ(frame->type(), proto::Frame::LEAVE);
    }
}

TEST(Frames, UnknownTypesAndFieldsAreNoError) {
    const auto unknown_type = unwrap_frame(message("05 0801 10c801"));
    ASSERT_TRUE(unknown_type);
    EXPECT_FALSE(unknown_type->has_type());
    const auto unknown_field = unwrap_frame(message("05 0801 1009 f80705"));
    ASSERT_TRUE(unknown_field);
    EXPECT_EQ(unknown_field->type(), proto::Frame::LEAVE);
}

TEST(Frames, RefusesEmptyLargeDeepAndBrokenMessages) {
    EXPECT_FALSE(unwrap_frame(""));
    EXPECT_TRUE(unwrap_frame("\x05"));
    EXPECT_FALSE(unwrap_frame(std::string(kMaxFrameSize + 1, '\x05')));
    EXPECT_FALSE(unwrap_frame(message("05 08")));
    EXPECT_FALSE(unwrap_frame(message("05 0801 1009 2205 08")));
    EXPECT_FALSE(unwrap_frame(message("05 0801 1009 0c")));  // an end group nobody opened
    EXPECT_FALSE(unwrap_frame(message("05 0801 1009 00")));  // field number zero
    std::string deep(1, '\x05');
    for (int i = 0; i < 100; ++i) deep += message("a306");  // unknown groups inside each other
    for (int i = 0; i < 100; ++i) deep += message("a406");
    EXPECT_FALSE(unwrap_frame(deep));
}

TEST(Frames, TruncatedAtEveryLengthDoesNoHarm) {
    for (const auto& bytes : testdata::hex_lines("frames.txt")) {
        const std::size_t step = bytes.size() > 500 ? 97 : 1;
        for (std::size_t size = 0; size < bytes.size(); size += step) {
            const auto cut = testdata::first(bytes, size);
            const auto frame = unwrap_frame(core::as_text(cut));
            EXPECT_TRUE(frame || frame.error().kind == core::ErrorKind::invalid);
        }
    }
}

}  // namespace
}  // namespace media::wire
