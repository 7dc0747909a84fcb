// Stamps, lines and what is known of the way to one receiver.
#include "media/room/receiver_link.hpp"

#include <gtest/gtest.h>

#include "media/room/signal_strength.hpp"
#include "media/wire/rtp.hpp"
#include "media/wire/rtp_extensions.hpp"

namespace media::room {
namespace {

using namespace std::chrono_literals;
constexpr Time kStart{std::chrono::hours(1)};
constexpr std::size_t kHead = congestion::kHeadRoom;

std::vector<std::uint8_t> packet_room(std::uint32_t ssrc, std::uint16_t sequence = 7, std::uint8_t type = 96) {
    std::vector<std::uint8_t> room(kHead + 100, 0xAA);
    const std::uint8_t payload[] = {1, 2, 3, 4, 5};
    wire::write_rtp(std::span(room).subspan(kHead),
                    {.payload_type = type, .marker = true, .sequence = sequence, .timestamp = 1234, .ssrc = ssrc}, {},
                    payload);
    return room;
}
constexpr std::size_t kSize = wire::kRtpHeaderSize + 5;

void expect_unchanged(const wire::RtpView& view, std::uint32_t ssrc) {
    EXPECT_EQ(view.ssrc(), ssrc);
    EXPECT_EQ(view.timestamp(), 1234U);
    EXPECT_TRUE(view.marker());
    EXPECT_EQ(view.payload_type(), 96);
    ASSERT_EQ(view.payload().size(), 5U);
    EXPECT_EQ(view.payload()[4], 5);
}

TEST(SendStamp, IsAnExtensionInFrontOfThePayload) {
    for (const std::uint8_t id : {1, 14, 15, 200}) {
        auto room = packet_room(11);
        const SendStamp stamp{SendStamp::Kind::transport_number, id, 0xBEEF};
        const auto view = wire::RtpView::parse(stamp.write(room, kSize));
        ASSERT_TRUE(view) << int{id};
        expect_unchanged(*view, 11);
        const auto value = view->extension(id);
        ASSERT_TRUE(value) << int{id};
        EXPECT_EQ(wire::parse_transport_sequence(*value), 0xBEEF);
        EXPECT_EQ(view->extension_form(),
                  id <= 14 ? wire::RtpExtensionForm::one_byte : wire::RtpExtensionForm::two_byte);
    }
    auto room = packet_room(11);
    const SendStamp time{SendStamp::Kind::send_time, 3, 0x123456};
    const auto view = wire::RtpView::parse(time.write(room, kSize));
    ASSERT_TRUE(view);
    expect_unchanged(*view, 11);
    EXPECT_EQ(wire::parse_abs_send_time(*view->extension(3)), 0x123456U);
    room = packet_room(11);
    EXPECT_EQ(SendStamp{}.write(room, kSize).data(), room.data() + kHead);
}

class Link : public ::testing::Test {
  protected:
    static constexpr std::uint32_t kAudio = 1;
    static constexpr std::uint32_t kVideo = 2;
    static constexpr std::uint32_t kRtx = 3;

    static Downlink downlink(ExtensionIds audio, ExtensionIds video, bool rtx = true) {
        const CodecIdentity vp8{.kind = wire::CodecKind::vp8};
        return {.audio = {.ssrc = kAudio, .payload_type = 111, .extensions = audio},
                .subscriptions = {{.mid = "2",
                                   .stream_id = 5,
                                   .ssrc = kVideo,
                                   .rtx_ssrc = rtx ? kRtx : 0,
                                   .codecs = {{vp8, 96, static_cast<std::uint8_t>(rtx ? 97 : 0)}},
                                   .extensions = video}}};
    }
    void negotiate(const Downlink& wanted) {
        link.negotiate(wanted, [](std::uint32_t) { return 65'534; });
    }
    std::vector<std::uint8_t> send(std::uint32_t ssrc, std::uint16_t sequence = 7) {
        auto room = packet_room(ssrc, sequence);
        const auto sent = link.depart(*link.find_line(ssrc), room, kSize, now);
        return {sent.begin(), sent.end()};
    }
    static std::optional<std::uint16_t> number(const std::vector<std::uint8_t>& packet, std::uint8_t id) {
        const auto value = wire::RtpView::parse(packet)->extension(id);
        return value ? wire::parse_transport_sequence(*value) : std::nullopt;
    }
    ReceiverLink link;
    Time now = kStart;
};

TEST_F(Link, AllLinesShareOneNumberSpace) {
    negotiate(downlink({.transport_cc = 4}, {.transport_cc = 4, .abs_send_time = 2}));
    EXPECT_EQ(number(send(kAudio), 4), 0);
    EXPECT_EQ(number(send(kVideo), 4), 1);
    EXPECT_EQ(number(send(kRtx), 4), 2);
    EXPECT_FALSE(wire::RtpView::parse(send(kVideo))->extension(2)) << "send time is of no use beside it";
}

TEST_F(Link, WithoutTransportNumbersTheSendTimeIsStamped) {
    negotiate(downlink({}, {.abs_send_time = 2}));
    EXPECT_EQ(wire::RtpView::parse(send(kAudio))->extension_form(), wire::RtpExtensionForm::none);
    const auto before = *wire::parse_abs_send_time(*wire::RtpView::parse(send(kVideo))->extension(2));
    now += 250ms;
    const auto after = *wire::parse_abs_send_time(*wire::RtpView::parse(send(kVideo))->extension(2));
    EXPECT_NEAR(static_cast<double>(after - before), 262'144.0 / 4, 1);
    EXPECT_EQ(link.estimate(), nullptr);
}

TEST_F(Link, RtxNumbersFollowTheOrderOfSending) {
    negotiate(downlink({}, {}));
    const auto first = send(kRtx, 500);
    const auto second = send(kRtx, 400);
    EXPECT_EQ(wire::RtpView::parse(first)->sequence(), 65'534);
    EXPECT_EQ(wire::RtpView::parse(second)->sequence(), 65'535);
    negotiate(downlink({}, {.transport_cc = 4}));
    EXPECT_EQ(wire::RtpView::parse(send(kRtx, 0))->sequence(), 0) << "they go on over a negotiation";
}

TEST_F(Link, PlainRepeatIsTheSamePacketBitByBit) {
    for (const ExtensionIds ids : {ExtensionIds{.transport_cc = 4}, ExtensionIds{.abs_send_time = 2}, ExtensionIds{}}) {
        negotiate(downlink({}, ids, false));
        const auto original = send(kVideo, 100);
        for (std::uint16_t i = 101; i < 300; ++i) send(kVideo, i);
        now += 300ms;
        auto room = packet_room(kVideo, 100);
        const auto again = link.depart_again(*link.find_line(kVideo), room, kSize);
        EXPECT_EQ(original, (std::vector<std::uint8_t>(again.begin(), again.end())));
    }
    auto room = packet_room(kVideo, 5000);
    EXPECT_TRUE(link.depart_again(*link.find_line(kVideo), room, kSize).empty()) << "never sent, or long ago";
    // What is negotiated since then makes no difference to what was sent.
    negotiate(downlink({}, {.transport_cc = 4}, false));
    const auto original = send(kVideo, 9);
    negotiate(downlink({}, {}, false));
    room = packet_room(kVideo, 9);
    const auto again = link.depart_again(*link.find_line(kVideo), room, kSize);
    EXPECT_EQ(original, (std::vector<std::uint8_t>(again.begin(), again.end())));
}

TEST_F(Link, ReportOfTheReceiverCountsUntilItIsOld) {
    negotiate(downlink({}, {}));
    ReceiverEstimate reported;
    link.refresh(reported, now);
    EXPECT_EQ(link.available_bps(), 0U);
    EXPECT_TRUE(link.pacer.may_send(congestion::Pacer::Lane::video, now));
    reported.set(460'000, now);
    link.refresh(reported, now);
    EXPECT_EQ(link.available_bps(), 460'000U);
    EXPECT_EQ(link.video_budget_bps(), 400'000U);
    reported.set(20'000, now);
    link.refresh(reported, now);
    EXPECT_EQ(link.video_budget_bps(), 0U);
    now += 11s;
    link.refresh(reported, now);
    EXPECT_EQ(link.available_bps(), 0U);
}

TEST(SignalStrength, TakesItsTimeBothWays) {
    SignalStrength signal;
    Time now = kStart;
    signal.begin(now);
    const auto second = [&](SignalStrength::Second what) {
        now += 1s;
        signal.heard(now);
        signal.update(what);
        return signal.value(now);
    };
    EXPECT_EQ(second({.loss_down = 0.2}), 2);
    EXPECT_EQ(second({.loss_up = 0.2}), 2);
    EXPECT_EQ(second({.loss_down = 0.01}), 2) << "not in a row";
    for (int i = 0; i < 2; ++i) EXPECT_EQ(second({.starved = true}), 2);
    EXPECT_EQ(second({.starved = true}), 1);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(second({.loss_down = 0.06}), 1) << "neither good nor bad";
    for (int i = 0; i < 4; ++i) EXPECT_EQ(second({}), 1);
    EXPECT_EQ(second({}), 2);
    EXPECT_EQ(signal.value(now + 5s), 2);
    EXPECT_EQ(signal.value(now + 6s), 0);
}

}  // namespace
}  // namespace media::room
