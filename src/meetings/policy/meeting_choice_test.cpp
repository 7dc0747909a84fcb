#include "meetings/policy/meeting_choice.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <stdexcept>

#include "meetings/chime/chime_errors.hpp"

namespace meetings::policy {
namespace {

namespace asio = boost::asio;
using consultation::Provider;
using core::ErrorKind;
using Mode = MeetingChoiceSettings::Mode;
using Budget = MeetingChoiceSettings::Budget;

template <class T>
T run(service::Task<T> task) {
    asio::io_context loop(1);
    std::optional<T> out;
    asio::co_spawn(loop, std::move(task), [&](const std::exception_ptr& thrown, T value) {
        if (!thrown) out = std::move(value);
    });
    loop.run();
    return std::move(out).value();
}

/// Makes meetings of one kind, fails as told, and remembers what it was asked.
class Fake final : public service::MeetingProvider {
  public:
    explicit Fake(Provider provider) : provider_(provider) {}

    std::optional<core::Error> trouble;  ///< All calls end with it.
    int created = 0;
    std::vector<std::string> asked;

    service::Task<core::Result<service::MadeMeeting>> create_meeting(service::MeetingPlan plan) override {
        ++created;
        if (trouble) co_return std::unexpected(*trouble);
        service::MadeMeeting made;
        made.meeting.provider = provider_;
        made.meeting.meeting_id = plan.session_id + "@" + name();
        co_return made;
    }
    service::Task<core::Result<service::Credentials>> credentials(consultation::Meeting meeting,
                                                                  std::string external_user_id, std::string known,
                                                                  bool renew, core::trace::Context) override {
        asked.push_back("credentials " + meeting.meeting_id + " " + external_user_id + " " + known +
                        (renew ? " renew" : ""));
        if (trouble) co_return std::unexpected(*trouble);
        co_return service::Credentials{"a", external_user_id, "t"};
    }
    consultation::Meeting placed_for(consultation::Meeting meeting, std::string_view reached_at) const override {
        meeting.signaling_url = std::string{reached_at} + "/" + name();
        return meeting;
    }
    service::Task<core::Result<void>> end_meeting(Provider provider, std::string meeting_id) override {
        return note("end " + std::string{to_text(provider)} + " " + meeting_id);
    }
    service::Task<core::Result<void>> remove_attendee(Provider provider, std::string meeting_id,
                                                      std::string attendee_id) override {
        return note("remove " + std::string{to_text(provider)} + " " + meeting_id + " " + attendee_id);
    }
    service::Task<core::Result<std::vector<std::string>>> roster(consultation::Meeting meeting) override {
        co_return std::vector<std::string>{meeting.meeting_id};
    }
    service::Task<core::Result<void>> start_transcription(consultation::Meeting meeting,
                                                          service::TranscriptionOptions options) override {
        return note("start " + meeting.meeting_id + " " + options.language_code);
    }
    service::Task<core::Result<void>> stop_transcription(consultation::Meeting meeting) override {
        return note("stop " + meeting.meeting_id);
    }
    Presence presence(Provider) const override {
        return provider_ == Provider::chime ? Presence::events : Presence::heartbeats;
    }

  private:
    std::string name() const { return std::string{to_text(provider_)}; }
    service::Task<core::Result<void>> note(std::string what) {
        asked.push_back(std::move(what));
        if (trouble) co_return std::unexpected(*trouble);
        co_return core::Result<void>{};
    }
    Provider provider_;
};

BudgetQuery budget(core::Result<bool> answer) {
    return [answer]() -> service::Task<core::Result<bool>> { co_return answer; };
}

service::MeetingPlan plan() {
    service::MeetingPlan out;
    out.session_id = "s";
    return out;
}

class MeetingChoiceTest : public testing::Test {
  protected:
    Fake embedded_{Provider::embedded};
    Fake chime_{Provider::chime};

    core::Result<service::MadeMeeting> made(MeetingChoiceSettings settings, BudgetQuery used_up = {}) {
        MeetingChoice choice(settings, &embedded_, &chime_, std::move(used_up));
        return run(choice.create_meeting(plan()));
    }
};

std::string outcome(const core::Result<service::MadeMeeting>& made) {
    if (!made) return "error: " + made.error().detail;
    return made->meeting.meeting_id + (made->note.empty() ? "" : ": " + made->note);
}

TEST_F(MeetingChoiceTest, TheModeDecides) {
    EXPECT_EQ(outcome(made({Mode::automatic})), "s@chime");
    EXPECT_EQ(outcome(made({Mode::chime})), "s@chime");
    EXPECT_EQ(outcome(made({Mode::embedded})), "s@embedded");
    MeetingChoice without(MeetingChoiceSettings{}, &embedded_, nullptr);
    EXPECT_EQ(outcome(run(without.create_meeting(plan()))), "s@embedded");
    MeetingChoice only_chime(MeetingChoiceSettings{}, nullptr, &chime_);
    EXPECT_EQ(outcome(run(only_chime.create_meeting(plan()))), "s@chime");
}

TEST_F(MeetingChoiceTest, NeedsTheProviderOfItsMode) {
    EXPECT_THROW(MeetingChoice({Mode::chime}, &embedded_, nullptr), std::invalid_argument);
    EXPECT_THROW(MeetingChoice({Mode::embedded}, nullptr, &chime_), std::invalid_argument);
    EXPECT_THROW(MeetingChoice({Mode::automatic}, nullptr, nullptr), std::invalid_argument);
}

TEST_F(MeetingChoiceTest, FallsBackWhenChimeCannotAndSaysWhy) {
    const std::vector<std::pair<core::Error, std::string>> cases{
        {{ErrorKind::unavailable, std::string{chime::kThrottles}}, "s@embedded: AWS Chime throttles"},
        {{ErrorKind::unavailable, std::string{chime::kUnreachable}}, "s@embedded: AWS Chime does not answer"},
        {{ErrorKind::timeout, std::string{chime::kTooSlow}}, "s@embedded: AWS Chime does not answer"},
        {{ErrorKind::bad_gateway, std::string{chime::kFails}}, "s@embedded: AWS Chime fails"},
        {{ErrorKind::internal, "our fault"}, "error: our fault"}};
    for (const auto& [trouble, expected] : cases) {
        chime_.trouble = trouble;
        EXPECT_EQ(outcome(made({Mode::automatic})), expected);
        EXPECT_EQ(outcome(made({Mode::chime})), "error: " + trouble.detail);
    }
    MeetingChoice only_chime(MeetingChoiceSettings{}, nullptr, &chime_);
    EXPECT_FALSE(run(only_chime.create_meeting(plan())));
}

TEST_F(MeetingChoiceTest, D27TheBudgetActs) {
    EXPECT_EQ(outcome(made({Mode::automatic, Budget::fallback}, budget(true))),
              "s@embedded: the month's budget of Chime minutes is used up");
    EXPECT_EQ(outcome(made({Mode::automatic, Budget::refuse}, budget(true))),
              "error: This month's budget of meeting minutes is used up");
    EXPECT_EQ(made({Mode::chime, Budget::refuse}, budget(true)).error().kind, ErrorKind::unavailable);
    EXPECT_EQ(chime_.created, 0);
    EXPECT_EQ(outcome(made({Mode::automatic, Budget::warn}, budget(true))), "s@chime");
    EXPECT_EQ(outcome(made({Mode::chime, Budget::fallback}, budget(true))), "s@chime");
    EXPECT_EQ(outcome(made({Mode::automatic, Budget::fallback}, budget(false))), "s@chime");
    EXPECT_EQ(outcome(made({Mode::embedded, Budget::refuse}, budget(true))), "s@embedded");
}

TEST_F(MeetingChoiceTest, AnUnknownBudgetIsNotUsedUp) {
    const auto unknown = budget(core::fail(ErrorKind::unavailable, "the database is away"));
    EXPECT_EQ(outcome(made({Mode::automatic, Budget::refuse}, unknown)), "s@chime");
}

consultation::Meeting meeting_of(Provider provider) {
    consultation::Meeting meeting;
    meeting.provider = provider;
    meeting.meeting_id = "m";
    return meeting;
}

TEST_F(MeetingChoiceTest, ARunningMeetingStaysWhereItIs) {
    // Whatever new meetings would do: the mode is against both of these.
    MeetingChoice choice({Mode::embedded}, &embedded_, &chime_, budget(true));
    const auto running = meeting_of(Provider::chime);
    EXPECT_TRUE(run(choice.credentials(running, "doctor-1", "old", true, {})));
    EXPECT_TRUE(run(choice.start_transcription(running, {})));
    EXPECT_TRUE(run(choice.stop_transcription(running)));
    EXPECT_TRUE(run(choice.remove_attendee(Provider::chime, "m", "a")));
    EXPECT_TRUE(run(choice.end_meeting(Provider::chime, "m")));
    EXPECT_EQ(run(choice.roster(running))->size(), 1u);
    EXPECT_EQ(choice.placed_for(running, "http://x").signaling_url, "http://x/chime");
    EXPECT_EQ(choice.through_relay(running), running) << "AWS relays by itself";
    EXPECT_EQ(choice.presence(Provider::chime), MeetingChoice::Presence::events);
    EXPECT_EQ(chime_.asked, (std::vector<std::string>{"credentials m doctor-1 old renew", "start m en-US", "stop m",
                                                      "remove chime m a", "end chime m"}));
    EXPECT_TRUE(embedded_.asked.empty());

    MeetingChoice other({Mode::chime}, &embedded_, &chime_);
    EXPECT_TRUE(run(other.credentials(meeting_of(Provider::embedded), "patient-2", "", false, {})));
    EXPECT_EQ(other.presence(Provider::embedded), MeetingChoice::Presence::heartbeats);
    EXPECT_EQ(embedded_.asked, std::vector<std::string>{"credentials m patient-2 "});
}

TEST_F(MeetingChoiceTest, ARunningMeetingDoesNotFallBack) {
    MeetingChoice choice(MeetingChoiceSettings{}, &embedded_, &chime_);
    chime_.trouble = core::Error{ErrorKind::timeout, std::string{chime::kTooSlow}};
    const auto credentials = run(choice.credentials(meeting_of(Provider::chime), "doctor-1", "", false, {}));
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error().kind, ErrorKind::timeout);
    EXPECT_FALSE(run(choice.end_meeting(Provider::chime, "m")));
    EXPECT_TRUE(embedded_.asked.empty());
}

TEST_F(MeetingChoiceTest, MeetingsOfAMissingProviderAreGone) {
    MeetingChoice choice(MeetingChoiceSettings{}, &embedded_, nullptr);
    const auto lost = meeting_of(Provider::chime);
    EXPECT_EQ(run(choice.credentials(lost, "doctor-1", "", false, {})).error().kind, ErrorKind::gone);
    EXPECT_EQ(run(choice.roster(lost)).error().kind, ErrorKind::gone);
    EXPECT_EQ(run(choice.start_transcription(lost, {})).error().kind, ErrorKind::unsupported);
    EXPECT_EQ(run(choice.stop_transcription(lost)).error().kind, ErrorKind::unsupported);
    EXPECT_TRUE(run(choice.end_meeting(Provider::chime, "m")));
    EXPECT_TRUE(run(choice.remove_attendee(Provider::chime, "m", "a")));
    EXPECT_EQ(choice.placed_for(lost, "http://x").meeting_id, "m");
    EXPECT_EQ(choice.presence(Provider::chime), MeetingChoice::Presence::none);
}

}  // namespace
}  // namespace meetings::policy
