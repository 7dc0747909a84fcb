// Two nodes over one database: who serves what, when nodes come, fall silent and come back (service::Nodes).
#include "service/nodes.hpp"
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using service::Node;
using service::Nodes;

/// The names of the tests say what holds for the installation; SQLite has one node only, see the end.
class NodeLife : public StoreTest {
  protected:
    struct Process {
        std::unique_ptr<service::Store> store;
        std::unique_ptr<Nodes> nodes;
        Nodes* operator->() const { return nodes.get(); }
    };

    Process process(int number, const std::string& region = {}) {
        Process made;
        made.store = backend->open();
        Node node;
        node.node_id = id(number);
        node.url = "http://node-" + std::to_string(number);
        node.seat = "seat-" + std::to_string(number);
        node.secret_mark = "mark";
        node.region = region;
        node.capacity = 100;
        made.nodes = std::make_unique<Nodes>(node, dynamic_cast<service::NodeStore&>(*made.store));
        done(made->enroll());
        return made;
    }

    /// Without a word for a minute.
    void fall_silent(int number) {
        backend->value(
            "UPDATE video_consultation_nodes SET heartbeat_at = heartbeat_at - interval '1 minute'"
            " WHERE node_id = '" +
            id(number) + "'");
    }
    std::string address(const Process& asked, const std::string& meeting = "m", const std::string& region = {}) {
        return done(asked->address_of(meeting, region)).url;
    }
    bool enter(const Process& asked, const std::string& meeting = "m") { return done(asked->enter(meeting)); }
    bool owns(const Process& asked, const std::string& meeting = "m") { return done(asked->owns(meeting)); }
    std::vector<std::string> beat(const Process& asked, int load = 0) { return done(asked->beat(load)); }
};
INSTANTIATE_TEST_SUITE_P(Engine, NodeLife, testing::Values("postgres"), [](const auto& info) { return info.param; });

TEST_P(NodeLife, EverybodyNamesTheSameNodeAndOnlyThatOneServes) {
    const auto a = process(1), b = process(2);
    const auto url = address(a);
    EXPECT_EQ(address(b), url);
    EXPECT_EQ(url, "http://node-1") << "the one that was asked, both being empty";
    EXPECT_TRUE(enter(a));
    EXPECT_FALSE(enter(b));
    EXPECT_TRUE(owns(a));
    EXPECT_FALSE(owns(b));
    EXPECT_EQ(address(b, "n", ""), "http://node-2") << "the next goes where there is more room";
}

TEST_P(NodeLife, OfTwoWhoTakeOverAtOnceOneServesAndTheOtherFollows) {
    const auto dead = process(9);
    for (int round = 0; round < 10; ++round) {
        const auto meeting = "m" + std::to_string(round);
        ASSERT_EQ(address(dead, meeting), "http://node-9");
    }
    const auto a = process(1), b = process(2);
    fall_silent(9);
    for (int round = 0; round < 10; ++round) {
        const auto meeting = "m" + std::to_string(round);
        const auto first = loop.begin(a->enter(meeting));
        const auto second = loop.begin(b->enter(meeting));
        const bool at_a = awaited(first), at_b = awaited(second);
        EXPECT_NE(at_a, at_b);
        EXPECT_EQ(address(a, meeting), address(b, meeting));
        EXPECT_EQ(address(a, meeting), at_a ? "http://node-1" : "http://node-2");
    }
    EXPECT_EQ(a->vitals().takeovers + b->vitals().takeovers, 10U);
}

TEST_P(NodeLife, WhoWasSilentTooLongLetsGoOfWhatOthersTook) {
    const auto a = process(1), b = process(2);
    ASSERT_TRUE(enter(a));
    ASSERT_TRUE(enter(a, "kept"));
    a->count_people("m", 2);
    EXPECT_EQ(a->meetings(), 1);
    fall_silent(1);
    EXPECT_TRUE(enter(b)) << "a client came to b, and a is dead";
    EXPECT_EQ(beat(a), (std::vector<std::string>{"m"}));
    EXPECT_EQ(a->meetings(), 0);
    EXPECT_FALSE(owns(a));
    EXPECT_TRUE(owns(a, "kept")) << "nobody wanted that one";
    EXPECT_TRUE(beat(a).empty());
    EXPECT_EQ(a->vitals().lost, 1U);
    EXPECT_EQ(address(a), "http://node-2");
}

TEST_P(NodeLife, ANodeThatIsNotSureOfItselfAsks) {
    const auto a = process(1), b = process(2);
    // Made without a word to the database: as one whose last heartbeat is long ago.
    Process old;
    old.store = backend->open();
    Node node;
    node.node_id = id(3);
    old.nodes = std::make_unique<Nodes>(node, dynamic_cast<service::NodeStore&>(*old.store));
    EXPECT_FALSE(old->is_sure());
    EXPECT_TRUE(a->is_sure());
    address(b);
    EXPECT_FALSE(owns(old));
    EXPECT_FALSE(enter(old));
    EXPECT_TRUE(owns(old, "unplaced")) << "nobody else has it";
}

TEST_P(NodeLife, PeopleInAMeetingThatIsNotOursAreSentAway) {
    const auto a = process(1), b = process(2);
    address(b);
    // Lost while they were on the way in.
    a->count_people("m", 1);
    EXPECT_FALSE(owns(a));
    EXPECT_EQ(beat(a), (std::vector<std::string>{"m"}));
}

TEST_P(NodeLife, ADrainingNodeKeepsOnlyWhatRuns) {
    const auto a = process(1), b = process(2);
    ASSERT_TRUE(enter(a));
    ASSERT_TRUE(enter(a, "empty"));
    a->count_people("m", 1);
    a->drain();
    beat(a);
    EXPECT_EQ(address(b), "http://node-1");
    EXPECT_EQ(address(a), "http://node-1");
    EXPECT_TRUE(enter(a));
    EXPECT_EQ(address(a, "new"), "http://node-2");
    // Given to it just now: somebody may be on the way. Later they are sent elsewhere.
    EXPECT_EQ(address(b, "empty"), "http://node-1");
    backend->value("UPDATE video_consultation_meeting_places SET placed_at = placed_at - interval '1 minute'");
    beat(a);
    EXPECT_EQ(address(b, "empty"), "http://node-2");
    EXPECT_EQ(address(b), "http://node-1");
    EXPECT_TRUE(a->vitals().draining);
}

TEST_P(NodeLife, WhoLeavesGivesEverythingAwayAtOnce) {
    const auto a = process(1), b = process(2);
    address(a);
    a->count_people("m", 1);
    done(a->leave());
    EXPECT_FALSE(owns(a)) << "what it still hears of the meeting is not the truth any more";
    EXPECT_FALSE(enter(a));
    EXPECT_EQ(address(a), "http://node-2");
    EXPECT_TRUE(enter(b));
}

TEST_P(NodeLife, OrdersReachTheNodeThatHasTheMeeting) {
    const auto a = process(1), b = process(2);
    address(a);
    EXPECT_TRUE(done(b->send_order({"m", "remove", "x", ""})));
    EXPECT_FALSE(done(a->send_order({"m", "remove", "y", ""}))) << "its own affair";
    beat(a);
    beat(b);
    EXPECT_TRUE(done(b->take_orders()).empty());
    const auto orders = done(a->take_orders());
    ASSERT_EQ(orders.size(), 1U);
    EXPECT_EQ(orders[0].attendee_id, "x");
    done(a->end("m"));
    EXPECT_FALSE(done(b->send_order({"m", "remove", "x", ""}))) << "over";
}

TEST_P(NodeLife, TheRegionStaysWithTheMeeting) {
    const auto a = process(1, "eu-central-1"), b = process(2, "us-east-1"), c = process(3, "us-east-1");
    EXPECT_EQ(address(a, "m", "us-east-1").substr(0, 12), "http://node-");
    const auto first = address(a);
    ASSERT_TRUE(first == "http://node-2" || first == "http://node-3") << first;
    fall_silent(first == "http://node-2" ? 2 : 3);
    EXPECT_EQ(address(a), first == "http://node-2" ? "http://node-3" : "http://node-2");
}

class OneNode : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Engine, OneNode, testing::Values("sqlite"), [](const auto& info) { return info.param; });

TEST_P(OneNode, OnSqliteTheOnlyNodeHasEverything) {
    Node self;
    self.node_id = id(1);
    self.url = "http://here";
    Nodes nodes(self, dynamic_cast<service::NodeStore&>(*store));
    done(nodes.enroll());
    EXPECT_FALSE(nodes.is_shared());
    EXPECT_TRUE(nodes.is_sure());
    EXPECT_EQ(done(nodes.address_of("m", "anywhere")).url, "http://here");
    EXPECT_TRUE(done(nodes.enter("m")));
    EXPECT_TRUE(done(nodes.enter("not asked for before")));
    EXPECT_TRUE(done(nodes.owns("m")));
    EXPECT_FALSE(done(nodes.send_order({"m", "end", "", ""})));
    done(nodes.end("m"));
    EXPECT_TRUE(done(nodes.enter("m")));
}

}  // namespace
}  // namespace store::contract
