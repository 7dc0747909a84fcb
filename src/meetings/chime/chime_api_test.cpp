// Against the stand-in for AWS, and against servers that are none: what happens when AWS is slow, busy or broken.
#include "meetings/chime/chime_api.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "meetings/chime/chime_standin.hpp"

namespace meetings::chime {
namespace {

namespace asio = boost::asio;
using core::ErrorKind;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Endpoint;
using testing::eventually;
using testing::reply;
using testing::run;
using testing::Standin;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kCreate = "CreateMeetingWithAttendees";

CredentialSettings keys(std::string id = Standin::kKey, std::string secret = Standin::kSecret) {
    CredentialSettings settings;
    settings.access_key_id = std::move(id);
    settings.secret_access_key = std::move(secret);
    settings.metadata_disabled = true;
    return settings;
}

class ChimeApiTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { standin_ = std::make_unique<Standin>(); }
    static void TearDownTestSuite() { standin_.reset(); }
    void SetUp() override {
        standin_->control("reset");
        ASSERT_EQ(credentials_.discover(seconds{20}), true);
    }

    static ChimeApiSettings settings(milliseconds timeout = milliseconds{10'000}) {
        ChimeApiSettings out;
        out.endpoint = standin_->url();
        out.timeout = timeout;
        return out;
    }
    static NewMeeting meeting(const std::string& token = "s-1") {
        return {token, "pulseone-s", "us-east-1", {"doctor-12", "patient-34"}, {}};
    }
    ChimeApi api(const ChimeApiSettings& with) { return {with, client_, credentials_, clock_}; }

    static std::unique_ptr<Standin> standin_;
    core::SystemClock clock_;
    net::HttpClient client_;
    AwsCredentials credentials_{keys(), client_, clock_};
};

std::unique_ptr<Standin> ChimeApiTest::standin_;

TEST_F(ChimeApiTest, RepeatsWhatFailedAndWhatBroke) {
    auto chime = api(settings());
    standin_->control("fail", {{"count", 2}, {"status", 500}});
    EXPECT_TRUE(run(chime.create_meeting(meeting())));
    EXPECT_EQ(standin_->count(kCreate), 3);
    // The connection breaks although the work was done: the repetition finds the same meeting.
    standin_->control("cut", {{"count", 1}});
    EXPECT_TRUE(run(chime.create_meeting(meeting("s-2"))));
    EXPECT_EQ(standin_->meetings().size(), 2u);
    const auto vitals = chime.vitals();
    EXPECT_EQ(vitals.calls, 5u);
    EXPECT_EQ(vitals.failures, 3u);
    EXPECT_EQ(vitals.state, service::Vitals::Breaker::State::closed);
}

TEST_F(ChimeApiTest, WaitsAsLongAsAwsSays) {
    auto chime = api(settings());
    standin_->control("fail",
                      {{"count", 1}, {"status", 503}, {"code", "ServiceUnavailableException"}, {"retryAfter", 1}});
    const auto start = SteadyClock::now();
    EXPECT_TRUE(run(chime.create_meeting(meeting())));
    EXPECT_GE(SteadyClock::now() - start, seconds{1});
    EXPECT_EQ(standin_->count(kCreate), 2);
}

TEST_F(ChimeApiTest, GivesUpAtOnceWhenAwsWantsMoreTimeThanThereIs) {
    auto chime = api(settings());
    standin_->control("fail", {{"status", 429}, {"code", "ThrottlingException"}, {"retryAfter", 30}});
    const auto throttled = run(chime.create_meeting(meeting()));
    ASSERT_FALSE(throttled);
    EXPECT_EQ(throttled.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(throttled.error().retry_after, seconds{30});
    EXPECT_EQ(throttled.error().detail, "AWS Chime takes no more requests at the moment");
    EXPECT_EQ(standin_->count(kCreate), 1);
}

TEST_F(ChimeApiTest, DoesNotRepeatWhatWillNotChange) {
    auto chime = api(settings());
    for (const int status : {400, 401, 422, 501}) {
        standin_->control("fail", {{"count", 1}, {"status", status}, {"code", "X"}, {"message", "patient-34 secret"}});
        const auto refused = run(chime.create_meeting(meeting("s-" + std::to_string(status))));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, ErrorKind::bad_gateway);
        EXPECT_EQ(refused.error().detail.find("secret"), std::string::npos);
    }
    EXPECT_EQ(standin_->count(kCreate), 4);
}

TEST_F(ChimeApiTest, AHangingAnswerIsATimeoutAndIsTriedAgainOnce) {
    auto chime = api(settings(milliseconds{600}));
    standin_->control("hang");
    const auto start = SteadyClock::now();
    const auto late = run(chime.create_meeting(meeting()));
    const auto took = SteadyClock::now() - start;
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, ErrorKind::timeout);
    EXPECT_EQ(late.error().detail, "AWS Chime did not answer in time");
    EXPECT_GE(took, milliseconds{500});
    EXPECT_EQ(standin_->count(kCreate), 2);
}

asio::awaitable<void> measure(milliseconds& worst, bool& over) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (!over) {
        const auto due = SteadyClock::now() + milliseconds{5};
        timer.expires_at(due);
        co_await timer.async_wait(asio::use_awaitable);
        worst = std::max(worst, std::chrono::floor<milliseconds>(SteadyClock::now() - due));
    }
}

TEST_F(ChimeApiTest, D22AHangingAwsHoldsNothingElseUp) {
    auto with = settings(milliseconds{1'000});
    with.breaker.failures_in_a_row = with.breaker.window_calls = 10'000;
    auto chime = api(with);
    standin_->control("hang");
    asio::io_context loop(1);
    int done = 0;
    bool over = false;
    milliseconds worst{0};
    for (int i = 0; i < 100; ++i)
        asio::co_spawn(loop, chime.create_meeting(meeting("s-" + std::to_string(i))),
                       [&](const std::exception_ptr&, const core::Result<CreatedMeeting>& made) {
                           EXPECT_FALSE(made);
                           over = ++done == 100;
                       });
    asio::co_spawn(loop, measure(worst, over), [](const std::exception_ptr&) {});
    const auto start = SteadyClock::now();
    loop.run();
    EXPECT_EQ(done, 100);
    // All at the same time, and the loop that they share goes on turning: signing a hundred requests is all it did.
    EXPECT_LT(SteadyClock::now() - start, seconds{10});
    EXPECT_LT(worst, milliseconds{500});
}

TEST_F(ChimeApiTest, LeavesAFailingAwsAloneAndComesBack) {
    auto with = settings();
    with.retry.attempts = 1;
    with.breaker.open_first = seconds{1};
    auto chime = api(with);
    standin_->control("fail");
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(run(chime.create_meeting(meeting())));
    using State = service::Vitals::Breaker::State;
    EXPECT_EQ(chime.vitals().state, State::open);
    const auto held_back = run(chime.create_meeting(meeting()));
    ASSERT_FALSE(held_back);
    EXPECT_EQ(held_back.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(held_back.error().retry_after, seconds{1});
    EXPECT_EQ(standin_->count(kCreate), 5);
    EXPECT_EQ(chime.vitals().refused, 1u);
    standin_->control("heal");
    EXPECT_TRUE(eventually([&] { return chime.vitals().state == State::half_open; }));
    EXPECT_TRUE(run(chime.create_meeting(meeting())));
    EXPECT_EQ(chime.vitals().state, State::closed);
    EXPECT_EQ(standin_->count(kCreate), 6);
}

TEST_F(ChimeApiTest, NobodyThereIsUnavailable) {
    std::string url;
    {
        const Endpoint closed_soon([](const net::Request&) { return reply(200, "{}"); });
        url = closed_soon.url();
    }
    auto with = settings();
    with.endpoint = url;
    auto chime = api(with);
    const auto nobody = run(chime.get_meeting("e3338f73-c769-4d65-b8ce-bf4314b488ef"));
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(nobody.error().detail, "AWS Chime is not reachable at the moment");
}

TEST_F(ChimeApiTest, AnswersOfWhoeverElseSitsThereAreBadGateway) {
    std::string body = "<html>hello</html>";
    unsigned status = 200;
    const Endpoint other([&](const net::Request&) { return reply(status, body); });
    auto with = settings();
    with.endpoint = other.url() + "/prefix/";
    auto chime = api(with);
    const std::string id = "e3338f73-c769-4d65-b8ce-bf4314b488ef";
    EXPECT_EQ(run(chime.create_meeting(meeting())).error().kind, ErrorKind::bad_gateway);
    body = R"({"Attendee":{"AttendeeId":"a1","ExternalUserId":"somebody-else","JoinToken":"token"}})";
    EXPECT_EQ(run(chime.create_attendee(id, "doctor-12")).error().kind, ErrorKind::bad_gateway);
    body = R"({"Attendees":[],"NextToken":"more and more"})";
    EXPECT_EQ(run(chime.list_attendees(id)).error().kind, ErrorKind::bad_gateway);
    body = std::string(100'000, ' ');
    EXPECT_EQ(run(chime.create_meeting(meeting())).error().kind, ErrorKind::bad_gateway);
    // A 404 without AWS's name for it says nothing about the meeting.
    status = 404;
    body = R"({"detail":"Not Found"})";
    EXPECT_EQ(run(chime.delete_meeting(id)).error().kind, ErrorKind::bad_gateway);
    body = R"({"Code":"NotFoundException"})";
    EXPECT_EQ(run(chime.delete_meeting(id)).error().kind, ErrorKind::gone);
    EXPECT_EQ(run(chime.create_meeting(meeting())).error().kind, ErrorKind::bad_gateway);
}

TEST_F(ChimeApiTest, IdsThatAreNoneNeverGetIntoAPath) {
    auto chime = api(settings());
    EXPECT_EQ(run(chime.get_meeting("../meetings")).error().kind, ErrorKind::gone);
    EXPECT_EQ(run(chime.delete_meeting("")).error().kind, ErrorKind::gone);
    EXPECT_EQ(run(chime.delete_attendee("e3338f73-c769-4d65-b8ce-bf4314b488ef", "?")).error().kind, ErrorKind::gone);
    EXPECT_EQ(run(chime.list_attendees("a b")).error().kind, ErrorKind::gone);
    EXPECT_EQ(standin_->control("state").at("total").as_int64(), 0);
}

TEST_F(ChimeApiTest, AWrongSecretIsRefused) {
    AwsCredentials wrong(keys(Standin::kKey, "wrong"), client_, clock_);
    ASSERT_EQ(wrong.discover(seconds{20}), true);
    ChimeApi chime(settings(), client_, wrong, clock_);
    const auto refused = run(chime.create_meeting(meeting()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::bad_gateway);
    EXPECT_EQ(standin_->count(kCreate), 0);
}

TEST_F(ChimeApiTest, WithoutKeysNothingIsSent) {
    CredentialSettings none;
    none.metadata_disabled = true;
    AwsCredentials nothing(none, client_, clock_);
    EXPECT_EQ(nothing.discover(seconds{20}), false);
    ChimeApi chime(settings(), client_, nothing, clock_);
    EXPECT_EQ(run(chime.create_meeting(meeting())).error().kind, ErrorKind::unavailable);
    EXPECT_EQ(standin_->control("state").at("total").as_int64(), 0);
}

TEST_F(ChimeApiTest, RenewedKeysWithASessionTokenAreUsed) {
    std::atomic<int> asked{0};
    const Endpoint container([&](const net::Request&) {
        const auto number = std::to_string(++asked > 1 ? 2 : 1);
        // The first keys have just over five minutes to go, so they are renewed in a moment.
        const auto life = seconds{number == "1" ? 301 : 3600};
        return reply(200, R"({"AccessKeyId":"ASIA)" + number + R"(","SecretAccessKey":"secret)" + number +
                              R"(","Token":"token+/=)" + number + R"(","Expiration":")" +
                              core::format_rfc3339(clock_.now() + life) + "\"}");
    });
    standin_->control("credentials", {{"known", {{{"key", "ASIA1"}, {"secret", "secret1"}, {"token", "token+/=1"}}}}});
    CredentialSettings from_container;
    from_container.container_full_uri = container.url() + "/keys";
    from_container.timeout = milliseconds{5'000};
    AwsCredentials temporary(from_container, client_, clock_);
    ASSERT_EQ(temporary.discover(seconds{20}), true);
    ChimeApi chime(settings(), client_, temporary, clock_);
    EXPECT_TRUE(run(chime.create_meeting(meeting())));
    standin_->control("credentials", {{"known", {{{"key", "ASIA2"}, {"secret", "secret2"}, {"token", "token+/=2"}}}}});
    EXPECT_TRUE(eventually([&] { return temporary.current()->access_key_id == "ASIA2"; }));
    EXPECT_TRUE(run(chime.create_meeting(meeting())));
}

TEST_F(ChimeApiTest, AnEndpointMustBeAnAddress) {
    for (const auto* odd : {"ftp://x", "meetings-chime", "https://", "http:///x"}) {
        auto with = settings();
        with.endpoint = odd;
        EXPECT_THROW(api(with), std::invalid_argument) << odd;
    }
}

}  // namespace
}  // namespace meetings::chime
