#include "service/session_watch.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

namespace service {
namespace {

/// Only its versions are asked for.
class Versions final : public BookingStore {
  public:
    std::vector<std::pair<std::string, std::int64_t>> present;
    int asked = 0;

    static std::unexpected<core::Error> none() { return core::fail(core::ErrorKind::internal, "not asked for"); }
    Task<core::Result<std::optional<Consent>>> find_consent(std::string, std::string) override { co_return none(); }
    Task<core::Result<std::optional<Consent>>> add_consent(Consent) override { co_return none(); }
    Task<core::Result<std::vector<consultation::Happening>>> happenings(std::string, std::int64_t, int) override {
        co_return none();
    }
    Task<core::Result<std::optional<consultation::Happening>>> find_happening(std::string,
                                                                              std::optional<std::string>) override {
        co_return none();
    }
    Task<core::Result<std::vector<std::pair<std::string, std::int64_t>>>> versions(std::vector<std::string>) override {
        ++asked;
        co_return present;
    }
};

class Watching : public testing::Test {
  protected:
    void look() {
        boost::asio::io_context context;
        auto done = boost::asio::co_spawn(context, watch_.look(), boost::asio::use_future);
        context.run();
        EXPECT_TRUE(done.get().has_value());
    }

    Versions store_;
    SessionWatch watch_{store_, {.all = 4, .per_session = 3, .per_person = 2}};
};

TEST_F(Watching, TellsEverybodyOfASessionOnceForEachVersion) {
    int first = 0, second = 0, other = 0;
    const auto a = watch_.take_seat("s", "12").value();
    const auto b = watch_.take_seat("s", "34").value();
    const auto c = watch_.take_seat("t", "34").value();
    a->on_news([&] { ++first; });
    b->on_news([&] { ++second; });
    c->on_news([&] { ++other; });
    watch_.changed("s", 5);
    watch_.changed("s", 5);
    watch_.changed("s", 4);
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 1);
    store_.present = {{"s", 6}, {"t", 1}, {"unknown", 1}};
    look();
    look();
    EXPECT_EQ(first, 2);
    EXPECT_EQ(other, 1);
}

TEST_F(Watching, AsksNothingWhileNobodyLooksOn) {
    look();
    EXPECT_EQ(store_.asked, 0);
    auto seat = watch_.take_seat("s", "12").value();
    look();
    EXPECT_EQ(store_.asked, 1);
    seat.reset();
    look();
    EXPECT_EQ(store_.asked, 1);
    EXPECT_EQ(watch_.seats(), 0u);
    watch_.changed("s", 1);
}

TEST_F(Watching, HasSoManySeats) {
    using Refusal = SessionWatch::Refusal;
    auto a = watch_.take_seat("s", "12").value();
    auto b = watch_.take_seat("s", "12").value();
    EXPECT_EQ(watch_.take_seat("s", "12").error(), Refusal::person);
    auto c = watch_.take_seat("s", "34").value();
    EXPECT_EQ(watch_.take_seat("s", "35").error(), Refusal::session);
    auto d = watch_.take_seat("t", "12").value();
    EXPECT_EQ(watch_.take_seat("t", "34").error(), Refusal::all);
    EXPECT_EQ(watch_.seats(), 4u);
    b.reset();
    EXPECT_TRUE(watch_.take_seat("s", "12").has_value());
}

}  // namespace
}  // namespace service
