#include "media/room/signalling_inflate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "media/room/meeting_test_room.hpp"

namespace media::room {
namespace {

using Frame = wire::proto::Frame;
namespace proto = wire::proto;

/// As the client's compressor writes it.
std::string deflated(const std::string& text, const std::string& dictionary = {}) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    if (!dictionary.empty()) {
        EXPECT_EQ(deflateSetDictionary(&stream, reinterpret_cast<const Bytef*>(dictionary.data()),
                                       static_cast<uInt>(dictionary.size())),
                  Z_OK);
    }
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

TEST(InflateOffer, WithAndWithoutTheOfferBefore) {
    const std::string first = test::OfferText{}.text();
    const std::string second = test::camera_on(5000).text();
    EXPECT_EQ(inflate_offer(deflated(first), {}), first);
    EXPECT_EQ(inflate_offer(deflated(second), first), second) << "not every client uses the dictionary";
    const std::string small = deflated(second, first);
    EXPECT_LT(small.size() * 2, deflated(second).size());
    EXPECT_EQ(inflate_offer(small, first), second);
    EXPECT_FALSE(inflate_offer(small, {}));
    const std::string longer = std::string(40'000, 'x') + first;
    const std::string after = deflated(longer + "more", longer.substr(0, kOfferDictionary));
    EXPECT_EQ(inflate_offer(after, longer), longer + "more");
}

TEST(InflateOffer, WhatIsNoneIsRefused) {
    const std::string good = deflated(test::OfferText{}.text());
    EXPECT_FALSE(inflate_offer({}, {}));
    EXPECT_FALSE(inflate_offer("not deflated at all", "previous"));
    for (std::size_t size = 1; size < good.size(); size += 7) EXPECT_FALSE(inflate_offer(good.substr(0, size), {}));
    EXPECT_TRUE(inflate_offer(deflated(std::string(kMaxOffer, 'a')), {}));
    EXPECT_FALSE(inflate_offer(deflated(std::string(kMaxOffer + 1, 'a')), {}));
    EXPECT_FALSE(inflate_offer(deflated(std::string(100 * 1024 * 1024, 'a')), {})) << "a bomb";
    EXPECT_FALSE(inflate_offer(std::string(kMaxOffer + 1, 'a'), {}));
}

TEST(InflateOffer, MeetingAnswersCompressedOffersPlainly) {
    test::TestRoom room;
    const PeerId alice = room.connect("alice");
    room.send(alice, test::join(1));
    const auto send = [&](const std::string& compressed, const test::OfferText& offer) {
        proto::Frame frame = test::subscribe_frame(offer);
        frame.mutable_sub()->set_sdp_offer("");
        frame.mutable_sub()->set_compressed_sdp_offer(compressed);
        room.send(alice, test::message(frame, Frame::SUBSCRIBE));
    };
    const std::string first = test::OfferText{}.text();
    send(deflated(first), {});
    ASSERT_EQ(room.count(alice, Frame::SUBSCRIBE_ACK), 1U);
    EXPECT_FALSE(room.last(alice, Frame::SUBSCRIBE_ACK)->has_error());
    send(deflated(test::camera_on(5000).text(), first), test::camera_on(5000));
    const Frame ack = *room.last(alice, Frame::SUBSCRIBE_ACK);
    EXPECT_FALSE(ack.has_error()) << ack.error().description();
    EXPECT_EQ(ack.suback().allocations_size(), 1);
    EXPECT_FALSE(ack.suback().has_compressed_sdp_answer());
    EXPECT_TRUE(wire::parse_sdp(ack.suback().sdp_answer()));
    send("rubbish", {});
    EXPECT_EQ(room.last(alice, Frame::SUBSCRIBE_ACK)->error().status(), 400U);
}

}  // namespace
}  // namespace media::room
