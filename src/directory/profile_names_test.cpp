#include "directory/profile_names.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <mutex>

#include "net/raw_server.hpp"

namespace directory {
namespace {

namespace asio = boost::asio;
using net::testing::CallerLoop;
using net::testing::Loopback;
using service::NamesWanted;
using service::SessionNames;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class TestClock final : public core::Clock {
  public:
    core::Time now() const override { return core::Time{std::chrono::microseconds{now_.load()}}; }
    void advance(std::chrono::microseconds by) { now_ += by.count(); }

  private:
    std::atomic<std::int64_t> now_{1'800'000'000'000'000};
};

/// The profile service: what it says to whom, and what it was asked.
class ProfileService {
  public:
    ProfileService() : loopback_([this](const net::Request& request) { return answer(request); }) {}

    void say(const std::string& question, unsigned status, std::string body) {
        const std::scoped_lock lock(mutex_);
        answers_[question] = {status, std::move(body)};
    }
    /// It takes questions, and answers none of them until `release`.
    void hang() { hangs_ = true; }
    void release() { hangs_ = false; }

    std::vector<std::string> asked() {
        const std::scoped_lock lock(mutex_);
        return asked_;
    }
    std::size_t most_at_a_time() const { return most_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(loopback_.port()); }

  private:
    asio::awaitable<net::Response> answer(const net::Request& request) {
        std::string question{request.target};
        if (request.has_header("X-User-ID")) {
            question +=
                " " + std::string{request.header("X-User-ID")} + " " + std::string{request.header("X-User-Role")};
        }
        net::Response response;
        response.status = 404;
        {
            const std::scoped_lock lock(mutex_);
            asked_.push_back(question);
            if (const auto found = answers_.find(question); found != answers_.end()) {
                response.status = found->second.first;
                response.body = found->second.second;
            }
        }
        const auto here = ++here_;
        for (auto most = most_.load(); here > most && !most_.compare_exchange_weak(most, here);) {
        }
        asio::steady_timer timer(co_await asio::this_coro::executor);
        while (hangs_) {
            timer.expires_after(milliseconds{5});
            co_await timer.async_wait(asio::use_awaitable);
        }
        --here_;
        co_return response;
    }

    std::mutex mutex_;
    std::map<std::string, std::pair<unsigned, std::string>> answers_;
    std::vector<std::string> asked_;
    std::atomic<bool> hangs_{false};
    std::atomic<std::size_t> here_{0};
    std::atomic<std::size_t> most_{0};
    Loopback loopback_;
};

class ProfileNamesTest : public ::testing::Test {
  protected:
    ProfileNamesTest() {
        settings.base_url = service.url() + "/";
        // Machines under load are slow; only what is about the limit itself lowers it.
        settings.patience = settings.timeout = milliseconds{net::testing::kPatienceMs};
        service.say("/doctor/12", 200,
                    R"({"id":1,"userId":"12","firstName":" Ada ","lastName":"Byron","specialty":"Cardiology"})");
        service.say("/patient/me 34 PATIENT", 200, R"({"userId":"34","firstName":"Paul","lastName":null})");
        service.say("/clinic/4", 200, R"({"id":4,"name":"Harbour","operatingHours":{"mon":[{"from":"9"}]}})");
    }

    void open() { names = std::make_unique<ProfileNames>(settings, client, clock); }
    std::vector<SessionNames> ask(std::vector<NamesWanted> wanted) {
        return loop.run(names->names_of(std::move(wanted)));
    }
    SessionNames ask_one(std::string doctor, std::string patient, std::optional<std::int32_t> clinic = {}) {
        return ask({{std::move(doctor), std::move(patient), clinic}}).at(0);
    }
    /// Asks again and again until the doctor is called so.
    void wait_for_doctor(const std::string& id, const std::optional<std::string>& name) {
        const auto until = std::chrono::steady_clock::now() + milliseconds{net::testing::kPatienceMs};
        while (ask_one(id, "").doctor_name != name) {
            ASSERT_LT(std::chrono::steady_clock::now(), until) << "the name did not come";
        }
    }
    void wait_until_asked(std::size_t count) {
        const auto until = std::chrono::steady_clock::now() + milliseconds{net::testing::kPatienceMs};
        while (service.asked().size() < count) {
            ASSERT_LT(std::chrono::steady_clock::now(), until) << "the service was not asked";
            std::this_thread::yield();
        }
    }

    ProfileService service;
    TestClock clock;
    net::HttpClient client;
    ProfileNamesSettings settings;
    std::unique_ptr<ProfileNames> names;
    CallerLoop loop;
};

TEST_F(ProfileNamesTest, FindsNamesAsTheServiceGivesThem) {
    open();
    const auto found = ask({{"12", "34", 4}, {"12", "99", {}}, {"", "34", 5}});
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].doctor_name, "Ada Byron");
    EXPECT_EQ(found[0].doctor_specialty, "Cardiology");
    EXPECT_EQ(found[0].patient_name, "Paul");
    EXPECT_EQ(found[0].clinic_name, "Harbour");
    EXPECT_EQ(found[1].doctor_name, "Ada Byron");
    EXPECT_EQ(found[1].patient_name, std::nullopt);
    EXPECT_EQ(found[1].clinic_name, std::nullopt);
    EXPECT_EQ(found[2].doctor_name, std::nullopt);
    EXPECT_EQ(found[2].patient_name, "Paul");
    EXPECT_EQ(found[2].clinic_name, std::nullopt);
    EXPECT_THAT(service.asked(), UnorderedElementsAre("/doctor/12", "/patient/me 34 PATIENT", "/clinic/4",
                                                      "/patient/me 99 PATIENT", "/clinic/5"));
    EXPECT_TRUE(ask({}).empty());
}

TEST_F(ProfileNamesTest, TakesOddAnswersForNone) {
    service.say("/doctor/1", 200, R"({"firstName":"","lastName":"  ","specialty":7})");
    service.say("/doctor/2", 200, R"({"firstName":"A","firstName":"B"})");
    service.say("/doctor/3", 200, "<html>");
    service.say("/doctor/4", 200, R"({"firstName":"A","lastName":")" + std::string(300, 'x') + "\"}");
    service.say("/doctor/5", 200, "");
    service.say("/doctor/6", 200, "{}" + std::string(70'000, ' '));
    service.say("/doctor/7", 403, R"({"firstName":"A"})");
    settings.failures_in_a_row = 100;
    open();
    for (const auto* id : {"1", "2", "3", "5", "6", "7"}) {
        EXPECT_EQ(ask_one(id, "").doctor_name, std::nullopt) << id;
        EXPECT_EQ(ask_one(id, "").doctor_specialty, std::nullopt) << id;
    }
    EXPECT_EQ(ask_one("4", "").doctor_name, "A");
}

TEST_F(ProfileNamesTest, IdsStayWhatTheyAre) {
    service.say("/doctor/..%2F..%2Fclinic%2F4%3Fx%23", 200, R"({"firstName":"Odd"})");
    open();
    EXPECT_EQ(ask_one("../../clinic/4?x#", "").doctor_name, "Odd");
    EXPECT_EQ(ask_one("..", "").doctor_name, std::nullopt);
    EXPECT_THAT(service.asked(), ElementsAre("/doctor/..%2F..%2Fclinic%2F4%3Fx%23", "/doctor/%2E%2E"));
    // What can stand in no header is not asked for.
    const std::string too_long(101, '3');
    for (const auto& bad :
         {std::string{"3\r\nX-User-Role: ADMIN"}, std::string{" 34"}, std::string{"\xc3\xa4"}, too_long}) {
        EXPECT_EQ(ask_one("", bad).patient_name, std::nullopt);
    }
    EXPECT_EQ(service.asked().size(), 2U);
}

TEST_F(ProfileNamesTest, RemembersAndRenewsInTheBackground) {
    open();
    EXPECT_EQ(ask_one("12", "").doctor_name, "Ada Byron");
    service.say("/doctor/12", 200, R"({"firstName":"Ada","lastName":"Lovelace"})");
    clock.advance(seconds{599});
    EXPECT_EQ(ask_one("12", "").doctor_name, "Ada Byron");
    EXPECT_EQ(service.asked().size(), 1U);
    // Old: given at once, even while the service hangs, and asked for behind the request's back.
    service.hang();
    clock.advance(seconds{2});
    EXPECT_EQ(ask_one("12", "").doctor_name, "Ada Byron");
    EXPECT_EQ(ask_one("12", "").doctor_name, "Ada Byron");
    wait_until_asked(2);
    service.release();
    wait_for_doctor("12", "Ada Lovelace");
    EXPECT_EQ(service.asked().size(), 2U);
    // Too old: not used.
    clock.advance(std::chrono::hours{25});
    service.say("/doctor/12", 500, "");
    EXPECT_EQ(ask_one("12", "").doctor_name, std::nullopt);
}

TEST_F(ProfileNamesTest, KeepsWhatItKnowsWhileTheServiceFails) {
    settings.at_a_time = 1;
    open();
    EXPECT_EQ(ask_one("12", "").doctor_name, "Ada Byron");
    service.say("/doctor/12", 503, "");
    clock.advance(std::chrono::hours{1});
    EXPECT_EQ(ask_one("12", "").doctor_name, "Ada Byron");
    // One question at a time: when this one is answered, the other has been.
    EXPECT_EQ(ask_one("", "34").patient_name, "Paul");
    EXPECT_EQ(service.asked().size(), 3U);
    EXPECT_EQ(ask_one("12", "").doctor_name, "Ada Byron");
    EXPECT_EQ(service.asked().size(), 3U);
    // But not whom the service has forgotten.
    service.say("/doctor/12", 404, "");
    clock.advance(seconds{31});
    wait_for_doctor("12", std::nullopt);
    EXPECT_EQ(service.asked().size(), 4U);
}

TEST_F(ProfileNamesTest, AsksForNobodyAgainOnlyAfterAWhile) {
    service.say("/doctor/98", 500, "");
    open();
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(ask_one("99", "").doctor_name, std::nullopt);
        EXPECT_EQ(ask_one("98", "").doctor_name, std::nullopt);
    }
    EXPECT_EQ(service.asked().size(), 2U);
    service.say("/doctor/99", 200, R"({"lastName":"New"})");
    service.say("/doctor/98", 200, R"({"lastName":"Back"})");
    clock.advance(seconds{29});
    EXPECT_EQ(ask_one("99", "").doctor_name, std::nullopt);
    clock.advance(seconds{2});
    EXPECT_EQ(ask_one("99", "").doctor_name, "New");
    EXPECT_EQ(ask_one("98", "").doctor_name, "Back");
}

TEST_F(ProfileNamesTest, WaitsNoLongerThanItsPatienceAndKeepsTheAnswer) {
    settings.patience = milliseconds{150};
    service.hang();
    open();
    const auto begin = std::chrono::steady_clock::now();
    const auto late = ask({{"12", "34", 4}, {"13", "35", 5}, {"14", "36", 6}});
    const auto waited = std::chrono::steady_clock::now() - begin;
    EXPECT_GE(waited, milliseconds{150});
    EXPECT_LT(waited, milliseconds{5000});
    for (const auto& one : late) EXPECT_EQ(one.doctor_name, std::nullopt);
    service.release();
    wait_for_doctor("12", "Ada Byron");
    EXPECT_EQ(service.asked().size(), 9U);
}

TEST_F(ProfileNamesTest, AsksOnceForManyWhoWait) {
    net::Executors loops(3);
    loops.start();
    service.hang();
    open();
    std::vector<std::future<std::vector<SessionNames>>> answers;
    constexpr std::size_t kWaiting = 60;
    answers.reserve(kWaiting);
    for (std::size_t i = 0; i < kWaiting; ++i) {
        answers.push_back(asio::co_spawn(loops.executor(i % loops.size()),
                                         names->names_of({{"12", "34", 4}, {"12", "34", {}}}), asio::use_future));
    }
    wait_until_asked(3);
    service.release();
    for (auto& answer : answers) {
        const auto found = answer.get();
        ASSERT_EQ(found.size(), 2U);
        EXPECT_EQ(found[1].patient_name, "Paul");
    }
    EXPECT_EQ(service.asked().size(), 3U);
}

TEST_F(ProfileNamesTest, AsksOnlySoMuchAtATime) {
    settings.at_a_time = 4;
    service.hang();
    for (int i = 100; i < 160; ++i) service.say("/doctor/" + std::to_string(i), 200, R"({"lastName":"X"})");
    open();
    std::vector<NamesWanted> wanted;
    for (int i = 100; i < 160; ++i) wanted.push_back({std::to_string(i), "", {}});
    auto answer = loop.spawn(names->names_of(wanted));
    wait_until_asked(4);
    service.release();
    for (const auto& one : answer.get()) EXPECT_EQ(one.doctor_name, "X");
    EXPECT_EQ(service.asked().size(), 60U);
    EXPECT_EQ(service.most_at_a_time(), 4U);
}

TEST_F(ProfileNamesTest, GivesABrokenServiceARest) {
    settings.failures_in_a_row = 3;
    settings.at_a_time = 1;
    for (int i = 100; i < 120; ++i) service.say("/doctor/" + std::to_string(i), 500, "");
    open();
    std::vector<NamesWanted> wanted;
    for (int i = 100; i < 110; ++i) wanted.push_back({std::to_string(i), "", {}});
    for (const auto& one : ask(wanted)) EXPECT_EQ(one.doctor_name, std::nullopt);
    EXPECT_EQ(service.asked().size(), 3U);
    // Nobody waits, and nobody asks.
    service.hang();
    EXPECT_EQ(ask_one("12", "34", 4).doctor_name, std::nullopt);
    EXPECT_EQ(service.asked().size(), 3U);
    service.release();
    // One more failure, one more rest.
    clock.advance(milliseconds{5001});
    EXPECT_EQ(ask_one("111", "").doctor_name, std::nullopt);
    EXPECT_EQ(ask_one("12", "").doctor_name, std::nullopt);
    EXPECT_EQ(service.asked().size(), 4U);
    clock.advance(milliseconds{5001});
    EXPECT_EQ(ask_one("12", "").doctor_name, "Ada Byron");
    EXPECT_EQ(ask_one("112", "").doctor_name, std::nullopt);
    EXPECT_EQ(ask_one("113", "").doctor_name, std::nullopt);
    EXPECT_EQ(ask_one("", "34").patient_name, "Paul");
}

TEST_F(ProfileNamesTest, ForgetsWhoWasNotWantedForLongest) {
    settings.capacity = 3;
    for (int i = 1; i <= 4; ++i) {
        service.say("/doctor/" + std::to_string(i), 200, R"({"lastName":")" + std::to_string(i) + "\"}");
    }
    open();
    for (const auto* id : {"1", "2", "3", "1", "4"}) EXPECT_EQ(ask_one(id, "").doctor_name, id);
    EXPECT_EQ(service.asked().size(), 4U);
    for (const auto* id : {"1", "3", "4"}) EXPECT_EQ(ask_one(id, "").doctor_name, id);
    EXPECT_EQ(service.asked().size(), 4U);
    EXPECT_EQ(ask_one("2", "").doctor_name, "2");
    EXPECT_EQ(service.asked().size(), 5U);
}

TEST_F(ProfileNamesTest, ALoopMayGoWhileItsQuestionsAreUnderWay) {
    settings.at_a_time = 1;
    settings.failures_in_a_row = 100;
    service.hang();
    open();
    {
        CallerLoop short_lived;
        asio::co_spawn(short_lived.executor(), names->names_of({{"12", "34", 4}}), asio::detached);
        wait_until_asked(1);
    }
    service.release();
    clock.advance(seconds{31});
    EXPECT_EQ(ask_one("12", "34").doctor_name, "Ada Byron");
    EXPECT_EQ(ask_one("", "34").patient_name, "Paul");
}

TEST_F(ProfileNamesTest, NobodyThereIsNoName) {
    {
        const net::testing::RawServer closed;
        settings.base_url = closed.url("");
    }
    open();
    const auto found = ask_one("12", "34", 4);
    EXPECT_EQ(found.doctor_name, std::nullopt);
    EXPECT_EQ(found.clinic_name, std::nullopt);
}

}  // namespace
}  // namespace directory
