#include "directory/guest_tokens.hpp"

#include <gtest/gtest.h>

#include "directory/jwt_verifier.hpp"

namespace directory {
namespace {

using namespace std::chrono_literals;

class SetClock final : public core::Clock {
  public:
    core::Time now() const override { return at; }
    core::Time at = core::parse_utc("2026-01-25T14:00:00").value();
};

class GuestTokensTest : public testing::Test {
  protected:
    SetClock clock_;
    JwtVerifier users_{{.secret = "the platform's secret, thirty-two bytes"}, clock_};
    GuestTokens tokens_{"the service's own secret", users_, clock_};
};

TEST_F(GuestTokensTest, ATokenMakesAGuestOfOneSession) {
    const auto issued = tokens_.issue_guest("s-1", "guest-1", clock_.at + 1h);
    const auto caller = tokens_.verify(issued.token).value();
    EXPECT_EQ(caller.user_id, "guest-1");
    EXPECT_EQ(caller.role, "GUEST");
    EXPECT_EQ(caller.guest_of, "s-1");
    EXPECT_EQ(issued.expires_at, clock_.at + 1h);
    clock_.at += 1h;
    EXPECT_FALSE(tokens_.verify(issued.token));
}

TEST_F(GuestTokensTest, UsersTokensAreReadAsBefore) {
    const auto token = users_.mint({.user_id = "34", .role = "GUEST"}, 1h);
    const auto caller = tokens_.verify(token).value();
    EXPECT_EQ(caller.user_id, "34");
    EXPECT_FALSE(caller.is_guest()) << "nobody becomes a guest by saying so";
    EXPECT_FALSE(tokens_.verify("nonsense"));
}

TEST_F(GuestTokensTest, NoOtherReaderTakesAGuestsToken) {
    const auto issued = tokens_.issue_guest("s-1", "guest-1", clock_.at + 1h);
    EXPECT_FALSE(users_.verify(issued.token));
    EXPECT_FALSE(users_.recognise(issued.token, 1h));
    const GuestTokens others{"another secret", users_, clock_};
    EXPECT_FALSE(others.verify(issued.token));
}

TEST_F(GuestTokensTest, EveryChangedByteIsNoticed) {
    const auto good = tokens_.issue_guest("s-1", "guest-1", clock_.at + 1h).token;
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(tokens_.verify(bad)) << i;
        EXPECT_FALSE(tokens_.verify(good.substr(0, i))) << i;
    }
    EXPECT_FALSE(tokens_.verify(good + "A"));
    EXPECT_FALSE(tokens_.verify(good + std::string(2000, 'A')));
}

}  // namespace
}  // namespace directory
