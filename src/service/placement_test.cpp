#include "service/placement.hpp"

#include <gtest/gtest.h>

#include <random>

namespace service {
namespace {

using namespace std::chrono_literals;
using Kind = Decision::Kind;
using State = Node::State;

Node node(const std::string& id, int load = 0, const std::string& region = {}, State state = State::live) {
    Node made;
    made.node_id = id;
    made.url = "https://" + id + ".example.org";
    made.region = region;
    made.secret_mark = "mark";
    made.capacity = 100;
    made.load = load;
    made.state = state;
    return made;
}

SeenNode seen(Node what, std::chrono::milliseconds silent = 500ms, int promised = 0) {
    return {std::move(what), silent, promised};
}

Place at(const std::string& node_id, std::int64_t epoch = 1, const std::string& region = {}) {
    return {"m", node_id, epoch, region};
}

constexpr auto kDead = 7501ms;

TEST(Placement, ThreeMissedHeartbeatsAndSomeDelayAreDeath) {
    EXPECT_EQ(silence_of_the_dead(2s), 7500ms);
    EXPECT_LE(silence_of_the_dead(Node{}.heartbeat), 8s);
    const Viewer viewer{node("a")};
    EXPECT_TRUE(is_alive(seen(node("b"), 7500ms), viewer));
    EXPECT_FALSE(is_alive(seen(node("b"), kDead), viewer));
    // Each by its own heartbeat.
    auto slow = node("b");
    slow.heartbeat = 10s;
    EXPECT_TRUE(is_alive(seen(slow, 30s), viewer));
}

TEST(Placement, WhoSaysGoodbyeIsGoneAtOnce) {
    EXPECT_FALSE(is_alive(seen(node("b", 0, {}, State::gone), 0ms), {node("a")}));
    EXPECT_TRUE(is_alive(seen(node("b", 0, {}, State::draining)), {node("a")}));
}

TEST(Placement, NobodyIsJudgedDeadAfterTheDatabaseWasAway) {
    const Viewer viewer{node("a"), false};
    EXPECT_TRUE(is_alive(seen(node("b"), 1h), viewer));
    EXPECT_FALSE(is_alive(seen(node("b", 0, {}, State::gone)), viewer));
}

TEST(Placement, OnesOwnHeartbeatMayBeLateInTheDatabase) {
    const Viewer viewer{node("a")};
    EXPECT_TRUE(is_alive(seen(node("a"), 1h), viewer));
    EXPECT_EQ(choose_node({seen(node("a"), 1h)}, viewer, "").node_id, "a");
}

TEST(Placement, MostRoomWins) {
    const Viewer viewer{node("a")};
    EXPECT_EQ(choose_node({seen(node("a", 40)), seen(node("b", 20)), seen(node("c", 30))}, viewer, "").node_id, "b");
    auto large = node("d", 500);
    large.capacity = 1000;
    EXPECT_EQ(choose_node({seen(node("a", 40)), seen(large)}, viewer, "").node_id, "d");
    // Full ones as well: better crowded than refused.
    EXPECT_EQ(choose_node({seen(node("a", 130)), seen(node("b", 120))}, viewer, "").node_id, "b");
}

TEST(Placement, MeetingsThatWereJustGivenAwayCount) {
    const Viewer viewer{node("a")};
    EXPECT_EQ(choose_node({seen(node("a", 0), 0ms, 3), seen(node("b", 5))}, viewer, "").node_id, "b");
}

TEST(Placement, AmongEqualsTheOneThatWasAskedSavesTheWay) {
    const std::vector nodes{seen(node("a")), seen(node("b")), seen(node("c"))};
    for (const auto* id : {"a", "b", "c"}) EXPECT_EQ(choose_node(nodes, {node(id)}, "").node_id, id);
}

TEST(Placement, TheWantedRegionComesFirstWhileThereIsRoom) {
    const Viewer viewer{node("a", 0, "eu-central-1")};
    const auto near = seen(node("a", 0, "eu-central-1"));
    EXPECT_EQ(choose_node({near, seen(node("b", 99, "us-east-1"))}, viewer, "us-east-1").node_id, "b");
    EXPECT_EQ(choose_node({near, seen(node("b", 100, "us-east-1"))}, viewer, "us-east-1").node_id, "a");
    EXPECT_EQ(choose_node({near, seen(node("b", 50, "us-east-1"))}, viewer, "ap-south-1").node_id, "a");
    EXPECT_EQ(choose_node({near, seen(node("b", 50, "us-east-1"), kDead)}, viewer, "us-east-1").node_id, "a");
}

TEST(Placement, OnlyLiveNodesWithTheSameSecretTakeMeetings) {
    const Viewer viewer{node("a", 90)};
    auto stranger = node("s");
    stranger.secret_mark = "other";
    const std::vector nodes{seen(node("a", 90)), seen(node("b"), kDead), seen(node("c", 0, {}, State::draining)),
                            seen(node("d", 0, {}, State::gone)), seen(stranger)};
    EXPECT_EQ(choose_node(nodes, viewer, "").node_id, "a");
}

TEST(Placement, ADrainingNodeGivesItsMeetingsAway) {
    const Viewer viewer{node("a", 0, {}, State::draining)};
    // Its own word is newer than the database's.
    EXPECT_EQ(choose_node({seen(node("a")), seen(node("b", 90))}, viewer, "").node_id, "b");
    // With nobody else there it is better than none.
    EXPECT_EQ(choose_node({seen(node("a"))}, viewer, "").node_id, "a");
    EXPECT_EQ(choose_node({}, viewer, "").node_id, "a");
}

TEST(Address, AMeetingStaysWhereItIs) {
    const Viewer viewer{node("a")};
    const Survey survey{at("b"), {seen(node("a")), seen(node("b", 99))}};
    const auto decision = decide_address(survey, viewer, "");
    EXPECT_EQ(decision.kind, Kind::keep);
    EXPECT_EQ(decision.node.url, "https://b.example.org");
}

TEST(Address, AlsoWhileItsNodeDrains) {
    const Survey survey{at("b"), {seen(node("a")), seen(node("b", 2, {}, State::draining))}};
    EXPECT_EQ(decide_address(survey, {node("a")}, "").kind, Kind::keep);
}

TEST(Address, AMeetingWithoutPlaceOrNodeGetsAPlace) {
    const Viewer viewer{node("a", 50)};
    const std::vector nodes{seen(node("a", 50)), seen(node("b", 10)), seen(node("dead"), kDead)};
    for (const auto& place : {std::optional<Place>{}, std::optional{at("dead")}, std::optional{at("forgotten")}}) {
        const auto decision = decide_address({place, nodes}, viewer, "");
        EXPECT_EQ(decision.kind, Kind::claim);
        EXPECT_EQ(decision.node.node_id, "b");
    }
}

TEST(Address, AMoveKeepsToTheRegionOfTheMeeting) {
    const Viewer viewer{node("a")};
    const Survey survey{at("dead", 3, "eu-west-1"),
                        {seen(node("a")), seen(node("b", 60, "eu-west-1")), seen(node("dead"), kDead)}};
    EXPECT_EQ(decide_address(survey, viewer, "").node.node_id, "b");
}

TEST(Address, WhoHasGoneGivesItsOwnMeetingsToOthers) {
    const Viewer viewer{node("a", 0, {}, State::gone)};
    const auto decision = decide_address({at("a"), {seen(node("a")), seen(node("b"))}}, viewer, "");
    EXPECT_EQ(decision.kind, Kind::claim);
    EXPECT_EQ(decision.node.node_id, "b");
}

TEST(Entry, IsWhereTheMeetingIs) {
    const std::vector nodes{seen(node("a")), seen(node("b"))};
    EXPECT_EQ(decide_entry({at("a"), nodes}, {node("a")}).kind, Kind::keep);
    EXPECT_EQ(decide_entry({at("b"), nodes}, {node("a")}).kind, Kind::wait);
    EXPECT_EQ(decide_entry({at("a"), nodes}, {node("a", 0, {}, State::draining)}).kind, Kind::keep);
    EXPECT_EQ(decide_entry({at("a"), nodes}, {node("a", 0, {}, State::gone)}).kind, Kind::wait);
}

TEST(Entry, WhoeverIsAskedTakesOverFromTheDead) {
    const std::vector nodes{seen(node("a", 99)), seen(node("b", 0)), seen(node("dead"), kDead)};
    for (const auto& place : {std::optional<Place>{}, std::optional{at("dead")}, std::optional{at("forgotten")}}) {
        const auto decision = decide_entry({place, nodes}, {node("a", 99)});
        EXPECT_EQ(decision.kind, Kind::claim);
        EXPECT_EQ(decision.node.node_id, "a");
        EXPECT_EQ(decide_entry({place, nodes}, {node("a", 0, {}, State::draining)}).kind, Kind::wait);
    }
    EXPECT_EQ(decide_entry({at("dead"), nodes}, {node("a"), false}).kind, Kind::wait);
}

/// Whatever the nodes look like, two that see the same never both believe that a meeting is theirs to serve as it is.
TEST(Entry, NeverTwoWhoKeepTheSameMeeting) {
    std::mt19937 random{7};
    for (int round = 0; round < 20'000; ++round) {
        std::vector<SeenNode> nodes;
        for (const auto* id : {"a", "b", "c"}) {
            auto made =
                node(id, static_cast<int>(random() % 120), random() % 2 ? "r" : "", static_cast<State>(random() % 3));
            if (random() % 4 != 0) nodes.push_back(seen(std::move(made), std::chrono::milliseconds(random() % 12'000)));
        }
        std::optional<Place> place;
        if (random() % 5 != 0) place = at(std::string(1, static_cast<char>('a' + random() % 4)), 1 + random() % 3);
        int keepers = 0;
        for (const auto& viewer : nodes) {
            const Viewer from{viewer.node, random() % 4 != 0};
            const auto entry = decide_entry({place, nodes}, from);
            keepers += entry.kind == Kind::keep ? 1 : 0;
            EXPECT_EQ(entry.node.node_id, viewer.node.node_id);
            const auto address = decide_address({place, nodes}, from, random() % 2 ? "r" : "");
            EXPECT_NE(address.kind, Kind::wait);
            EXPECT_FALSE(address.node.node_id.empty());
            // What one may enter here must not be sent elsewhere.
            if (entry.kind == Kind::keep) {
                EXPECT_EQ(address.kind, Kind::keep);
                EXPECT_EQ(address.node.node_id, viewer.node.node_id);
            }
        }
        EXPECT_LE(keepers, 1);
    }
}

}  // namespace
}  // namespace service
