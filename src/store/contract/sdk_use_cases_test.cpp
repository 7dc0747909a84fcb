// The use cases of the SDK's API on real stores: who is let in, when meetings end by themselves, what the meeting
// server is told.
#include "service/sdk_meetings.hpp"
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using core::ErrorKind;
using core::Flow;
using service::Admission;
using service::SdkMeetingStore;
using Kind = core::MeetingEvent::Kind;

class HandClock final : public core::Clock {
  public:
    core::Time now() const override { return time; }
    core::Time time = at();
};

/// Writes down what it is asked for.
class Floor final : public service::MeetingFloor {
  public:
    std::string join_token(const std::string& meeting_id, const std::string& attendee_id) const override {
        return meeting_id + "/" + attendee_id;
    }
    service::Task<core::Result<service::MediaPlacement>> place(std::string meeting_id, std::string media_region,
                                                               std::string reached_at) override {
        service::MediaPlacement placement;
        placement.signaling_url = reached_at + "/" + media_region + "/" + meeting_id;
        co_return placement;
    }
    service::Task<core::Result<void>> close(std::string meeting_id) override { return note("close " + meeting_id); }
    service::Task<core::Result<void>> put_out(std::string meeting_id, std::string attendee_id) override {
        return note("out " + meeting_id + " " + attendee_id);
    }
    service::Task<core::Result<void>> set_capabilities(std::string meeting_id, std::vector<std::string> attendee_ids,
                                                       core::Capabilities) override {
        for (const auto& attendee_id : attendee_ids)
            told.push_back(std::string("change ").append(meeting_id).append(" ").append(attendee_id));
        co_return core::Result<void>{};
    }
    service::Task<core::Result<void>> tell_transcription(std::string meeting_id,
                                                         service::TranscriptionStatus status) override {
        return note("transcription " + meeting_id + " " + std::to_string(static_cast<int>(status.type)));
    }

    std::vector<std::string> take() { return std::exchange(told, {}); }

  private:
    service::Task<core::Result<void>> note(std::string text) {
        told.push_back(std::move(text));
        co_return core::Result<void>{};
    }
    std::vector<std::string> told;
};

class SdkUseCases : public StoreTest {
  protected:
    void SetUp() override {
        StoreTest::SetUp();
        meetings = fresh();
    }
    /// As after a restart.
    std::unique_ptr<service::SdkMeetings> fresh() {
        service::SdkMeetingsSettings settings;
        settings.most_attendees = 3;
        return std::make_unique<service::SdkMeetings>(settings, *dynamic_cast<SdkMeetingStore*>(store.get()), floor,
                                                      clock);
    }

    static service::WantedMeeting wanted(std::string token, std::vector<service::WantedAttendee> attendees = {}) {
        service::WantedMeeting wanted;
        wanted.request_token = std::move(token);
        wanted.request_hash = "hash";
        wanted.control_region = "r";
        wanted.external_meeting_id = "visit";
        wanted.media_region = "local";
        wanted.details = "{}";
        wanted.attendees = std::move(attendees);
        return wanted;
    }
    service::CreatedMeeting create(std::string token, std::vector<service::WantedAttendee> attendees = {}) {
        return done(meetings->create(wanted(std::move(token), std::move(attendees)), "http://here"));
    }
    Admission::Verdict verdict(const std::string& meeting_id, const std::string& attendee_id) {
        return done(meetings->admit(meeting_id, attendee_id)).verdict;
    }
    /// People are connected for so long, and are told of as the meeting server does.
    void pass(std::chrono::minutes time, const std::vector<std::string>& connected) {
        for (const auto end = clock.time + time; clock.time < end; clock.time += 15s) {
            done(meetings->attendees_seen(connected));
            ended += done(meetings->sweep());
        }
    }

    HandClock clock;
    Floor floor;
    std::unique_ptr<service::SdkMeetings> meetings;
    int ended = 0;
};
STORE_TEST_SUITE(SdkUseCases);

constexpr core::Capabilities kRecorder{.audio = Flow::receive, .video = Flow::receive, .content = Flow::receive};

TEST_P(SdkUseCases, ARepetitionGivesTheSameAndAnotherBodyIsAConflict) {
    const auto first = create("token", {{"one", {}}, {"two", kRecorder}});
    EXPECT_EQ(first.meeting.placement.signaling_url, "http://here/local/" + first.meeting.meeting.meeting_id);
    const auto second = create("token", {{"one", {}}, {"two", kRecorder}});
    EXPECT_EQ(first.meeting.meeting, second.meeting.meeting);
    ASSERT_EQ(second.attendees.size(), 2U);
    EXPECT_EQ(first.attendees[1].attendee, second.attendees[1].attendee);
    EXPECT_EQ(first.attendees[1].join_token, second.attendees[1].join_token);
    auto other = wanted("token");
    other.request_hash = "another";
    EXPECT_EQ(loop.run(meetings->create(other, "")).error().kind, ErrorKind::conflict);
}

TEST_P(SdkUseCases, WhoeverIsAskedForTwiceIsOnePerson) {
    const auto created = create("token", {{"one", {}}, {"two", {}}, {"one", {}}});
    ASSERT_EQ(created.attendees.size(), 3U);
    EXPECT_EQ(created.attendees[0].attendee, created.attendees[2].attendee);
    const auto id = created.meeting.meeting.meeting_id;
    for (const auto& one : created.attendees) {
        EXPECT_EQ(verdict(id, one.attendee.attendee_id), Admission::Verdict::admitted);
    }
}

TEST_P(SdkUseCases, OnlyItsAttendeesGetInUntilItEnds) {
    const auto created = create("token", {{"one", kRecorder}});
    const auto id = created.meeting.meeting.meeting_id;
    const auto one = created.attendees[0].attendee.attendee_id;
    const auto admission = done(meetings->admit(id, one));
    EXPECT_EQ(admission.verdict, Admission::Verdict::admitted);
    EXPECT_EQ(admission.external_user_id, "one");
    EXPECT_EQ(admission.capabilities, kRecorder);
    EXPECT_EQ(admission.max_attendees, 250U);
    EXPECT_EQ(verdict(id, "somebody"), Admission::Verdict::unknown);
    EXPECT_EQ(verdict("another meeting", one), Admission::Verdict::unknown);
    const auto two = done(meetings->add_attendees(id, {{"two", {}}}))[0].attendee.attendee_id;
    done(meetings->remove_attendee(id, two));
    EXPECT_EQ(verdict(id, two), Admission::Verdict::unknown);
    EXPECT_EQ(floor.take(), (std::vector<std::string>{"out " + id + " " + two}));
    done(meetings->end(id));
    EXPECT_EQ(verdict(id, one), Admission::Verdict::ended);
    EXPECT_EQ(floor.take(), (std::vector<std::string>{"close " + id}));
    EXPECT_EQ(loop.run(meetings->meeting(id, "")).error().kind, ErrorKind::not_found);
    done(meetings->end(id));
    EXPECT_EQ(loop.run(meetings->end("never")).error().kind, ErrorKind::not_found);
}

TEST_P(SdkUseCases, AFullMeetingSaysSo) {
    const auto id = create("token").meeting.meeting.meeting_id;
    EXPECT_EQ(done(meetings->add_attendees(id, {{"1", {}}, {"2", {}}, {"3", {}}, {"1", {}}})).size(), 4U);
    EXPECT_EQ(loop.run(meetings->add_attendees(id, {{"4", {}}})).error().kind, ErrorKind::unprocessable);
    EXPECT_EQ(done(meetings->add_attendees(id, {{"2", {}}}))[0].attendee.external_user_id, "2");
    EXPECT_EQ(loop.run(meetings->add_attendees("never", {{"4", {}}})).error().kind, ErrorKind::not_found);
}

TEST_P(SdkUseCases, AnEmptyMeetingEndsAfterItsTime) {
    const auto id = create("token", {{"one", {}}}).meeting.meeting.meeting_id;
    pass(5min, {});
    EXPECT_EQ(ended, 0);
    pass(1min, {});
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(floor.take(), (std::vector<std::string>{"close " + id}));
    EXPECT_EQ(verdict(id, "x"), Admission::Verdict::ended);
}

TEST_P(SdkUseCases, ASpeakerHoldsItAndARecorderDoesNot) {
    const auto held = create("held", {{"speaker", {}}});
    const auto recorded = create("recorded", {{"recorder", kRecorder}});
    const auto speaker = held.attendees[0].attendee.attendee_id;
    const auto recorder = recorded.attendees[0].attendee.attendee_id;
    pass(10min, {speaker, recorder});
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(verdict(held.meeting.meeting.meeting_id, speaker), Admission::Verdict::admitted);
    EXPECT_EQ(verdict(recorded.meeting.meeting.meeting_id, recorder), Admission::Verdict::ended);
    pass(6min, {});
    EXPECT_EQ(ended, 2);
}

TEST_P(SdkUseCases, SilenceOfOursEndsNothing) {
    const auto id = create("token", {{"one", {}}}).meeting.meeting.meeting_id;
    const auto one = done(meetings->attendees(id, "", 1))[0].attendee.attendee_id;
    pass(1min, {one});
    // The service was away for an hour; its clients come back a minute after it.
    clock.time += 1h;
    meetings = fresh();
    pass(1min, {});
    EXPECT_EQ(ended, 0);
    pass(10min, {one});
    EXPECT_EQ(ended, 0);
    // The database is away: nobody can be written down.
    clock.time += 20min;
    EXPECT_EQ(done(meetings->sweep()), 0);
    pass(1min, {});
    EXPECT_EQ(ended, 0);
    pass(7min, {});
    EXPECT_EQ(ended, 1);
}

TEST_P(SdkUseCases, NoMeetingLastsLongerThanADay) {
    const auto created = create("token", {{"one", {}}});
    const auto one = created.attendees[0].attendee.attendee_id;
    clock.time += 23h;
    done(meetings->happened({Kind::attendee_joined, created.meeting.meeting.meeting_id, one, clock.time}));
    pass(10min, {one});
    EXPECT_EQ(ended, 0);
    clock.time += 50min + 1s;
    done(meetings->attendees_seen({one}));
    EXPECT_EQ(done(meetings->sweep()), 1);
    EXPECT_EQ(floor.take(), (std::vector<std::string>{"close " + created.meeting.meeting.meeting_id}));
    clock.time += 24h + 1s;
    done(meetings->sweep());
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_sdk_meetings"), "0");
}

TEST_P(SdkUseCases, WhatAnotherProcessDecidedIsDoneHere) {
    const auto created = create("token", {{"one", {}}, {"two", {}}});
    const auto id = created.meeting.meeting.meeting_id;
    const auto one = created.attendees[0].attendee.attendee_id, two = created.attendees[1].attendee.attendee_id;
    auto other_store = backend->open();
    Floor elsewhere;
    service::SdkMeetings other({}, *dynamic_cast<SdkMeetingStore*>(other_store.get()), elsewhere, clock);
    done(meetings->attendees_seen({one, two}));
    EXPECT_TRUE(floor.take().empty());
    done(other.remove_attendee(id, one));
    done(other.set_capabilities(id, two, kRecorder));
    done(meetings->attendees_seen({one, two, "of a consultation"}));
    auto told = floor.take();
    std::ranges::sort(told);
    EXPECT_EQ(told, (std::vector<std::string>{"change " + id + " " + two, "out " + id + " " + one}));
    done(other.end(id));
    done(meetings->attendees_seen({two}));
    EXPECT_EQ(floor.take(), (std::vector<std::string>{"close " + id}));
}

TEST_P(SdkUseCases, WhatNobodyWillBeToldIsDropped) {
    auto* const sdk = dynamic_cast<SdkMeetingStore*>(store.get());
    service::SdkMeetingsSettings telling;
    telling.notify = true;
    service::SdkMeetings told(telling, *sdk, floor, clock);
    done(told.create(wanted("token", {{"one", {}}}), ""));
    done(told.sweep());
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_meeting_notifications"), "2");
    // Each sweep drops the first of each meeting.
    done(meetings->sweep());
    done(meetings->sweep());
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_meeting_notifications"), "0");
}

TEST_P(SdkUseCases, TranscriptionFailsAndStops) {
    const auto id = create("token").meeting.meeting.meeting_id;
    done(meetings->stop_transcription(id, "r"));
    EXPECT_TRUE(floor.take().empty());
    done(meetings->start_transcription(id, R"({"x":1})", "r"));
    done(meetings->stop_transcription(id, "r"));
    using Type = service::TranscriptionStatus::Type;
    const auto told = [&id](Type type) { return "transcription " + id + " " + std::to_string(static_cast<int>(type)); };
    EXPECT_EQ(floor.take(), (std::vector<std::string>{told(Type::failed), told(Type::stopped)}));
}

}  // namespace
}  // namespace store::contract
