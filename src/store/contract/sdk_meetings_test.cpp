// Meetings of the SDK's API: kept, shared, ended, told about.
#include <set>

#include "service/sdk_meeting_store.hpp"
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using core::Flow;
using service::Misplaced;
using service::SdkAttendee;
using service::SdkMeeting;
using service::SdkMeetingStore;
using service::TagOutcome;
using Kind = core::MeetingEvent::Kind;

constexpr core::Capabilities kListener{.audio = Flow::receive, .video = Flow::receive, .content = Flow::receive};

class SdkMeetings : public StoreTest {
  protected:
    void SetUp() override {
        StoreTest::SetUp();
        sdk = dynamic_cast<SdkMeetingStore*>(store.get());
    }

    static SdkMeeting meeting(int number) {
        SdkMeeting made;
        made.meeting_id = id(number);
        made.request_token = "token-" + std::to_string(number);
        made.request_hash = "hash";
        made.control_region = "eu-central-1";
        made.external_meeting_id = "Visite «Ω» \"1\" \\ {a,b}";
        made.media_region = "local";
        made.details = R"({"TenantIds":["a b"]})";
        made.max_attendees = 3;
        made.created_at = at();
        made.active_at = at();
        return made;
    }
    static SdkAttendee attendee(int number, std::string user, core::Capabilities capabilities = {}) {
        return {id(number), std::move(user), capabilities, at(1s)};
    }
    void create(int number, std::vector<SdkAttendee> attendees = {}, bool notify = false) {
        ASSERT_TRUE(done(sdk->create_meeting(meeting(number), std::move(attendees), {}, notify)));
    }
    std::vector<SdkAttendee> add(int number, std::vector<SdkAttendee> attendees, int most = 100) {
        return done(sdk->add_attendees(id(number), std::move(attendees), most, false));
    }
    std::optional<service::SdkPlace> place(int number, const std::string& attendee_id = {}) {
        return done(sdk->find_place(id(number), attendee_id));
    }
    std::vector<std::string> types(core::Time now = at(1h)) {
        std::vector<std::string> types;
        for (;;) {
            const auto due = done(sdk->due_notifications(now, 10));
            if (due.empty()) return types;
            for (const auto& told : due) {
                types.push_back(told.event_type.substr(6) +
                                (told.attendee_id.empty() ? "" : " " + told.external_user_id));
                done(sdk->finish_notifications({told.sequence}));
            }
        }
    }
    void happened(Kind kind, int number, int attendee_number, core::Time when, const std::string& type) {
        done(sdk->note_event({kind, id(number), id(attendee_number), when}, "chime:" + type, true));
    }

    SdkMeetingStore* sdk = nullptr;
};
STORE_TEST_SUITE(SdkMeetings);

TEST_P(SdkMeetings, AreKeptWithAllTheirFields) {
    ASSERT_TRUE(done(sdk->create_meeting(meeting(1), {attendee(5, "Ärztin «1»"), attendee(6, "pat-2", kListener)},
                                         {{"b", ""}, {"a", "x y"}}, false)));
    store.reset();
    store = backend->open();
    sdk = dynamic_cast<SdkMeetingStore*>(store.get());
    EXPECT_EQ(place(1)->meeting, meeting(1));
    EXPECT_EQ(place(1)->attendee, std::nullopt);
    EXPECT_EQ(place(1, id(6))->attendee, attendee(6, "pat-2", kListener));
    EXPECT_EQ(place(1, id(7))->attendee, std::nullopt);
    EXPECT_FALSE(place(2).has_value());
    EXPECT_EQ(done(sdk->find_by_request("token-1")), meeting(1));
    EXPECT_EQ(done(sdk->find_by_request("token-2")), std::nullopt);
    EXPECT_EQ(done(sdk->tags(id(1))), (service::Tags{{"a", "x y"}, {"b", ""}}));
    EXPECT_EQ(done(sdk->list_attendees(id(1), "", 10)).size(), 2U);
}

TEST_P(SdkMeetings, ARequestTokenMakesOneMeeting) {
    create(1);
    auto second = meeting(2);
    second.request_token = "token-1";
    EXPECT_FALSE(done(sdk->create_meeting(second, {attendee(5, "one")}, {{"a", "b"}}, true)));
    EXPECT_FALSE(place(2).has_value());
    EXPECT_TRUE(types().empty());
    // The token is given up with the meeting.
    EXPECT_TRUE(done(sdk->end_meeting(id(1), at(1min), false)));
    EXPECT_TRUE(done(sdk->create_meeting(second, {}, {}, false)));
}

TEST_P(SdkMeetings, TwoProcessesMakeOneMeetingOfOneToken) {
    auto other_store = backend->open();
    auto* other = dynamic_cast<SdkMeetingStore*>(other_store.get());
    std::vector<std::shared_ptr<std::optional<core::Result<bool>>>> begun;
    for (int number = 1; number <= 8; ++number) {
        auto made = meeting(number);
        made.request_token = "same";
        begun.push_back(loop.begin((number % 2 == 0 ? sdk : other)->create_meeting(made, {}, {}, true)));
    }
    int created = 0;
    for (const auto& one : begun) created += awaited(one) ? 1 : 0;
    EXPECT_EQ(created, 1);
    EXPECT_EQ(types(), (std::vector<std::string>{"MeetingStarted"}));
}

TEST_P(SdkMeetings, AnExternalIdIsOneAttendee) {
    create(1);
    EXPECT_EQ(add(1, {attendee(5, "one"), attendee(6, "two"), attendee(7, "one")}).size(), 2U);
    const auto again = add(1, {attendee(8, "two"), attendee(9, "three")});
    ASSERT_EQ(again.size(), 2U);
    std::set<std::string> ids{again[0].attendee_id, again[1].attendee_id};
    EXPECT_EQ(ids, (std::set{id(6), id(9)}));
    // Another meeting has its own.
    create(2);
    EXPECT_EQ(add(2, {attendee(10, "one")}).at(0).attendee_id, id(10));
}

TEST_P(SdkMeetings, ThereIsRoomForSoManyAllOrNone) {
    create(1);
    EXPECT_EQ(add(1, {attendee(5, "one"), attendee(6, "two")}, 2).size(), 2U);
    const auto full = add(1, {attendee(7, "one"), attendee(8, "three")}, 2);
    ASSERT_EQ(full.size(), 1U);
    EXPECT_EQ(full[0].attendee_id, id(5));
    EXPECT_EQ(done(sdk->list_attendees(id(1), "", 10)).size(), 2U);
    EXPECT_TRUE(done(sdk->remove_attendee(id(1), id(5), at(1min), false)));
    EXPECT_EQ(add(1, {attendee(8, "three")}, 2).size(), 1U);
}

TEST_P(SdkMeetings, TheListGoesOnWhereItStopped) {
    create(1);
    std::vector<SdkAttendee> many;
    for (int number = 1; number <= 25; ++number) many.push_back(attendee(number, "user-" + std::to_string(number)));
    add(1, many);
    std::set<std::string> seen;
    for (std::string after;;) {
        const auto page = done(sdk->list_attendees(id(1), after, 10));
        if (page.empty()) break;
        EXPECT_LE(page.size(), 10U);
        for (const auto& one : page) EXPECT_TRUE(seen.insert(one.attendee_id).second);
        after = page.back().attendee_id;
    }
    EXPECT_EQ(seen.size(), 25U);
}

TEST_P(SdkMeetings, WhoeverIsRemovedIsStillKnownAndMayComeAnew) {
    create(1, {attendee(5, "one")});
    EXPECT_FALSE(done(sdk->remove_attendee(id(1), id(6), at(1min), true)));
    EXPECT_FALSE(done(sdk->remove_attendee(id(2), id(5), at(1min), true)));
    EXPECT_TRUE(done(sdk->remove_attendee(id(1), id(5), at(1min), true)));
    EXPECT_FALSE(done(sdk->remove_attendee(id(1), id(5), at(1min), true)));
    EXPECT_TRUE(place(1, id(5))->attendee->removed);
    EXPECT_TRUE(done(sdk->list_attendees(id(1), "", 10)).empty());
    EXPECT_EQ(add(1, {attendee(6, "one")}).at(0).attendee_id, id(6));
    EXPECT_EQ(types(), (std::vector<std::string>{"AttendeeDeleted one"}));
}

TEST_P(SdkMeetings, CapabilitiesOfSomeOrOfAllOthers) {
    create(1, {attendee(5, "one"), attendee(6, "two"), attendee(7, "three")});
    EXPECT_EQ(done(sdk->set_capabilities(id(1), {id(5), id(99)}, false, kListener, at(1min), true)),
              (std::vector<std::string>{id(5)}));
    EXPECT_EQ(place(1, id(5))->attendee->capabilities, kListener);
    EXPECT_EQ(place(1, id(6))->attendee->capabilities, core::Capabilities{});
    const auto told = done(sdk->due_notifications(at(1h), 10)).at(0);
    EXPECT_EQ(told.capabilities, kListener);
    EXPECT_EQ(told.attendee_id, id(5));
    EXPECT_EQ(done(sdk->set_capabilities(id(1), {id(6)}, true, kListener, at(1min), false)),
              (std::vector<std::string>{id(5), id(7)}));
    EXPECT_EQ(place(1, id(6))->attendee->capabilities, core::Capabilities{});
    EXPECT_TRUE(done(sdk->set_capabilities(id(2), {}, true, kListener, at(1min), false)).empty());
}

TEST_P(SdkMeetings, EndOnceAndTakeNobodyMore) {
    create(1, {attendee(5, "one")});
    EXPECT_TRUE(done(sdk->set_transcription(id(1), "{}")));
    EXPECT_EQ(place(1)->meeting.transcription, "{}");
    EXPECT_TRUE(done(sdk->end_meeting(id(1), at(2min), true)));
    EXPECT_FALSE(done(sdk->end_meeting(id(1), at(3min), true)));
    EXPECT_FALSE(done(sdk->end_meeting(id(2), at(3min), true)));
    EXPECT_EQ(place(1)->meeting.ended_at, at(2min));
    EXPECT_EQ(place(1)->meeting.transcription, std::nullopt);
    EXPECT_TRUE(add(1, {attendee(6, "two")}).empty());
    EXPECT_FALSE(done(sdk->remove_attendee(id(1), id(5), at(3min), true)));
    EXPECT_FALSE(done(sdk->set_transcription(id(1), "{}")));
    EXPECT_TRUE(done(sdk->list_attendees(id(1), "", 10)).empty());
    EXPECT_EQ(done(sdk->set_tags(id(1), {{"a", "b"}}, 50)), TagOutcome::no_such_meeting);
    EXPECT_EQ(types(), (std::vector<std::string>{"MeetingEnded"}));
}

TEST_P(SdkMeetings, TagsAreReplacedByKeyAndBounded) {
    create(1);
    EXPECT_EQ(done(sdk->set_tags(id(1), {{"a", "1"}, {"b", "2"}}, 3)), TagOutcome::written);
    EXPECT_EQ(done(sdk->set_tags(id(1), {{"b", "3"}, {"c", "4"}}, 3)), TagOutcome::written);
    EXPECT_EQ(done(sdk->set_tags(id(1), {{"c", "5"}, {"d", "6"}}, 3)), TagOutcome::too_many);
    EXPECT_EQ(done(sdk->tags(id(1))), (service::Tags{{"a", "1"}, {"b", "3"}, {"c", "4"}}));
    done(sdk->remove_tags(id(1), {"a", "zzz"}));
    EXPECT_EQ(done(sdk->tags(id(1))), (service::Tags{{"b", "3"}, {"c", "4"}}));
    EXPECT_EQ(done(sdk->set_tags(id(2), {{"a", "1"}}, 3)), TagOutcome::no_such_meeting);
}

TEST_P(SdkMeetings, OnlyThoseWhoMaySendKeepAMeetingAlive) {
    create(1, {attendee(5, "speaker"), attendee(6, "recorder", kListener)});
    const auto due = [&](core::Time empty_since) { return done(sdk->due_to_end({empty_since, at(-1h)}, 10)); };
    EXPECT_EQ(due(at(1us)), (std::vector<std::string>{id(1)}));
    EXPECT_TRUE(due(at()).empty());
    happened(Kind::attendee_joined, 1, 6, at(1min), "AttendeeJoined");
    EXPECT_TRUE(done(sdk->note_connected({id(6), id(77)}, at(2min), at(2min))).empty());
    EXPECT_EQ(due(at(1s)).size(), 1U);
    happened(Kind::attendee_joined, 1, 5, at(1min), "AttendeeJoined");
    EXPECT_TRUE(due(at(1min)).empty());
    EXPECT_EQ(due(at(1min + 1us)).size(), 1U);
    done(sdk->note_connected({id(5)}, at(3min), at(3min)));
    EXPECT_TRUE(due(at(3min)).empty());
    // An old message changes nothing.
    happened(Kind::attendee_left, 1, 5, at(2min), "AttendeeLeft");
    EXPECT_TRUE(due(at(3min)).empty());
    EXPECT_EQ(done(sdk->due_to_end({at(), at(1us)}, 10)), (std::vector<std::string>{id(1)}));
    // Somebody has come since it was looked for.
    EXPECT_FALSE(done(sdk->end_meeting(id(1), at(4min), false, service::EndTerms{at(3min), at()})));
    EXPECT_TRUE(done(sdk->end_meeting(id(1), at(4min), false, service::EndTerms{at(3min + 1us), at()})));
    EXPECT_TRUE(done(sdk->due_to_end({at(1h), at(1h)}, 10)).empty());
}

TEST_P(SdkMeetings, WhoeverIsWhereTheyShouldNotBeIsNamed) {
    create(1, {attendee(5, "one"), attendee(6, "two"), attendee(7, "three")});
    create(2, {attendee(8, "four")});
    EXPECT_TRUE(done(sdk->note_connected({id(5), id(6), id(7), id(8)}, at(1min), at())).empty());
    done(sdk->remove_attendee(id(1), id(5), at(2min), false));
    done(sdk->set_capabilities(id(1), {id(6)}, false, kListener, at(2min), false));
    done(sdk->end_meeting(id(2), at(2min), false));
    std::map<std::string, Misplaced> found;
    for (auto& one : done(sdk->note_connected({id(5), id(6), id(7), id(8)}, at(3min), at(1min)))) {
        found[one.attendee_id] = one;
    }
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[id(5)].why, Misplaced::Why::removed);
    EXPECT_EQ(found[id(5)].meeting_id, id(1));
    EXPECT_EQ(found[id(6)].why, Misplaced::Why::capabilities_changed);
    EXPECT_EQ(found[id(6)].capabilities, kListener);
    EXPECT_EQ(found[id(8)].why, Misplaced::Why::meeting_ended);
    EXPECT_EQ(done(sdk->note_connected({id(6)}, at(3min), at(2min + 1us))).size(), 0U);
}

TEST_P(SdkMeetings, AreForgottenSomeTimeAfterTheirEnd) {
    for (int number = 1; number <= 3; ++number) create(number, {attendee(number + 10, "one")});
    ASSERT_EQ(done(sdk->set_tags(id(1), {{"a", "1"}}, 50)), TagOutcome::written);
    done(sdk->end_meeting(id(1), at(1min), false));
    done(sdk->end_meeting(id(2), at(2min), false));
    EXPECT_EQ(done(sdk->prune_meetings(at(1min), 10)), 0);
    EXPECT_EQ(done(sdk->prune_meetings(at(1h), 1)), 1);
    EXPECT_FALSE(place(1).has_value());
    EXPECT_TRUE(place(2).has_value());
    EXPECT_EQ(done(sdk->prune_meetings(at(1h), 10)), 1);
    EXPECT_TRUE(place(3).has_value());
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_sdk_attendees"), "1");
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_sdk_tags"), "0");
}

TEST_P(SdkMeetings, WhatIsToldCarriesAllThatChimeTells) {
    create(1, {attendee(5, "one")}, true);
    happened(Kind::attendee_joined, 1, 5, at(2min), "AttendeeJoined");
    auto due = done(sdk->due_notifications(at(1h), 10));
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].event_type, "chime:MeetingStarted");
    EXPECT_EQ(due[0].occurred_at, at());
    EXPECT_EQ(due[0].attendee_id, "");
    done(sdk->finish_notifications({due[0].sequence}));
    due = done(sdk->due_notifications(at(1h), 10));
    EXPECT_EQ(due.at(0).event_type, "chime:AttendeeAdded");
    EXPECT_EQ(due.at(0).capabilities, std::nullopt);
    done(sdk->finish_notifications({due[0].sequence}));
    due = done(sdk->due_notifications(at(1h), 10));
    EXPECT_EQ(due.at(0).event_type, "chime:AttendeeJoined");
    EXPECT_EQ(due.at(0).occurred_at, at(2min));
    EXPECT_EQ(due.at(0).meeting_id, id(1));
    EXPECT_EQ(due.at(0).external_meeting_id, meeting(1).external_meeting_id);
    EXPECT_EQ(due.at(0).media_region, "local");
    EXPECT_EQ(due.at(0).control_region, "eu-central-1");
    EXPECT_EQ(due.at(0).attendee_id, id(5));
    EXPECT_EQ(due.at(0).external_user_id, "one");
}

TEST_P(SdkMeetings, OneThatWaitsHoldsUpItsOwnMeetingOnly) {
    create(1, {attendee(5, "one")}, true);
    create(2, {}, true);
    const auto first = done(sdk->due_notifications(at(1min), 10));
    ASSERT_EQ(first.size(), 2U);
    done(sdk->postpone_notification(first[0].sequence, at(10min)));
    happened(Kind::attendee_joined, 1, 5, at(2min), "AttendeeJoined");
    auto due = done(sdk->due_notifications(at(9min), 10));
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].meeting_id, id(2));
    due = done(sdk->due_notifications(at(10min), 10));
    ASSERT_EQ(due.size(), 2U);
    EXPECT_EQ(due[0].sequence, first[0].sequence);
    EXPECT_EQ(due[0].attempts, 1);
    EXPECT_EQ(types(at(10min)).size(), 4U);
}

TEST_P(SdkMeetings, ForeignAndUnwantedEventsAreNotTold) {
    create(1, {attendee(5, "one")});
    done(sdk->note_event({Kind::attendee_joined, id(1), id(5), at()}, "chime:AttendeeJoined", false));
    happened(Kind::attendee_joined, 2, 5, at(), "AttendeeJoined");
    happened(Kind::attendee_joined, 1, 6, at(), "AttendeeJoined");
    EXPECT_TRUE(types().empty());
    // People leave after the end as well.
    done(sdk->end_meeting(id(1), at(1min), false));
    happened(Kind::attendee_left, 1, 5, at(2min), "AttendeeLeft");
    EXPECT_EQ(types(), (std::vector<std::string>{"AttendeeLeft one"}));
}

}  // namespace
}  // namespace store::contract
