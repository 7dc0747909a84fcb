// Visits whose meetings are made by a provider like AWS Chime: the use cases on a real SQLite store, with a provider
// that fails, ends meetings and is slow on demand. The real provider is tested beside its source.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "service/consultations.hpp"
#include "service/metering.hpp"
#include "service/platform_requests.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace app {
namespace {

using namespace std::chrono_literals;
using consultation::Caller;
using consultation::Provider;
using consultation::Status;
using core::ErrorKind;
using core::Result;
using core::Time;
using service::Task;
using testing::IsEmpty;
using testing::SizeIs;

class SetClock final : public core::Clock {
  public:
    Time now() const override { return at; }
    Time at = core::parse_utc("2026-01-25T14:00:00").value();
};

/// What AWS does: meetings by session and generation, attendees by external user id, all gone with the meeting.
class LikeChime final : public service::MeetingProvider {
  public:
    struct Made {
        int number = 0;
        bool ended = false;
        std::map<std::string, std::string> attendees;
    };
    std::map<std::string, Made> meetings;  ///< By meeting id.
    int created = 0, ends = 0, removals = 0, failures = 0;
    std::vector<bool> renewals;
    Presence told = Presence::none;
    std::function<Task<void>()> on_create;  ///< Something that happens while AWS thinks.

    Task<Result<service::MadeMeeting>> create_meeting(service::MeetingPlan plan) override {
        if (on_create) co_await std::exchange(on_create, {})();
        const auto id = "chime-" + plan.session_id.substr(0, 8) + "-" + std::to_string(plan.generation);
        if (!meetings.contains(id)) ++created;
        auto& made = meetings[id];
        service::MadeMeeting answer;
        answer.meeting.provider = Provider::chime;
        answer.meeting.meeting_id = id;
        answer.meeting.external_meeting_id = "pulseone-" + plan.session_id;
        answer.meeting.media_region = plan.media_region.value_or("us-east-1");
        answer.meeting.generation = plan.generation;
        answer.attendees.reserve(plan.external_user_ids.size());
        for (const auto& user : plan.external_user_ids) answer.attendees.push_back(attendee(id, made, user));
        co_return answer;
    }
    Task<Result<service::Credentials>> credentials(consultation::Meeting meeting, std::string user, std::string known,
                                                   bool renew, core::trace::Context) override {
        renewals.push_back(renew);
        auto& made = meetings[meeting.meeting_id];
        if (made.ended) co_return core::fail(ErrorKind::gone, "ended");
        if (renew && made.attendees[user] == known) made.attendees.erase(user);
        co_return attendee(meeting.meeting_id, made, user);
    }
    consultation::Meeting placed_for(consultation::Meeting meeting, std::string_view) const override { return meeting; }
    Task<Result<void>> end_meeting(Provider, std::string id) override {
        ++ends;
        if (failures-- > 0) co_return core::fail(ErrorKind::unavailable, "not now");
        meetings[id].ended = true;
        co_return Result<void>{};
    }
    Task<Result<void>> remove_attendee(Provider, std::string, std::string) override {
        ++removals;
        co_return Result<void>{};
    }
    Task<Result<std::vector<std::string>>> roster(consultation::Meeting meeting) override {
        const auto& made = meetings[meeting.meeting_id];
        if (made.ended) co_return core::fail(ErrorKind::gone, "ended");
        std::vector<std::string> ids;
        ids.reserve(made.attendees.size());
        for (const auto& [user, id] : made.attendees) ids.push_back(id);
        co_return ids;
    }
    Task<Result<void>> start_transcription(consultation::Meeting, service::TranscriptionOptions) override {
        co_return Result<void>{};
    }
    Task<Result<void>> stop_transcription(consultation::Meeting) override { co_return Result<void>{}; }
    Presence presence(Provider) const override { return told; }

  private:
    service::Credentials attendee(const std::string& meeting, Made& made, const std::string& user) {
        auto& id = made.attendees[user];
        if (id.empty()) id = meeting + "/" + user + "/" + std::to_string(++made.number);
        return {id, user, "token of " + id};
    }
};

class ChimeVisitTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/chime_visit_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder_ = name;
        store::sqlite::SqliteSettings settings;
        settings.path = folder_ + "/sessions.sqlite";
        auto opened = store::sqlite::SqliteStore::open(settings);
        ASSERT_TRUE(opened) << opened.error().detail;
        store = std::move(*opened);
        visits = std::make_unique<service::Consultations>(service::ConsultationsSettings{}, *store, chime, clock);
    }
    void TearDown() override {
        if (store) store->stop();
        visits.reset();
        store.reset();
        std::filesystem::remove_all(folder_);
    }

    template <class T>
    T run(Task<T> task) {
        std::optional<T> result;
        boost::asio::co_spawn(context_, std::move(task), [&](std::exception_ptr thrown, T value) {
            if (thrown) std::rethrow_exception(thrown);
            result.emplace(std::move(value));
        });
        while (!result) {
            context_.restart();
            context_.run_one();
        }
        return std::move(*result);
    }

    std::string booked(std::optional<std::string> appointment = {}) {
        service::CreateRequest request;
        request.doctor_id = "12";
        request.patient_id = "34";
        request.appointment_id = std::move(appointment);
        request.scheduled_start_time = clock.at;
        return run(visits->create(doctor, request)).value().session.session_id;
    }
    Result<service::Joined> join(const Caller& who, const std::string& id) { return run(visits->join(who, id, {})); }
    consultation::Session session(const std::string& id) { return run(visits->get(admin, id)).value(); }
    void do_all_jobs() {
        while (run(visits->do_jobs()).value() > 0) {
        }
    }

    SetClock clock;
    LikeChime chime;
    std::unique_ptr<store::sqlite::SqliteStore> store;
    std::unique_ptr<service::Consultations> visits;
    const Caller doctor{"12", "DOCTOR"}, patient{"34", "PATIENT"}, admin{"1", "ADMIN"};

  private:
    std::string folder_;
    boost::asio::io_context context_{1};
};

TEST_F(ChimeVisitTest, D3NoMeetingIsMadeBeforeSomebodyComes) {
    const auto id = booked();
    EXPECT_EQ(chime.created, 0);
    EXPECT_FALSE(session(id).meeting);
    ASSERT_TRUE(join(patient, id));
    EXPECT_EQ(chime.created, 1);
}

TEST_F(ChimeVisitTest, TheSecondToJoinWhileTheFirstIsAskingGetsTheSameMeeting) {
    const auto id = booked();
    std::optional<Result<service::Joined>> second;
    chime.on_create = [&]() -> Task<void> { second = co_await visits->join(doctor, id, {}); };
    const auto first = join(patient, id);
    ASSERT_TRUE(first && second && *second);
    EXPECT_EQ(first->meeting.meeting_id, (*second)->meeting.meeting_id);
    EXPECT_EQ(chime.created, 1);
    EXPECT_EQ(session(id).status, Status::active);
}

TEST_F(ChimeVisitTest, D5AMeetingThatAWSHasEndedIsMadeAgainWithNewCredentials) {
    const auto id = booked();
    const auto first = join(patient, id).value();
    ASSERT_TRUE(join(doctor, id));
    chime.meetings[first.meeting.meeting_id].ended = true;
    clock.at += 10min;
    const auto again = join(patient, id).value();
    EXPECT_EQ(again.meeting.generation, 2);
    EXPECT_NE(again.credentials.attendee_id, first.credentials.attendee_id);
    EXPECT_NE(again.credentials.join_token, first.credentials.join_token);
    const auto other = join(doctor, id).value();
    EXPECT_EQ(other.meeting.meeting_id, again.meeting.meeting_id);
    EXPECT_TRUE(other.credentials.attendee_id.starts_with(again.meeting.meeting_id));
    EXPECT_EQ(run(store->find_by_meeting(first.meeting.meeting_id)).value().value().session_id, id)
        << "any id that the session ever had finds it";
}

TEST_F(ChimeVisitTest, D20AMeetingMadeWhileTheSessionWasCancelledIsDeleted) {
    const auto id = booked();
    chime.on_create = [&]() -> Task<void> {
        const auto cancelled = co_await visits->cancel(doctor, id, "The doctor is ill today.");
        EXPECT_TRUE(cancelled);
    };
    EXPECT_EQ(join(patient, id).error().detail, "This session has been cancelled");
    EXPECT_EQ(chime.created, 1);
    do_all_jobs();
    EXPECT_TRUE(chime.meetings.begin()->second.ended);
}

TEST_F(ChimeVisitTest, D23ADeleteThatFailsTenTimesIsDoneInTheEnd) {
    const auto id = booked();
    ASSERT_TRUE(join(doctor, id));
    chime.failures = 10;
    ASSERT_TRUE(run(visits->end(doctor, id, {})));
    EXPECT_EQ(chime.ends, 0) << "the answer did not wait for AWS";
    for (int i = 0; i < 11; ++i) {
        EXPECT_EQ(chime.ends, i);
        do_all_jobs();
        do_all_jobs();
        clock.at += 5min;
    }
    EXPECT_EQ(chime.ends, 11);
    EXPECT_TRUE(chime.meetings.begin()->second.ended);
    EXPECT_EQ(run(store->job_backlog()).value().waiting, 0);
}

TEST_F(ChimeVisitTest, D25LeaveTakesTheAttendeeOutAndAReturnGetsANewIdentity) {
    const auto id = booked();
    const auto first = join(patient, id).value();
    ASSERT_TRUE(run(visits->leave(patient, id)));
    do_all_jobs();
    EXPECT_EQ(chime.removals, 1);
    const auto back = join(patient, id).value();
    EXPECT_TRUE(chime.renewals.back());
    EXPECT_NE(back.credentials.attendee_id, first.credentials.attendee_id);
    EXPECT_EQ(back.meeting.meeting_id, first.meeting.meeting_id);
}

TEST_F(ChimeVisitTest, AReconcilerFindsAnEndedMeetingAndClosesItsStays) {
    const auto id = booked();
    const auto joined = join(patient, id).value();
    ASSERT_TRUE(join(doctor, id));
    clock.at += 20min;
    EXPECT_EQ(run(visits->reconcile_meetings()).value(), 1);
    clock.at += 1min;
    chime.meetings[joined.meeting.meeting_id].ended = true;
    ASSERT_TRUE(run(visits->reconcile_meetings()));
    const auto after = session(id);
    EXPECT_EQ(after.status, Status::active);
    EXPECT_EQ(after.attendees[0].attended_chime, 15min) << "it had been empty for five minutes when AWS ended it";
    clock.at += 16min;
    ASSERT_TRUE(run(visits->sweep()));
    EXPECT_EQ(session(id).status, Status::completed);
}

TEST_F(ChimeVisitTest, NotificationsInAnyOrderAndTwiceGiveTheStayThatAWSSaw) {
    chime.told = service::MeetingProvider::Presence::events;
    const auto id = booked();
    const auto joined = join(patient, id).value();
    const auto began = clock.at;
    const auto event = [&](const char* type, std::string event_id, Time at) {
        return service::ChimeEvent{std::move(event_id), type, joined.meeting.meeting_id, joined.credentials.attendee_id,
                                   at};
    };
    clock.at += 10min;
    for (int round = 0; round < 2; ++round) {
        ASSERT_TRUE(run(visits->chime_event(event("chime:AttendeeJoined", "e1", began + 6s))));
        ASSERT_TRUE(run(visits->chime_event(event("chime:AttendeeDropped", "e2", began + 3min))));
        ASSERT_TRUE(run(visits->chime_event(event("chime:AttendeeJoined", "e3", began + 4min))));
        ASSERT_TRUE(run(visits->chime_event(event("chime:AttendeeLeft", "e4", began + 8min))));
        ASSERT_TRUE(run(visits->chime_event(event("chime:AttendeeJoined", "e1", began + 6s))));
    }
    EXPECT_EQ(session(id).attendees[0].attended_chime, 2min + 54s + 4min);
    EXPECT_EQ(session(id).attendees[0].billed_tenths, 29 + 40);
    EXPECT_FALSE(session(id).attendees[0].present());

    service::Metering metering({.free_tier_minutes = 1000}, *store, clock);
    const auto month = core::parse_utc("2026-01-01T00:00:00").value();
    const auto found = run(metering.reconcile(month, month + std::chrono::days{31})).value();
    EXPECT_EQ(found.rows, 1);
    EXPECT_THAT(found.wrong, IsEmpty());
    EXPECT_THAT(found.drifting, IsEmpty());
}

TEST_F(ChimeVisitTest, SomebodyWhomAWSNeverSawWasNotThere) {
    chime.told = service::MeetingProvider::Presence::events;
    const auto id = booked();
    ASSERT_TRUE(join(patient, id));
    clock.at += 2min + 1s;
    EXPECT_EQ(run(visits->sweep()).value(), 1);
    EXPECT_FALSE(session(id).attendees[0].present());
    EXPECT_EQ(session(id).attendees[0].billed_tenths, 0);
}

TEST_F(ChimeVisitTest, D27TheBudgetAndItsThresholdsFollowTheMinutesOnceEach) {
    service::Metering metering({.free_tier_minutes = 10}, *store, clock);
    const auto id = booked();
    ASSERT_TRUE(join(patient, id));
    ASSERT_TRUE(run(metering.announce_thresholds()));
    EXPECT_FALSE(run(metering.budget_used_up()).value());
    clock.at += 5min;
    ASSERT_TRUE(run(metering.announce_thresholds()));
    const auto thresholds = [&] {
        std::vector<std::string> found;
        for (const auto& message : run(store->unpublished(100)).value()) {
            if (message.event_type == "video.usage.threshold") found.push_back(message.payload);
        }
        return found;
    };
    ASSERT_THAT(thresholds(), SizeIs(1));
    EXPECT_THAT(thresholds()[0], testing::HasSubstr(R"("percent":50)"));
    clock.at += 5min;
    ASSERT_TRUE(run(visits->end(doctor, id, {})));
    service::Metering another({.free_tier_minutes = 10}, *store, clock);
    ASSERT_TRUE(run(another.announce_thresholds()));
    ASSERT_TRUE(run(metering.announce_thresholds()));
    EXPECT_THAT(thresholds(), SizeIs(3));
    EXPECT_TRUE(run(metering.budget_used_up()).value());
    EXPECT_EQ(run(metering.usage({"34", "PATIENT"}, clock.at, clock.at)).error().kind, ErrorKind::forbidden);
}

TEST_F(ChimeVisitTest, D13ARepeatedBookingByMessageAnnouncesTheSameSessionAgain) {
    service::PlatformRequests requests(*store, *store, *visits);
    const service::RequestedSession wanted{"789e1552-abfa-42ab-a7a9-b033e8b745f9", "12", "34", clock.at, "message-1"};
    ASSERT_TRUE(run(requests.create(wanted)));
    auto repeat = wanted;
    repeat.request_id = "message-2";
    for (int delivery = 0; delivery < 2; ++delivery) ASSERT_TRUE(run(requests.create(repeat)));
    const auto messages = run(store->unpublished(100)).value();
    ASSERT_THAT(messages, SizeIs(2)) << "a repeated delivery of one message announces once";
    EXPECT_EQ(messages[0].payload, messages[1].payload);
    EXPECT_NE(messages[0].event_id, messages[1].event_id);

    auto others = wanted;
    others.patient_id = "99";
    EXPECT_EQ(run(requests.create(others)).error().kind, ErrorKind::conflict);
}

TEST_F(ChimeVisitTest, D10StartAndEndByMessageFindTheSessionByAnyOfItsIds) {
    service::PlatformRequests requests(*store, *store, *visits);
    const std::string appointment = "789e1552-abfa-42ab-a7a9-b033e8b745f9";
    const auto id = booked(appointment);
    const auto joined = join(doctor, id).value();
    ASSERT_TRUE(run(requests.start({appointment, "12"})));
    ASSERT_TRUE(run(requests.start({id, "12"})));
    EXPECT_EQ(run(requests.start({"", "12"})).error().kind, ErrorKind::not_found);
    EXPECT_EQ(run(requests.end({joined.meeting.meeting_id, "99", "doctor"})).error().kind, ErrorKind::forbidden);
    ASSERT_TRUE(run(requests.end({joined.meeting.meeting_id, "34", "patient"})));
    ASSERT_TRUE(run(requests.end({id, "12", "doctor"}))) << "it is over, as wanted";
    EXPECT_EQ(session(id).status, Status::completed);
    EXPECT_EQ(session(id).start_requested_at, clock.at);
}

}  // namespace
}  // namespace app
