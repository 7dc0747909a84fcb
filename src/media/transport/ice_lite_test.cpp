#include "media/transport/ice_lite.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "media/transport/test_client.hpp"

namespace media::transport {
namespace {

using test::Check;
using test::kStart;
using test::udp;
using namespace std::chrono_literals;

class Ice : public testing::Test {
  protected:
    IceLite::Outcome give(const Check& check, const Path& from, Instant now = kStart) {
        return ice_.handle(check.bytes(), from, now, room_);
    }
    Check check(bool use_candidate = false) const {
        return {.to = local_, .from = remote_, .use_candidate = use_candidate};
    }

    IceCredentials local_{"serverAA", "server-password-of-24-le"};
    IceCredentials remote_{"cliB", "client-password"};
    IceLite ice_{local_, remote_};
    std::array<std::uint8_t, wire::kMaxStunResponse> room_{};
};

TEST(IceCredentials, AreLongRandomAndPlain) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const IceCredentials made = IceCredentials::make();
        EXPECT_EQ(made.ufrag.size(), 8U);
        EXPECT_EQ(made.password.size(), 24U);
        const std::string all = made.ufrag + made.password;
        EXPECT_TRUE(std::ranges::all_of(all, [](unsigned char c) { return std::isalnum(c) != 0; })) << all;
        EXPECT_TRUE(seen.insert(made.ufrag).second);
        EXPECT_TRUE(seen.insert(made.password).second);
    }
}

TEST_F(Ice, AValidCheckIsAnsweredAndItsPathKnown) {
    const auto outcome = give(check(), udp(1));
    const auto answer = wire::StunMessage::parse(outcome.answer);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->is_binding_success());
    EXPECT_EQ(answer->transaction_id(), (wire::StunTransactionId{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
    EXPECT_EQ(answer->mapped_address(), udp(1).address);
    EXPECT_TRUE(answer->check_integrity(local_.password));
    EXPECT_TRUE(answer->check_fingerprint());

    EXPECT_EQ(outcome.added, udp(1));
    EXPECT_FALSE(outcome.selected);
    EXPECT_TRUE(ice_.knows(udp(1)));
    EXPECT_FALSE(ice_.selected());
    EXPECT_EQ(ice_.last_seen(), kStart);
    EXPECT_FALSE(give(check(), udp(1)).added);
    EXPECT_EQ(ice_.paths(), 1U);
}

TEST_F(Ice, AMappedAddressIsToldInItsOwnFamily) {
    Path mapped = udp(1);
    mapped.address.is_v6 = true;
    mapped.address.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1};
    const auto answer = wire::StunMessage::parse(give(check(), mapped).answer);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->mapped_address(), udp(1).address);
}

TEST_F(Ice, WhoeverDoesNotKnowTheSecretGetsNeitherAnswerNorState) {
    Check stranger = check(true);
    stranger.password = "guessed-password-of-24-l";
    Check other_user = check(true);
    other_user.username = "serverAA:else";
    Check no_user = check(true);
    no_user.username = "cliB:serverAA";
    core::Bytes damaged = check(true).bytes();
    damaged[30] ^= 1;
    core::Bytes answer = check(true).bytes();
    answer.resize(wire::write_binding_success(answer, {}, udp(9).address, local_.password));

    for (const core::Bytes& bytes : {stranger.bytes(), other_user.bytes(), no_user.bytes(), damaged, answer,
                                     core::Bytes{0, 1, 2}, core::Bytes{}}) {
        const auto outcome = ice_.handle(bytes, udp(1), kStart, room_);
        EXPECT_TRUE(outcome.answer.empty());
        EXPECT_FALSE(outcome.added || outcome.removed || outcome.selected);
    }
    EXPECT_EQ(ice_.paths(), 0U);
    EXPECT_FALSE(ice_.selected());
    EXPECT_FALSE(ice_.last_seen());
    EXPECT_EQ(ice_.counters().unauthentic, 1U);
    EXPECT_EQ(ice_.counters().wrong_user, 2U);
    EXPECT_EQ(ice_.counters().malformed, 3U);
    EXPECT_EQ(ice_.counters().other_message, 1U);
    EXPECT_EQ(ice_.counters().answered, 0U);
}

TEST_F(Ice, WhoeverIsControlledTooIsToldSo) {
    Check controlled = check(true);
    controlled.controlling = false;
    const auto outcome = give(controlled, udp(1));
    const auto answer = wire::StunMessage::parse(outcome.answer);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error_code(), wire::stun_error::kRoleConflict);
    EXPECT_TRUE(answer->check_integrity(local_.password));
    EXPECT_EQ(ice_.paths(), 0U);
    EXPECT_EQ(ice_.counters().refused, 1U);
}

TEST_F(Ice, TheNominationIsFollowedWhereverItGoes) {
    EXPECT_FALSE(give(check(), udp(1)).selected);
    EXPECT_TRUE(give(check(true), udp(2)).selected);
    EXPECT_EQ(ice_.selected(), udp(2));
    EXPECT_FALSE(give(check(true), udp(2)).selected);
    EXPECT_FALSE(give(check(), udp(1)).selected);
    EXPECT_EQ(ice_.selected(), udp(2));
    // The NAT gave the client another port.
    EXPECT_TRUE(give(check(true), udp(2, 50001)).selected);
    EXPECT_EQ(ice_.selected(), udp(2, 50001));
    EXPECT_EQ(ice_.paths(), 3U);
}

TEST_F(Ice, UdpAndTcpFromOneAddressAreTwoPaths) {
    Path tcp = udp(1);
    tcp.connection = 4;
    give(check(), udp(1));
    EXPECT_FALSE(ice_.knows(tcp));
    EXPECT_EQ(give(check(true), tcp).added, tcp);
    EXPECT_EQ(ice_.selected(), tcp);
}

TEST_F(Ice, TheListIsBoundedAndKeepsTheSelectedPath) {
    give(check(true), udp(1), kStart);
    for (std::uint8_t i = 2; i <= IceLite::kMaxPaths; ++i) {
        EXPECT_FALSE(give(check(), udp(i), kStart + std::chrono::seconds(i)).removed);
    }
    const auto outcome = give(check(), udp(200), kStart + 20s);
    EXPECT_EQ(outcome.removed, udp(2));
    EXPECT_EQ(outcome.added, udp(200));
    EXPECT_EQ(ice_.paths(), IceLite::kMaxPaths);
    EXPECT_EQ(ice_.selected(), udp(1));
    EXPECT_TRUE(ice_.knows(udp(1)));
    EXPECT_FALSE(ice_.knows(udp(2)));
}

TEST_F(Ice, PathsExpireWhenNoCheckRenewsThem) {
    EXPECT_FALSE(ice_.next_expiry());
    give(check(true), udp(1), kStart);
    give(check(), udp(2), kStart + 10s);
    EXPECT_EQ(ice_.next_expiry(), kStart + IceLite::kConsent);
    EXPECT_FALSE(ice_.expire(kStart + IceLite::kConsent - 1ns));
    EXPECT_EQ(ice_.expire(kStart + IceLite::kConsent), udp(1));
    EXPECT_FALSE(ice_.expire(kStart + IceLite::kConsent));
    EXPECT_FALSE(ice_.selected());
    give(check(), udp(2), kStart + 35s);
    EXPECT_EQ(ice_.next_expiry(), kStart + 35s + IceLite::kConsent);
}

TEST_F(Ice, AForgottenPathHasToProveItselfAgain) {
    give(check(true), udp(1));
    EXPECT_TRUE(ice_.forget(udp(1)));
    EXPECT_FALSE(ice_.forget(udp(1)));
    EXPECT_FALSE(ice_.selected());
    EXPECT_FALSE(ice_.knows(udp(1)));
    EXPECT_TRUE(give(check(true), udp(1)).selected);
}

}  // namespace
}  // namespace media::transport
