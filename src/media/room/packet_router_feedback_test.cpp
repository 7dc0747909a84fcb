// What senders are told: what is missing, what arrived, how much they may send.
#include <map>
#include <numeric>
#include <set>

#include "media/room/packet_router_harness.hpp"
#include "media/wire/transport_feedback.hpp"

namespace media::room::testing {
namespace {

constexpr StreamId kStream = 101;

/// Sends the camera through a path that loses packets and answers the router's NACKs after a round trip of 40 ms.
class LossyCall {
  public:
    LossyCall(TestMeeting& meeting, bool with_rtx) : meeting_(meeting), with_rtx_(with_rtx) {}

    void play(int frames, const std::function<bool(int)>& lose) {
        for (int i = 0; i < frames; ++i) {
            for (const Bytes& packet : camera_.frame(i == 0, 3)) {
                history_[wire::RtpView::parse(packet)->sequence()] = packet;
                if (!lose(count_++)) meeting_.deliver(1, packet);
            }
            meeting_.pass(35ms, [this] { answer(); });
        }
        meeting_.pass(1s, [this] { answer(); });
    }
    std::size_t packets() const { return history_.size(); }
    std::size_t asked() const { return asked_; }
    bool answering = true;

  private:
    void answer() {
        for (; seen_ < meeting_.rtcp.size(); ++seen_) {
            const Sent& sent = meeting_.rtcp[seen_];
            if (sent.to != 1) continue;
            wire::RtcpReader reader(sent.bytes);
            while (const auto view = reader.next()) {
                if (view->type != wire::rtcp_type::kTransportFeedback || view->count != 1) continue;
                const auto nack = wire::RtcpNack::parse(*view);
                nack->for_each_lost([&](std::uint16_t sequence) {
                    ++asked_;
                    EXPECT_TRUE(history_.contains(sequence)) << sequence;
                    due_.emplace(sent.at + 40ms, sequence);
                });
            }
        }
        while (answering && !due_.empty() && due_.begin()->first <= meeting_.now) {
            const Bytes& original = history_[due_.begin()->second];
            meeting_.deliver(1, with_rtx_ ? Camera::as_rtx(original, rtx_sequence_++) : original);
            due_.erase(due_.begin());
        }
    }

    TestMeeting& meeting_;
    bool with_rtx_;
    Camera camera_{1};
    std::map<std::uint16_t, Bytes> history_;
    std::multimap<Time, std::uint16_t> due_;
    std::size_t seen_ = 0;
    std::size_t asked_ = 0;
    int count_ = 0;
    std::uint16_t rtx_sequence_ = 65'530;
};

class RouterFeedback : public ::testing::Test {
  protected:
    void SetUp() override {
        meeting.join(1, kStream);
        meeting.join(2, 0, {TestMeeting::watch(2, kStream)});
        meeting.pass(10ms);
    }
    std::vector<std::uint64_t> rembs() {
        std::vector<std::uint64_t> result;
        meeting.each_rtcp(1, [&](const wire::RtcpView& view, const Sent&) {
            if (const auto remb = wire::RtcpRemb::parse(view)) {
                EXPECT_EQ(remb->ssrc(0), 1001U);
                result.push_back(remb->bitrate_bps());
            }
        });
        return result;
    }
    std::vector<wire::ReportBlock> blocks(std::uint32_t ssrc) {
        std::vector<wire::ReportBlock> result;
        meeting.each_rtcp(1, [&](const wire::RtcpView& view, const Sent&) {
            const auto report = wire::RtcpReport::parse(view);
            for (std::size_t i = 0; report && i < report->block_count(); ++i) {
                if (report->block(i).ssrc == ssrc) result.push_back(report->block(i));
            }
        });
        return result;
    }
    TestMeeting meeting;
};

class RouterRepair : public RouterFeedback, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(RtxOrPlain, RouterRepair, ::testing::Bool());

TEST_P(RouterRepair, LossOnTheWayUpIsRepairedForTheReceiver) {
    LossyCall call(meeting, GetParam());
    call.play(60, [](int n) { return n % 10 == 5; });
    const auto numbers = sequences(meeting.video_to(2));
    const std::set<std::uint16_t> distinct(numbers.begin(), numbers.end());
    EXPECT_EQ(numbers.size(), 180U);
    EXPECT_EQ(distinct.size(), 180U);
    for (const std::uint16_t number : numbers) {
        EXPECT_LT(static_cast<std::uint16_t>(number - numbers.front()), 180) << "no number is left out";
    }
    EXPECT_EQ(call.asked(), 18U);
    EXPECT_EQ(meeting.router.counters().repaired, 18U);
    EXPECT_EQ(meeting.router.counters().given_up, 0U);
}

TEST_F(RouterFeedback, ReorderingAsksForNothing) {
    Camera camera(1);
    for (int i = 0; i < 30; ++i) {
        auto frame = camera.frame(i == 0, 4);
        meeting.deliver(1, frame[0]);
        meeting.deliver(1, frame[3]);
        meeting.pass(15ms);
        meeting.deliver(1, frame[2]);
        meeting.deliver(1, frame[1]);
        meeting.pass(15ms);
    }
    EXPECT_EQ(meeting.router.counters().nacks_sent, 0U);
    EXPECT_EQ(meeting.video_to(2).size(), 120U);
}

TEST_F(RouterFeedback, WhileWeAreBehindNothingIsRepeatedOrAskedForAgain) {
    LossyCall call(meeting, true);
    meeting.router.set_hurried(true);
    call.play(10, [](int n) { return n == 5; });
    EXPECT_EQ(call.asked(), 0U);
    const std::uint16_t number = meeting.video_to(2).back().rtp().sequence();
    meeting.receive_nack(2, TestMeeting::watch(2, kStream).ssrc, {number});
    EXPECT_EQ(meeting.router.counters().repeats_sent, 0U);

    meeting.router.set_hurried(false);
    meeting.receive_nack(2, TestMeeting::watch(2, kStream).ssrc, {number});
    EXPECT_EQ(meeting.router.counters().repeats_sent, 1U);
    meeting.pass(100ms);
    EXPECT_EQ(meeting.router.counters().nacks_sent + meeting.router.counters().given_up, 1U);
}

TEST_F(RouterFeedback, HopelessLossIsGivenUpAndAKeyFrameAskedFor) {
    LossyCall call(meeting, true);
    call.answering = false;
    call.play(10, [](int n) { return n == 5; });
    meeting.pass(1s);
    EXPECT_EQ(meeting.router.counters().given_up, 1U);
    EXPECT_LE(meeting.router.counters().nacks_sent, 10U);
    EXPECT_EQ(meeting.key_frame_requests(1).size(), 2U) << "for the start and for the loss";
    const auto asked = meeting.router.counters().nacks_sent;
    meeting.pass(5s);
    EXPECT_EQ(meeting.router.counters().nacks_sent, asked);
}

TEST_F(RouterFeedback, JumpTooLongToRepairNeedsAKeyFrame) {
    Camera camera(1);
    for (const Bytes& packet : camera.frame(true)) meeting.deliver(1, packet);
    camera.frame(false, 1000);
    meeting.pass(400ms);
    meeting.rtcp.clear();
    for (const Bytes& packet : camera.frame(false)) meeting.deliver(1, packet);
    meeting.pass(10ms);
    EXPECT_EQ(meeting.video_to(2).size(), 2U);
    EXPECT_EQ(meeting.key_frame_requests(1).size(), 1U);
    EXPECT_EQ(meeting.router.counters().nacks_sent, 0U);
    for (const Bytes& packet : camera.frame(true)) meeting.deliver(1, packet);
    const auto numbers = sequences(meeting.video_to(2));
    ASSERT_EQ(numbers.size(), 4U);
    EXPECT_EQ(static_cast<std::uint16_t>(numbers[2] - numbers[1]), 1);
}

TEST_F(RouterFeedback, AfterAnOutageAKeyFrameIsAskedForAtOnceAndNothingElse) {
    Camera camera(1);
    for (int i = 0; i < 30; ++i) {
        for (const Bytes& packet : camera.frame(i == 0)) meeting.deliver(1, packet);
        meeting.pass(33ms);
    }
    // Until the moment the way carries again somebody has asked in vain.
    for (int i = 0; i < 120; ++i) {
        camera.frame(false);
        if (i == 117) meeting.receive_pli(2, TestMeeting::watch(2, kStream).ssrc);
        meeting.pass(33ms);
    }
    meeting.rtcp.clear();
    const std::size_t seen = meeting.video_to(2).size();
    for (int i = 0; i < 3; ++i) {
        for (const Bytes& packet : camera.frame(false)) meeting.deliver(1, packet);
        meeting.pass(10ms);
    }
    EXPECT_EQ(meeting.key_frame_requests(1).size(), 1U) << "and not after the throttle's time";
    EXPECT_EQ(meeting.router.counters().nacks_sent, 0U);
    EXPECT_EQ(meeting.video_to(2).size(), seen) << "nothing that cannot be shown";
    for (const Bytes& packet : camera.frame(true)) meeting.deliver(1, packet);
    meeting.pass(10ms);
    const auto numbers = sequences(meeting.video_to(2));
    ASSERT_GT(numbers.size(), seen);
    EXPECT_EQ(static_cast<std::uint16_t>(numbers[seen] - numbers[seen - 1]), 1) << "the receiver misses nothing";
}

TEST_F(RouterFeedback, PicturesThatWaitedInTheirSenderDuringAnOutageAreNotPassedOn) {
    Camera camera(1);
    for (int i = 0; i < 30; ++i) {
        for (const Bytes& packet : camera.frame(i == 0)) meeting.deliver(1, packet);
        meeting.pass(33ms);
    }
    const std::size_t seen = meeting.video_to(2).size();
    const Time last = meeting.now - 33ms;
    // The sender noticed early and kept what it had; one packet got lost, and a key frame is among those that waited.
    std::vector<std::vector<Bytes>> waiting;
    for (int i = 0; i < 3; ++i) waiting.push_back(camera.frame(i == 2));
    waiting.front().erase(waiting.front().begin());
    meeting.pass(4s);
    camera.skip_time(5 * 90'000 - 9000);
    meeting.rtcp.clear();
    for (const auto& frame : waiting) {
        for (const Bytes& packet : frame) meeting.deliver(1, packet);
        meeting.pass(30ms);
    }
    EXPECT_EQ(meeting.key_frame_requests(1).size(), 1U);
    EXPECT_EQ(meeting.router.counters().dropped_stale, 5U);
    EXPECT_EQ(meeting.router.counters().nacks_sent, 0U);
    for (const Bytes& packet : camera.frame(false)) meeting.deliver(1, packet);
    EXPECT_EQ(meeting.video_to(2).size(), seen) << "fresh, but of no use yet";
    const auto key_frame = camera.frame(true);
    for (const Bytes& packet : key_frame) meeting.deliver(1, packet);
    const auto video = meeting.video_to(2);
    ASSERT_EQ(video.size(), seen + 2);
    EXPECT_EQ(static_cast<std::uint16_t>(video[seen].rtp().sequence() - video[seen - 1].rtp().sequence()), 1);
    // The way is shorter than it was by what had queued up before; the receiver does not get to see that.
    EXPECT_NEAR(video[seen].rtp().timestamp() - video[seen - 1].rtp().timestamp(), (meeting.now - last) / 1ms * 90,
                900);
}

TEST_F(RouterFeedback, ReceiverReportsCountAudioAndVideo) {
    Microphone microphone(1, 65'500);
    Camera camera(1);
    for (int i = 0; i < 100; ++i) {
        if (i % 4 == 3) {
            microphone.lose(1);
        } else {
            meeting.deliver(1, microphone.next());
        }
        for (const Bytes& packet : camera.frame(i == 0, 1)) meeting.deliver(1, packet);
        meeting.pass(20ms);
    }
    const auto audio = blocks(1000);
    ASSERT_GE(audio.size(), 2U);
    EXPECT_NEAR(audio.back().fraction_lost, 64, 8);
    EXPECT_NEAR(audio.back().cumulative_lost, 25, 3);
    EXPECT_EQ(audio.back().highest_sequence >> 16, 1U) << "one wrap";
    EXPECT_LT(audio.back().jitter, 300U);
    EXPECT_EQ(audio.back().last_sr, 0U);
    const auto video = blocks(1001);
    ASSERT_GE(video.size(), 2U);
    EXPECT_EQ(video.back().fraction_lost, 0);
    EXPECT_EQ(video.back().cumulative_lost, 0);
}

TEST_F(RouterFeedback, ReportsEchoTheSendersReport) {
    Microphone microphone(1);
    meeting.deliver(1, microphone.next());
    Bytes buffer(200);
    wire::RtcpWriter writer(buffer);
    ASSERT_TRUE(writer.sender_report(1000, {.ntp = 0x1122334455667788}));
    meeting.router.on_rtcp(1, writer.written(), meeting.now);
    const Time reported = meeting.now;
    meeting.pass(1s);
    Time report_time{};
    meeting.each_rtcp(1, [&](const wire::RtcpView& view, const Sent& sent) {
        const auto report = wire::RtcpReport::parse(view);
        if (report && report->block_count() != 0) report_time = sent.at;
    });
    const auto audio = blocks(1000);
    ASSERT_EQ(audio.size(), 1U);
    EXPECT_EQ(audio.front().last_sr, 0x33445566U);
    EXPECT_NEAR(audio.front().delay_since_last_sr,
                std::chrono::duration<double>(report_time - reported).count() * 65536, 66);
}

TEST_F(RouterFeedback, RoundTripOfTheReceiverPacesRepeats) {
    Camera camera(1);
    for (const Bytes& packet : camera.frame(true)) meeting.deliver(1, packet);
    meeting.pass(1200ms);
    // The receiver answers our sender report after 250 ms, having kept it for 50.
    std::optional<wire::SenderInfo> info;
    Time sent{};
    meeting.each_rtcp(2, [&](const wire::RtcpView& view, const Sent& packet) {
        const auto report = wire::RtcpReport::parse(view);
        if (report && report->sender_info() && report->sender_ssrc() == 2510) {
            info = report->sender_info();
            sent = packet.at;
        }
    });
    ASSERT_TRUE(info);
    EXPECT_EQ(info->packets, 2U);
    meeting.advance_to(sent + 250ms);
    Bytes buffer(200);
    wire::RtcpWriter writer(buffer);
    const wire::ReportBlock block{
        .ssrc = 2510, .last_sr = wire::middle_of_ntp(info->ntp), .delay_since_last_sr = 65536 / 20};
    ASSERT_TRUE(writer.receiver_report(5, std::span(&block, 1)));
    meeting.router.on_rtcp(2, writer.written(), meeting.now);

    const std::uint16_t lost = meeting.video_to(2)[0].rtp().sequence();
    meeting.receive_nack(2, 2510, {lost});
    meeting.pass(180ms);
    meeting.receive_nack(2, 2510, {lost});
    EXPECT_EQ(meeting.rtx_to(2).size(), 1U);
    meeting.pass(30ms);
    meeting.receive_nack(2, 2510, {lost});
    EXPECT_EQ(meeting.rtx_to(2).size(), 2U);
}

TEST_F(RouterFeedback, CeilingIsToldOnceASecond) {
    meeting.pass(5s);
    const auto told = rembs();
    EXPECT_NEAR(static_cast<double>(told.size()), 5, 1);
    EXPECT_NEAR(static_cast<double>(told.back()), 2'500'000, 20'000);
}

TEST_F(RouterFeedback, ReceiversLimitIsPassedOnQuicklyWhenItFalls) {
    meeting.pass(1500ms);
    meeting.rtcp.clear();
    meeting.receive_remb(2, 460'000);
    meeting.pass(200ms);
    ASSERT_EQ(rembs().size(), 1U);
    EXPECT_NEAR(static_cast<double>(rembs()[0]), 400'000, 4'000);
    meeting.receive_remb(2, 20'000);
    meeting.pass(1s);
    EXPECT_NEAR(static_cast<double>(rembs().back()), 150'000, 2'000) << "the floor";
    meeting.pass(12s);
    EXPECT_NEAR(static_cast<double>(rembs().back()), 2'500'000, 20'000) << "an old estimate means nothing";
}

TEST_F(RouterFeedback, WeakestOfSeveralReceiversDecidesWhileItWatches) {
    meeting.join(3, 0, {TestMeeting::watch(3, kStream)});
    meeting.receive_remb(2, 1'060'000);
    meeting.receive_remb(3, 560'000);
    meeting.pass(1500ms);
    EXPECT_NEAR(static_cast<double>(rembs().back()), 500'000, 5'000);
    meeting.router.set_paused(3, kStream, true, meeting.now);
    meeting.pass(1500ms);
    EXPECT_NEAR(static_cast<double>(rembs().back()), 1'000'000, 10'000);
}

TEST_F(RouterFeedback, TransportFeedbackCoversAudioAndVideoInOneNumberSpace) {
    constexpr std::uint8_t kExtension = 5;
    meeting.router.set_uplink(1, TestMeeting::uplink(1, kStream, {.audio_level = 1, .transport_cc = kExtension}),
                              meeting.now);
    std::uint16_t number = 65'500;
    std::map<std::uint16_t, std::int64_t> arrived;
    const auto deliver = [&](std::uint8_t type, std::uint32_t ssrc, std::uint16_t sequence, bool lost) {
        const auto value = wire::transport_sequence_bytes(number);
        const wire::RtpExtension extensions[] = {{kExtension, value}};
        const std::uint8_t payload[] = {0xF8, 1, 2};
        Bytes packet(100);
        packet.resize(
            wire::write_rtp(packet, {.payload_type = type, .sequence = sequence, .ssrc = ssrc}, extensions, payload));
        if (!lost) {
            meeting.deliver(1, packet);
            arrived[number] =
                std::chrono::duration_cast<std::chrono::microseconds>(meeting.now.time_since_epoch()).count();
        }
        ++number;
    };
    for (std::uint16_t i = 0; i < 100; ++i) {
        deliver(111, 1000, i, false);
        deliver(96, 1001, i, i % 10 == 0);
        deliver(97, 1002, i, false);
        meeting.pass(10ms);
    }
    meeting.pass(100ms);

    std::map<std::uint16_t, std::int64_t> told;
    std::vector<Time> times;
    meeting.each_rtcp(1, [&](const wire::RtcpView& view, const Sent& sent) {
        const auto feedback = wire::TransportFeedback::parse(view);
        if (!feedback) return;
        times.push_back(sent.at);
        auto cursor = feedback->statuses();
        while (const auto status = cursor.next()) {
            if (status->received) told[status->sequence] = status->arrival_us;
        }
    });
    ASSERT_EQ(told.size(), arrived.size());
    const std::int64_t shift = told.begin()->second - arrived.begin()->second;
    for (const auto& [sequence, us] : arrived) {
        ASSERT_TRUE(told.contains(sequence)) << sequence;
        EXPECT_NEAR(static_cast<double>(told[sequence] - us - shift), 0, 500) << sequence;
    }
    ASSERT_GE(times.size(), 11U);
    for (std::size_t i = 1; i < times.size(); ++i) EXPECT_LE(times[i] - times[i - 1], 100ms);
}

TEST_F(RouterFeedback, MeasuresTheRateOfASource) {
    Camera camera(1);
    for (int i = 0; i < 150; ++i) {
        for (Bytes packet : camera.frame(i == 0, 1)) {
            packet.resize(1250);
            meeting.deliver(1, packet);
        }
        meeting.pass(20ms);
    }
    const auto streams = meeting.router.report(meeting.now).streams;
    ASSERT_EQ(streams.size(), 1U);
    EXPECT_EQ(streams[0].stream, kStream);
    EXPECT_NEAR(streams[0].bitrate_bps, 500'000, 15'000);
    EXPECT_TRUE(streams[0].flowing);
}

TEST_F(RouterFeedback, HostileRtcpIsCountedAndHarmless) {
    meeting.router.on_rtcp(1, Bytes{0x81, 0xC9, 0x00}, meeting.now);
    meeting.router.on_rtcp(9, Bytes{0x80, 0xC9, 0x00, 0x01, 0, 0, 0, 1}, meeting.now);
    EXPECT_EQ(meeting.router.counters().rtcp_malformed, 1U);
    EXPECT_EQ(meeting.router.counters().dropped_unknown_peer, 1U);
    // A NACK storm: only so many are looked at.
    std::vector<std::uint16_t> many(3000);
    std::iota(many.begin(), many.end(), std::uint16_t{0});
    meeting.receive_nack(2, 2510, many);
    EXPECT_EQ(meeting.router.counters().nacks_received, 3000U);
    EXPECT_GT(meeting.router.counters().repeats_limited, 2000U);
}

}  // namespace
}  // namespace media::room::testing
