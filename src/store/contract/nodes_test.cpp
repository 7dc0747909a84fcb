// Nodes, the places of meetings, and orders between nodes.
#include <set>

#include "service/node_store.hpp"
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using service::MeetingOrder;
using service::Node;
using service::Place;
using State = service::Node::State;

class NodesKept : public StoreTest {
  protected:
    static Node node(int number) {
        Node made;
        made.node_id = id(number);
        made.url = "https://node-" + std::to_string(number) + ".example.org";
        made.region = "eu-central-1";
        made.secret_mark = "0123456789abcdef";
        made.seat = "seat-" + std::to_string(number);
        made.version = "1.2.3";
        made.heartbeat = 2500ms;
        made.capacity = 400;
        made.load = number;
        return made;
    }
    static service::NodeStore& nodes_of(service::Store& store) { return dynamic_cast<service::NodeStore&>(store); }
    service::NodeStore& nodes() { return nodes_of(*store); }

    std::optional<Place> claim(const std::string& meeting, int number, const std::optional<Place>& from = {},
                               const std::string& region = {}) {
        return done(nodes().claim_place(meeting, region, id(number), from));
    }
    std::optional<Place> place_of(const std::string& meeting) { return done(nodes().survey(meeting)).place; }
    std::vector<service::SeenNode> all() { return done(nodes().survey("")).nodes; }
};
STORE_TEST_SUITE(NodesKept);

TEST_P(NodesKept, WhatANodeTellsOfItselfIsSeen) {
    EXPECT_TRUE(all().empty());
    auto second = node(2);
    second.url = R"(https://"quoted",\and{braces})";
    second.region.clear();
    done(nodes().enroll(node(1)));
    done(nodes().enroll(second));
    const auto seen = all();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].node, node(1));
    EXPECT_EQ(seen[1].node, second);
    for (const auto& each : seen) {
        EXPECT_GE(each.silent, 0ms);
        EXPECT_LT(each.silent, 1min);
        EXPECT_EQ(each.promised, 0);
    }
    EXPECT_EQ(nodes().is_shared(), GetParam() == "postgres");
}

TEST_P(NodesKept, AHeartbeatEndsTheSilence) {
    done(nodes().enroll(node(1)));
    // Time passes by itself; that it does is what is waited for.
    std::chrono::milliseconds before{0};
    while (before < 20ms) before = all().at(0).silent;
    auto later = node(1);
    later.load = 77;
    later.state = State::draining;
    EXPECT_TRUE(done(nodes().beat(later, {})).empty());
    const auto seen = all();
    EXPECT_EQ(seen.at(0).node, later);
    EXPECT_LT(seen.at(0).silent, 1min);
}

TEST_P(NodesKept, AForgottenNodeIsKnownAgainWithItsNextHeartbeat) {
    done(nodes().enroll(node(1)));
    done(nodes().tidy(-60s));
    EXPECT_TRUE(all().empty());
    done(nodes().beat(node(1), {}));
    EXPECT_EQ(all().at(0).node, node(1));
}

TEST_P(NodesKept, WhoTakesTheSeatProvesThatItsOwnerIsGone) {
    auto first = node(1);
    auto second = node(2);
    second.seat = first.seat;
    done(nodes().enroll(first));
    done(nodes().enroll(node(3)));
    done(nodes().enroll(second));
    const auto seen = all();
    EXPECT_EQ(seen.at(0).node.state, State::gone);
    EXPECT_EQ(seen.at(1).node.state, State::live);
    EXPECT_EQ(seen.at(2).node.state, State::live);
}

TEST_P(NodesKept, APlaceIsGivenOnce) {
    EXPECT_EQ(place_of("m"), std::nullopt);
    const Place expected{"m", id(1), 1, "eu-west-1"};
    EXPECT_EQ(claim("m", 1, {}, "eu-west-1"), expected);
    EXPECT_EQ(claim("m", 2), std::nullopt);
    EXPECT_EQ(place_of("m"), expected);
    EXPECT_EQ(place_of("n"), std::nullopt);
}

TEST_P(NodesKept, APlaceMovesOnlyFromWhereItIsThoughtToBe) {
    const auto first = claim("m", 1);
    ASSERT_TRUE(first);
    const auto second = claim("m", 2, first, "eu-west-1");
    EXPECT_EQ(second, (Place{"m", id(2), 2, "eu-west-1"}));
    EXPECT_EQ(claim("m", 3, first), std::nullopt);
    const auto back = claim("m", 1, second);
    EXPECT_EQ(back, (Place{"m", id(1), 3, ""}));
    // The same node, but an earlier stay there.
    EXPECT_EQ(claim("m", 2, first), std::nullopt);
    EXPECT_EQ(claim("n", 2, Place{"n", id(1), 1, ""}), std::nullopt);
}

TEST_P(NodesKept, OfManyThatTakeOverAtOnceExactlyOneDoes) {
    const auto other = GetParam() == "postgres" ? backend->open() : nullptr;
    for (int round = 0; round < 20; ++round) {
        const auto meeting = "m" + std::to_string(round);
        // At first nobody has it, then the dead node 9.
        std::optional<Place> from;
        if (round % 2 != 0) from = claim(meeting, 9);
        std::vector<std::shared_ptr<std::optional<core::Result<std::optional<Place>>>>> claims;
        for (int number = 1; number <= 4; ++number) {
            auto& there = number % 2 != 0 && other ? nodes_of(*other) : nodes();
            claims.push_back(loop.begin(there.claim_place(meeting, "", id(number), from)));
        }
        std::vector<Place> won;
        for (const auto& begun : claims) {
            if (const auto place = awaited(begun)) won.push_back(*place);
        }
        ASSERT_EQ(won.size(), 1U);
        EXPECT_EQ(place_of(meeting), won[0]);
        EXPECT_EQ(won[0].epoch, from ? 2 : 1);
    }
}

TEST_P(NodesKept, ManyMeetingsAreTakenOverCrosswiseWithoutWaiting) {
    std::vector<Place> lost;
    lost.reserve(40);
    for (int number = 0; number < 40; ++number) lost.push_back(*claim("m" + std::to_string(number), 9));
    const auto other = GetParam() == "postgres" ? backend->open() : nullptr;
    std::vector<std::shared_ptr<std::optional<core::Result<std::optional<Place>>>>> claims;
    for (std::size_t number = 0; number < lost.size(); ++number) {
        const auto& forward = lost[number];
        const auto& backward = lost[lost.size() - 1 - number];
        auto& there = other ? nodes_of(*other) : nodes();
        claims.push_back(loop.begin(nodes().claim_place(forward.meeting_id, "", id(1), forward)));
        claims.push_back(loop.begin(there.claim_place(backward.meeting_id, "", id(2), backward)));
    }
    std::set<std::string> taken;
    std::size_t won = 0;
    for (const auto& begun : claims) {
        const auto place = awaited(begun);
        if (!place) continue;
        ++won;
        taken.insert(place->meeting_id);
    }
    EXPECT_EQ(won, lost.size());
    EXPECT_EQ(taken.size(), lost.size());
}

TEST_P(NodesKept, AHeartbeatTellsWhatWasLost) {
    const auto kept = *claim("kept", 1);
    const auto moved = *claim("moved", 1);
    const auto ended = *claim("ended", 1);
    const auto returned = *claim("returned", 1);
    claim("moved", 2, moved);
    claim("returned", 1, claim("returned", 2, returned));
    done(nodes().vacate(id(1), {"ended"}));
    auto lost = done(nodes().beat(node(1), {kept, moved, ended, returned, {"odd \"{},\\", id(1), 0, ""}}));
    std::ranges::sort(lost);
    EXPECT_EQ(lost, (std::vector<std::string>{"ended", "moved", "odd \"{},\\", "returned"}));
    EXPECT_TRUE(done(nodes().beat(node(1), {kept})).empty());
}

TEST_P(NodesKept, OnlyTheNodeItselfGivesUpItsPlaces) {
    claim("mine", 1);
    claim("theirs", 2);
    done(nodes().vacate(id(1), {"mine", "theirs", "nobody's"}));
    EXPECT_EQ(place_of("mine"), std::nullopt);
    EXPECT_TRUE(place_of("theirs"));
    done(nodes().vacate(id(2), {}));
    EXPECT_TRUE(place_of("theirs"));
}

TEST_P(NodesKept, ADrainingNodeKeepsWhatRunsAndWhatIsNew) {
    for (const auto* meeting : {"running", "empty", "also empty"}) claim(meeting, 1);
    claim("theirs", 2);
    EXPECT_EQ(done(nodes().vacate_others(id(1), {"running"}, 1h)), 0);
    EXPECT_EQ(done(nodes().vacate_others(id(1), {"running"}, 0ms)), 2);
    EXPECT_TRUE(place_of("running"));
    EXPECT_EQ(place_of("empty"), std::nullopt);
    EXPECT_TRUE(place_of("theirs"));
    EXPECT_EQ(done(nodes().vacate_others(id(1), {}, 0ms)), 1);
}

TEST_P(NodesKept, MeetingsGivenAwayLatelyArePromised) {
    done(nodes().enroll(node(1)));
    done(nodes().enroll(node(2)));
    claim("a", 1);
    claim("b", 1);
    claim("c", 2);
    const auto seen = all();
    EXPECT_EQ(seen.at(0).promised, 2);
    EXPECT_EQ(seen.at(1).promised, 1);
}

TEST_P(NodesKept, AnOrderGoesToWhoeverHasTheMeeting) {
    const MeetingOrder order{"m", "remove", "attendee", R"({"a":"b\"})"};
    EXPECT_FALSE(done(nodes().send_order(order, id(1))));
    const auto place = claim("m", 2);
    EXPECT_FALSE(done(nodes().send_order(order, id(2))));
    EXPECT_TRUE(done(nodes().send_order(order, id(1))));
    EXPECT_TRUE(done(nodes().send_order({"m", "end", "", ""}, id(1))));
    EXPECT_TRUE(done(nodes().take_orders(id(1))).empty());
    // It moves before it was told.
    claim("m", 3, place);
    EXPECT_TRUE(done(nodes().take_orders(id(2))).empty());
    const auto taken = done(nodes().take_orders(id(3)));
    ASSERT_EQ(taken.size(), 2U);
    EXPECT_EQ(taken[0].meeting_id, "m");
    EXPECT_EQ(taken[0].kind, "remove");
    EXPECT_EQ(taken[0].attendee_id, "attendee");
    EXPECT_EQ(taken[0].detail, order.detail);
    EXPECT_EQ(taken[1].kind, "end");
    EXPECT_TRUE(done(nodes().take_orders(id(3))).empty());
}

TEST_P(NodesKept, WhatIsLongForgottenGoes) {
    done(nodes().enroll(node(1)));
    claim("here", 1);
    claim("nowhere", 9);
    done(nodes().send_order({"here", "end", "", ""}, id(2)));
    done(nodes().tidy(1h));
    EXPECT_EQ(all().size(), 1U);
    EXPECT_TRUE(place_of("nowhere"));
    done(nodes().tidy(-60s));
    EXPECT_TRUE(all().empty());
    EXPECT_TRUE(done(nodes().take_orders(id(1))).empty());
    EXPECT_EQ(place_of("nowhere"), std::nullopt);
}

}  // namespace
}  // namespace store::contract
