// Negotiation, sources, mute, volume and data messages of a meeting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "media/room/meeting_test_room.hpp"
#include "media/wire/sdp.hpp"

namespace media::room {
namespace {

using namespace std::chrono_literals;
using test::index_of;
using test::OfferText;
using test::receiving;
using test::TestRoom;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Frame = wire::proto::Frame;
namespace proto = wire::proto;

wire::SdpOffer answer_of(const TestRoom& room, PeerId peer) {
    const auto ack = room.last(peer, Frame::SUBSCRIBE_ACK);
    EXPECT_TRUE(ack);
    EXPECT_FALSE(ack->has_error()) << ack->error().description();
    auto parsed = wire::parse_sdp(ack->suback().sdp_answer());
    EXPECT_TRUE(parsed);
    return parsed ? *parsed : wire::SdpOffer{};
}

StreamId allocated(const TestRoom& room, PeerId peer) {
    const auto ids = test::allocations(room, peer);
    return ids.empty() ? 0 : ids.front();
}

/// A captured SUBSCRIBE, its stream ids translated.
std::string with_ids(const std::string& message, const std::map<std::uint32_t, std::uint32_t>& ids) {
    proto::Frame frame = *wire::unwrap_frame(message);
    for (auto& id : *frame.mutable_sub()->mutable_receive_stream_ids()) {
        if (id != 0) id = ids.at(id);
    }
    return wire::wrap_frame(frame);
}

TEST(MeetingMedia, FirstAnswerToChromiumAcceptsAllItWillNeed) {
    TestRoom room;
    const PeerId alice = room.connect("alice");
    room.send(alice, test::join(1));
    room.send(alice, test::captured("alice", Frame::SUBSCRIBE).front());
    const wire::SdpOffer answer = answer_of(room, alice);
    ASSERT_THAT(answer.media, SizeIs(2));
    const auto& audio = answer.media[0];
    EXPECT_EQ(audio.direction, wire::Direction::sendrecv);
    ASSERT_THAT(audio.codecs, SizeIs(2)) << "in the client's order";
    EXPECT_EQ(audio.codecs[0].name, "red");
    EXPECT_EQ(audio.codecs[0].fmtp, "111/111");
    EXPECT_EQ(audio.codecs[1].name, "opus");
    EXPECT_EQ(audio.codecs[1].fmtp, "minptime=10;useinbandfec=1");
    EXPECT_THAT(audio.ssrcs, SizeIs(1));
    EXPECT_EQ(audio.msid_stream, "a_0");
    const auto& camera = answer.media[1];
    EXPECT_EQ(camera.direction, wire::Direction::inactive);
    EXPECT_TRUE(camera.extension_id("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"));
    EXPECT_TRUE(camera.extension_id("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"));
    EXPECT_TRUE(camera.extension_id("urn:ietf:params:rtp-hdrext:sdes:mid"));
    EXPECT_TRUE(camera.extension_id("http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"));
    std::set<std::string> names;
    for (const auto& codec : camera.codecs) names.insert(codec.name);
    EXPECT_THAT(names, ElementsAre("AV1", "H264", "VP8", "VP9", "rtx"));
    EXPECT_THAT(room.last(alice, Frame::SUBSCRIBE_ACK)->suback().sdp_answer(),
                HasSubstr("x-google-start-bitrate=1000"));

    const auto offered =
        wire::parse_sdp(wire::unwrap_frame(test::captured("alice", Frame::SUBSCRIBE).front())->sub().sdp_offer());
    ASSERT_THAT(room.all<output::OpenMedia>(), SizeIs(1));
    const RemoteTransport remote = room.all<output::OpenMedia>()[0].remote;
    EXPECT_EQ(remote.ice_ufrag, offered->media[0].ice_ufrag);
    EXPECT_EQ(remote.fingerprint_sha256, offered->media[0].fingerprints[0].digest);
    ASSERT_THAT(room.all<output::Negotiated>(), SizeIs(1));
    const output::Negotiated plane = room.all<output::Negotiated>()[0];
    EXPECT_EQ(plane.uplink.audio.ssrc, offered->media[0].ssrcs[0]);
    EXPECT_EQ(plane.uplink.audio.payload_type, 111);
    EXPECT_EQ(plane.uplink.audio.red_payload_type, 63);
    EXPECT_THAT(plane.uplink.videos, IsEmpty());
    EXPECT_EQ(plane.downlink.audio.ssrc, audio.ssrcs[0]);
}

TEST(MeetingMedia, CameraGoesToTheOthersAndBack) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    room.send(alice, test::subscribe(test::camera_on(5000)));
    const StreamId stream = allocated(room, alice);
    EXPECT_NE(stream, 0U);
    EXPECT_EQ(room.count(alice, Frame::INDEX), 0U) << "nobody is shown their own sources";
    ASSERT_THAT(index_of(room, bob).sources(), SizeIs(1));
    const proto::StreamDescriptor source = index_of(room, bob).sources(0);
    EXPECT_EQ(source.stream_id(), stream);
    EXPECT_GT(source.group_id(), 0U);
    EXPECT_EQ(source.attendee_id(), "alice");
    EXPECT_EQ(source.external_user_id(), "user-alice");
    EXPECT_EQ(source.media_type(), proto::VIDEO);
    EXPECT_EQ(source.max_bitrate_kbps(), 1500U);
    const auto uplinks = room.all<output::Negotiated>();
    ASSERT_THAT(uplinks.back().uplink.videos, SizeIs(1));
    EXPECT_EQ(uplinks.back().uplink.videos[0].ssrc, 5000U);
    EXPECT_EQ(uplinks.back().uplink.videos[0].rtx_ssrc, 5001U);
    EXPECT_EQ(uplinks.back().uplink.videos[0].stream_id, stream);
    EXPECT_EQ(uplinks.back().uplink.videos[0].extensions.transport_cc, 3);
    EXPECT_EQ(answer_of(room, alice).media[1].direction, wire::Direction::sendrecv);

    room.send(bob, test::subscribe(receiving({{"2", stream}})));
    const Frame ack = *room.last(bob, Frame::SUBSCRIBE_ACK);
    ASSERT_EQ(ack.suback().tracks_size(), 1);
    EXPECT_EQ(ack.suback().tracks(0).track_label(), "v_2");
    EXPECT_EQ(ack.suback().tracks(0).stream_id(), stream);
    const wire::SdpOffer answer = answer_of(room, bob);
    EXPECT_EQ(answer.media[2].direction, wire::Direction::sendonly);
    EXPECT_EQ(answer.media[2].msid_stream, "v_2");
    EXPECT_EQ(answer.media[2].ssrcs.at(0), ack.suback().tracks(0).ssrc());
    const Subscription subscription = room.all<output::Negotiated>().back().downlink.subscriptions.at(0);
    EXPECT_EQ(subscription.stream_id, stream);
    EXPECT_EQ(subscription.ssrc, ack.suback().tracks(0).ssrc());
    EXPECT_EQ(subscription.rtx_ssrc, answer.media[2].rtx_ssrc(subscription.ssrc));
    EXPECT_EQ(subscription.codecs.at(0).rtx_payload_type, 97);

    room.send(alice, test::subscribe({}));
    EXPECT_THAT(index_of(room, bob).sources(), IsEmpty());
    EXPECT_THAT(room.all<output::Negotiated>().back().uplink.videos, IsEmpty());
    room.send(bob, test::subscribe(receiving({{"2", 0, true}})));
    EXPECT_THAT(room.last(bob, Frame::SUBSCRIBE_ACK)->suback().tracks(), IsEmpty());
    EXPECT_TRUE(answer_of(room, bob).media[2].rejected());
    EXPECT_THAT(answer_of(room, bob).bundle, ElementsAre("0", "1"));
}

TEST(MeetingMedia, EveryPublicationHasNewIdsButARenegotiationKeepsThem) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    room.send(alice, test::subscribe(test::camera_on(5000)));
    const proto::StreamDescriptor first = index_of(room, bob).sources(0);
    room.forget();
    room.send(alice, test::subscribe(test::camera_on(5000)));
    EXPECT_EQ(allocated(room, alice), first.stream_id());
    EXPECT_EQ(room.count(bob, Frame::INDEX), 0U) << "nothing new to say";
    room.send(alice, test::subscribe({}));
    room.send(alice, test::subscribe(test::camera_on(5000)));
    const proto::StreamDescriptor second = index_of(room, bob).sources(0);
    EXPECT_GT(second.stream_id(), first.stream_id());
    EXPECT_GT(second.group_id(), first.group_id());
}

TEST(MeetingMedia, ReconnectWithCameraReplacesThePublication) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    const PeerId old = room.enter("alice", test::camera_on(5000));
    room.lose(old);
    const PeerId fresh = room.connect("alice");
    room.send(fresh, test::join(7));
    room.send(fresh, test::subscribe(test::camera_on(6000)));
    ASSERT_THAT(index_of(room, bob).sources(), SizeIs(1));
    EXPECT_EQ(index_of(room, bob).sources(0).stream_id(), allocated(room, fresh));
    EXPECT_EQ(room.all<output::Negotiated>().back().uplink.videos.at(0).ssrc, 6000U);
}

TEST(MeetingMedia, RecycledLinesOfARealClientKeepTheSsrcOfTheirMid) {
    TestRoom room;
    const PeerId bob = room.connect("bob");
    room.send(bob, test::join(1));
    const PeerId alice = room.enter_heard("alice", test::camera_on(5000));
    const PeerId share = room.enter_heard("alice#content", test::camera_on(7000));
    // In the capture: 100, later 103, was the other's camera, 102 the share.
    const auto listed = [&] {
        std::map<std::string, std::uint32_t> ids;
        const proto::Index index = index_of(room, bob);
        for (const auto& source : index.sources()) ids[source.attendee_id()] = source.stream_id();
        return ids;
    };
    const auto messages = test::captured("bob", Frame::SUBSCRIBE);
    room.send(bob, messages.at(0));
    const auto ids = listed();
    std::map<std::uint32_t, std::uint32_t> names = {{100, ids.at("alice")}, {102, ids.at("alice#content")}};
    std::map<std::string, std::uint32_t> ssrcs;
    std::set<std::uint32_t> different;
    for (std::size_t i = 1; i < messages.size(); ++i) {
        const auto wanted = wire::unwrap_frame(messages[i])->sub().receive_stream_ids();
        if (std::ranges::find(wanted, 103U) != wanted.end() && !names.contains(103)) {
            room.send(alice, test::subscribe({}));
            room.send(alice, test::subscribe(test::camera_on(5000)));
            names[103] = listed().at("alice");
        }
        std::map<std::uint32_t, std::uint32_t> known = names;
        for (const auto id : wanted) known.try_emplace(id, 1);  // Others of the capture are not here.
        room.send(bob, with_ids(messages[i], known));
        const auto ack = room.last(bob, Frame::SUBSCRIBE_ACK);
        ASSERT_FALSE(ack->has_error()) << ack->error().description();
        const auto offer = wire::parse_sdp(wire::unwrap_frame(messages[i])->sub().sdp_offer());
        const wire::SdpOffer answer = answer_of(room, bob);
        ASSERT_EQ(answer.media.size(), offer->media.size());
        for (std::size_t line = 0; line < answer.media.size(); ++line) {
            EXPECT_EQ(answer.media[line].mid, offer->media[line].mid);
            EXPECT_EQ(answer.media[line].rejected(), offer->media[line].rejected());
        }
        for (const auto& track : ack->suback().tracks()) {
            const auto [entry, fresh] = ssrcs.try_emplace(track.track_label(), track.ssrc());
            EXPECT_EQ(entry->second, track.ssrc()) << track.track_label();
            if (fresh) EXPECT_TRUE(different.insert(track.ssrc()).second);
        }
    }
    EXPECT_GE(ssrcs.size(), 3U);
    EXPECT_FALSE(room.closed(share));
}

TEST(MeetingMedia, SourceThatIsNotListedIsAnsweredInactive) {
    TestRoom room;
    const PeerId bob = room.enter("bob", test::camera_on(5000));
    room.send(bob, test::subscribe(receiving({{"2", 4711}})));
    EXPECT_EQ(answer_of(room, bob).media[2].direction, wire::Direction::inactive);
    room.send(bob, test::subscribe(test::camera_on(5000)));
    OfferText own = test::camera_on(5000);
    own.receive = {{"2", allocated(room, bob)}};
    room.send(bob, test::subscribe(own));
    EXPECT_EQ(answer_of(room, bob).media[2].direction, wire::Direction::inactive) << "no mirror";
}

TEST(MeetingMedia, FirefoxLinesWithPortZeroAreAlive) {
    TestRoom room;
    const PeerId fox = room.connect("fox");
    room.send(fox, test::join(1));
    proto::Frame frame = *wire::unwrap_frame(test::subscribe(test::camera_on(1)));
    frame.mutable_sub()->set_sdp_offer(test::captured_offer("firefox-camera"));
    room.send(fox, wire::wrap_frame(frame));
    const wire::SdpOffer answer = answer_of(room, fox);
    ASSERT_GE(answer.media.size(), 2U);
    EXPECT_FALSE(answer.media[1].rejected());
    EXPECT_NE(answer.media[1].port, 0);
    EXPECT_EQ(answer.media[1].direction, wire::Direction::sendrecv);
    EXPECT_THAT(answer.bundle, SizeIs(answer.media.size()));
    ASSERT_THAT(room.all<output::Negotiated>(), SizeIs(1));
    EXPECT_EQ(room.all<output::Negotiated>()[0].uplink.videos.size(), 1U);
    EXPECT_EQ(room.all<output::OpenMedia>()[0].remote.fingerprint_sha256.size(), 32U) << "from session level";
}

TEST(MeetingMedia, CodecIntersectionFollowsWhoIsThere) {
    TestRoom room;
    const PeerId chromium = room.connect("chromium");
    room.send(chromium, test::join(1));
    room.send(chromium, test::captured("alice", Frame::SUBSCRIBE).front());
    const auto codecs = [&](PeerId peer) {
        std::vector<int> list;
        const proto::Index index = index_of(room, peer);
        for (const int codec : index.supported_receive_codec_intersection()) list.push_back(codec);
        return list;
    };
    EXPECT_THAT(codecs(chromium), ::testing::IsSupersetOf({1, 3, 8, 11}));
    const PeerId fox = room.connect("fox");
    room.send(fox, test::join(1));
    proto::Frame frame = *wire::unwrap_frame(test::subscribe({}));
    frame.mutable_sub()->set_sdp_offer(test::captured_offer("firefox-first"));
    room.send(fox, wire::wrap_frame(frame));
    EXPECT_THAT(codecs(chromium), ElementsAre(1, 8, 11)) << "no H.264 in a fresh Firefox";
    EXPECT_EQ(codecs(chromium), codecs(fox));
    room.send(fox, test::leave());
    EXPECT_THAT(codecs(chromium), ::testing::IsSupersetOf({1, 3, 8, 11}));
    // A share decodes nothing, so it limits nobody.
    OfferText poor = test::camera_on(5000);
    poor.vp9 = false;
    room.enter_heard("chromium#content", poor);
    EXPECT_THAT(codecs(chromium), ::testing::IsSupersetOf({1, 3, 8, 11}));
}

TEST(MeetingMedia, PauseAndResumeTouchOwnSubscriptionsOnly) {
    TestRoom room;
    const PeerId alice = room.enter("alice", test::camera_on(5000));
    const PeerId bob = room.enter("bob");
    room.send(alice, test::subscribe(test::camera_on(5000)));
    const StreamId stream = allocated(room, alice);
    room.send(bob, test::subscribe(receiving({{"2", stream}})));
    room.forget();
    proto::Frame frame;
    frame.mutable_pause()->add_stream_ids(stream);
    frame.mutable_pause()->add_stream_ids(12345);
    room.send(bob, test::message(frame, Frame::PAUSE));
    room.send(bob, test::message(frame, Frame::PAUSE));
    room.send(alice, test::message(frame, Frame::PAUSE));
    ASSERT_THAT(room.all<output::Pause>(), SizeIs(1));
    EXPECT_EQ(room.all<output::Pause>()[0].peer, bob);
    EXPECT_TRUE(room.all<output::Pause>()[0].paused);
    room.send(bob, test::message(frame, Frame::RESUME));
    ASSERT_THAT(room.all<output::Pause>(), SizeIs(2));
    EXPECT_FALSE(room.all<output::Pause>()[1].paused);
}

TEST(MeetingMedia, RemoteVideoUpdateSwitchesALineWithoutNegotiation) {
    TestRoom room;
    const PeerId alice = room.enter("alice", test::camera_on(5000));
    const PeerId carol = room.enter("carol", test::camera_on(6000));
    const PeerId bob = room.enter("bob");
    room.send(alice, test::subscribe(test::camera_on(5000)));
    room.send(carol, test::subscribe(test::camera_on(6000)));
    room.send(bob, test::subscribe(receiving({{"2", allocated(room, alice)}})));
    proto::Frame frame;
    auto& wish = *frame.mutable_remote_video_update()->add_added_or_updated_video_subscriptions();
    wish.set_mid("2");
    wish.set_stream_id(allocated(room, carol));
    room.send(bob, test::message(frame, Frame::REMOTE_VIDEO_UPDATE));
    const auto before = room.all<output::Negotiated>();
    EXPECT_EQ(before.back().downlink.subscriptions.at(0).stream_id, allocated(room, carol));
    wish.set_stream_id(999);
    room.send(bob, test::message(frame, Frame::REMOTE_VIDEO_UPDATE));
    EXPECT_EQ(room.all<output::Negotiated>().size(), before.size()) << "nobody publishes that";
}

TEST(MeetingMedia, MuteIsToldToEverybody) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    proto::Frame frame;
    frame.mutable_audio_control()->set_muted(true);
    room.send(bob, test::message(frame, Frame::AUDIO_CONTROL));
    for (const PeerId peer : {alice, bob}) {
        ASSERT_THAT(room.presence(peer), SizeIs(1));
        EXPECT_TRUE(room.presence(peer)[0].muted());
        EXPECT_FALSE(room.presence(peer)[0].has_attendee_id());
    }
    ASSERT_THAT(room.all<output::Mute>(), SizeIs(1));
    EXPECT_TRUE(room.all<output::Mute>()[0].muted);
    room.forget();
    room.send(bob, test::message(frame, Frame::AUDIO_CONTROL));
    EXPECT_THAT(room.sent, IsEmpty()) << "only changes";
    room.send(bob, test::subscribe({}, false));
    ASSERT_THAT(room.presence(alice), SizeIs(1));
    EXPECT_TRUE(room.presence(alice)[0].has_muted());
    EXPECT_FALSE(room.presence(alice)[0].muted());
}

TEST(MeetingMedia, VolumesComeFiveTimesASecondAndNameSpeakers) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    const PeerId share = room.enter("bob#content", test::camera_on(5000));
    room.pass(1s, {.levels = {{alice, 30}, {bob, 127}}});
    EXPECT_EQ(room.count(alice, Frame::AUDIO_METADATA), 5U);
    EXPECT_EQ(room.count(share, Frame::AUDIO_METADATA), 0U);
    const auto states = room.last(bob, Frame::AUDIO_METADATA)->audio_metadata().attendee_states();
    ASSERT_THAT(states, SizeIs(1));
    EXPECT_EQ(states[0].audio_stream_id(), room.meeting.roster().find("alice")->audio_stream_id);
    EXPECT_EQ(states[0].volume(), 30U);
    room.pass(200ms);
    const auto silence = room.last(bob, Frame::AUDIO_METADATA)->audio_metadata().attendee_states();
    ASSERT_THAT(silence, SizeIs(1)) << "one entry resets everybody at the client";
    EXPECT_EQ(silence[0].volume(), 127U);
}

TEST(MeetingMedia, NoMoreThanTwoSharesAtOnce) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    room.enter("alice#content", test::camera_on(5000));
    room.enter("bob#content", test::camera_on(6000));
    const PeerId third = room.connect("carol#content");
    room.send(third, test::join(1));
    EXPECT_EQ(room.last(third, Frame::JOIN_ACK)->error().status(), 409U);
    EXPECT_EQ(room.count(third, Frame::INDEX), 0U);
    EXPECT_EQ(room.meeting.roster().content_shares(), 2U);
    EXPECT_FALSE(room.closed(alice));
}

TEST(MeetingMedia, ShareIsAnnouncedToItsOwnerToo) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    const PeerId share = room.connect("alice#content");
    room.send(share, test::join(1));
    room.send(share, test::subscribe(test::camera_on(5000)));
    ASSERT_THAT(room.presence(alice), SizeIs(1));
    EXPECT_EQ(room.presence(alice)[0].attendee_id(), "alice#content");
    EXPECT_EQ(room.presence(alice)[0].external_user_id(), "user-alice");
    EXPECT_THAT(index_of(room, alice).sources(), IsEmpty());
    ASSERT_THAT(index_of(room, bob).sources(), SizeIs(1));
    EXPECT_EQ(index_of(room, bob).sources(0).attendee_id(), "alice#content");
    EXPECT_EQ(index_of(room, bob).num_participants(), 2U);
    ASSERT_THAT(room.all<output::Connected>(), SizeIs(1));
    EXPECT_TRUE(room.all<output::Connected>()[0].content);
    const auto opened = room.all<output::OpenMedia>();
    EXPECT_EQ(opened.at(0).person, room.meeting.roster().find("alice")->person);
    EXPECT_NE(opened.at(0).person, room.meeting.roster().find("bob")->person);
}

TEST(MeetingMedia, CameraBeyondTheLimitIsRefusedAndTheCallGoesOn) {
    TestRoom room;
    for (std::size_t i = 0; i < kMaxPublishers; ++i) room.enter("a" + std::to_string(i), test::camera_on(5000));
    const PeerId late = room.enter("late");
    room.send(late, test::subscribe(test::camera_on(5000)));
    const Frame ack = *room.last(late, Frame::SUBSCRIBE_ACK);
    EXPECT_EQ(ack.error().status(), 206U);
    EXPECT_THAT(ack.suback().allocations(), IsEmpty());
    EXPECT_FALSE(ack.suback().sdp_answer().empty());
    EXPECT_THAT(room.all<output::Negotiated>().back().uplink.videos, IsEmpty());
    room.pass(2s);
    EXPECT_FALSE(room.closed(late));
}

TEST(MeetingMedia, OtherTransportOnTheSameConnectionMeansConnectAnew) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    OfferText other;
    other.ufrag = "othr";
    room.send(alice, test::subscribe(other));
    EXPECT_EQ(room.last(alice, Frame::SUBSCRIBE_ACK)->error().status(), 500U);
}

TEST(MeetingMedia, HostileOffersAreRefusedOneByOne) {
    const std::string good = OfferText{}.text();
    const auto replaced = [&](const std::string& what, const std::string& with) {
        std::string text = good;
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
            text.replace(at, what.size(), with);
        }
        return text;
    };
    for (const std::string& offer :
         {std::string("v=0\r\n"), std::string("nonsense"), replaced("a=mid:1\r\n", "a=mid:0\r\n"),
          replaced("a=setup:actpass", "a=setup:passive"), replaced("a=ice-pwd:", "a=x:"), replaced("sha-256", "sha-1"),
          replaced("m=audio 9", "m=audio 0")}) {
        TestRoom room;
        const PeerId alice = room.enter("alice");
        proto::Frame frame = *wire::unwrap_frame(test::subscribe({}));
        frame.mutable_sub()->set_sdp_offer(offer);
        room.send(alice, wire::wrap_frame(frame));
        const auto ack = room.last(alice, Frame::SUBSCRIBE_ACK);
        ASSERT_TRUE(ack);
        if (offer.find("m=audio 0") != std::string::npos) continue;  // Odd, but the camera line carries on.
        EXPECT_EQ(ack->error().status(), 400U) << offer.substr(0, 40);
        EXPECT_THAT(ack->error().description(), Not(HasSubstr("nonsense")));
    }
}

TEST(MeetingMedia, LinesOfOtherKindsAreRejected) {
    TestRoom room;
    const PeerId alice = room.connect("alice");
    room.send(alice, test::join(1));
    proto::Frame frame = *wire::unwrap_frame(test::subscribe({}));
    frame.mutable_sub()->mutable_sdp_offer()->append(
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + OfferText{}.transport("9") + "a=sctp-port:5000\r\n" +
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + OfferText{}.transport("10") + "a=rtpmap:111 opus/48000/2\r\n");
    room.send(alice, wire::wrap_frame(frame));
    const wire::SdpOffer answer = answer_of(room, alice);
    ASSERT_THAT(answer.media, SizeIs(4));
    EXPECT_TRUE(answer.media[2].rejected());
    EXPECT_TRUE(answer.media[3].rejected()) << "there is one audio line";
    EXPECT_THAT(answer.bundle, ElementsAre("0", "1"));
}

}  // namespace
}  // namespace media::room
