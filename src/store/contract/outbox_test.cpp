// Messages on their way: to the broker, and to webhooks.
#include <map>
#include <set>

#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using service::Channel;

class Outbox : public StoreTest {
  protected:
    void append(int number, const std::string& session, Time occurred_at = at()) {
        done(store->append(event(number, session, occurred_at)));
    }
    std::vector<std::string> unpublished(int limit = 100) {
        std::vector<std::string> ids;
        for (const auto& message : done(store->unpublished(limit))) ids.push_back(message.event_id);
        return ids;
    }
    std::int64_t sequence(int number) {
        return std::stoll(
            backend->value("SELECT sequence FROM video_consultation_outbox WHERE event_id = '" + id(number) + "'"));
    }
    bool kept(int number) {
        return backend->value("SELECT count(*) FROM video_consultation_outbox WHERE event_id = '" + id(number) + "'") ==
               "1";
    }
    std::vector<service::Delivery> due(Time now = at(1h), int limit = 100) {
        return done(store->due_deliveries(now, limit));
    }
    /// As `endpoint number`, in the order given.
    static std::vector<std::string> names(const std::vector<service::Delivery>& deliveries) {
        std::vector<std::string> names;
        names.reserve(deliveries.size());
        for (const auto& delivery : deliveries) {
            names.push_back(delivery.endpoint + " " + std::to_string(std::stoi(delivery.message.event_id)));
        }
        return names;
    }
    service::Delivery due_at(const std::string& endpoint, int number, Time now = at(1h)) {
        for (const auto& delivery : due(now)) {
            if (delivery.endpoint == endpoint && delivery.message.event_id == id(number)) return delivery;
        }
        throw std::runtime_error("not due: " + endpoint + " " + std::to_string(number));
    }
    void finish(const service::Delivery& delivery) { done(store->finish_deliveries({delivery.delivery_id})); }
};
STORE_TEST_SUITE(Outbox);
SEALED_STORE_TEST_SUITE(Outbox);

TEST_P(Outbox, ALeaseHasOneHolder) {
    EXPECT_TRUE(done(store->hold_lease("relay", "a", 1min)));
    EXPECT_FALSE(done(store->hold_lease("relay", "b", 1min)));
    EXPECT_TRUE(done(store->hold_lease("relay", "a", 1min)));
    EXPECT_TRUE(done(store->hold_lease("another", "b", 1min)));
    done(store->release_lease("relay", "b"));
    EXPECT_FALSE(done(store->hold_lease("relay", "b", 1min)));
    done(store->release_lease("relay", "a"));
    EXPECT_TRUE(done(store->hold_lease("relay", "b", 1min)));
    EXPECT_FALSE(done(store->hold_lease("relay", "a", 1min)));
}

TEST_P(Outbox, ALeaseThatIsOverIsFree) {
    EXPECT_TRUE(done(store->hold_lease("relay", "a", 0ms)));
    EXPECT_TRUE(done(store->hold_lease("relay", "b", 1min)));
    EXPECT_FALSE(done(store->hold_lease("relay", "a", 1min)));
}

TEST_P(Outbox, OfTwoProcessesThatAskAtOnceOneGetsTheLease) {
    const auto other = backend->open();
    for (int round = 0; round < 20; ++round) {
        const auto name = "relay-" + std::to_string(round);
        const auto first = loop.begin(store->hold_lease(name, "a", 1min));
        const auto second = loop.begin(other->hold_lease(name, "b", 1min));
        EXPECT_NE(awaited(first), awaited(second));
    }
}

TEST_P(Outbox, MessagesWaitInTheOrderOfWritingUntilTheyAreConfirmed) {
    append(9, "usage");
    auto change = creation(plain_session(1));
    change.events = {event(5, id(1), at(2s)), event(3, id(1), at(1s))};
    EXPECT_EQ(commit(change), Committed::applied);
    append(7, "appointment");
    EXPECT_EQ(unpublished(), (std::vector{id(9), id(5), id(3), id(7)}));
    EXPECT_EQ(unpublished(2), (std::vector{id(9), id(5)}));

    const auto message = done(store->unpublished(10)).at(1);
    EXPECT_EQ(message.sequence, sequence(5));
    EXPECT_EQ(message.session_id, id(1));
    EXPECT_EQ(message.routing_key, "video.user.joined");
    EXPECT_EQ(message.event_type, "video.user.joined");
    EXPECT_EQ(message.occurred_at, at(2s));
    EXPECT_EQ(message.payload, R"({"number":5})");

    done(store->mark_published({sequence(5), sequence(9), 999999}));
    EXPECT_EQ(unpublished(), (std::vector{id(3), id(7)}));
    done(store->mark_published({}));
    EXPECT_EQ(unpublished(), (std::vector{id(3), id(7)}));
}

TEST_P(Outbox, D12AppendingAgainChangesNothing) {
    append(1, "usage");
    done(store->mark_published({sequence(1)}));
    append(1, "usage");
    EXPECT_TRUE(unpublished().empty());
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_outbox"), "1");
}

TEST_P(Outbox, WhatOrdersAMessageMayBeLong) {
    const std::string key(200, 'k');
    append(1, key);
    EXPECT_EQ(done(store->unpublished(1)).at(0).session_id, key);
}

TEST_P(Outbox, EachMessageGoesToEachEndpointOnce) {
    append(1, "a");
    append(2, "b");
    append(3, "c");
    EXPECT_EQ(done(store->fan_out({"https://x/\"1\"", "https://y"}, at(-1h), 2)), 2);
    EXPECT_EQ(done(store->fan_out({"https://x/\"1\"", "https://y"}, at(-1h), 2)), 1);
    EXPECT_EQ(done(store->fan_out({"https://x/\"1\"", "https://y"}, at(-1h), 2)), 0);
    EXPECT_EQ(names(due()), (std::vector<std::string>{"https://x/\"1\" 1", "https://y 1", "https://x/\"1\" 2",
                                                      "https://y 2", "https://x/\"1\" 3", "https://y 3"}));
    EXPECT_EQ(due(at(1h), 4).size(), 4U);
    const auto first = due().at(0);
    EXPECT_EQ(first.attempts, 0);
    EXPECT_EQ(first.message.payload, R"({"number":1})");
    EXPECT_EQ(first.message.occurred_at, at());
}

TEST_P(Outbox, MessagesFromBeforeTheWebhooksGetNoDelivery) {
    for (int number = 1; number <= 5; ++number) append(number, "old", at(-2h));
    append(6, "new");
    EXPECT_EQ(done(store->fan_out({"x"}, at(-1h), 2)), 1);
    EXPECT_EQ(names(due()), (std::vector<std::string>{"x 6"}));
    // They are done with: an earlier start does not bring them back.
    EXPECT_EQ(done(store->fan_out({"x"}, at(-3h), 10)), 0);
    EXPECT_EQ(unpublished().size(), 6U);
}

TEST_P(Outbox, TwoProcessesFanningOutMakeEachDeliveryOnce) {
    constexpr int kMessages = 120;
    for (int number = 1; number <= kMessages; ++number) append(number, "session-" + std::to_string(number % 7));
    const auto other = backend->open();
    int made = 0;
    for (int round = 0; made < kMessages && round < 200; ++round) {
        const auto first = loop.begin(store->fan_out({"x", "y"}, at(-1h), 9));
        const auto second = loop.begin(other->fan_out({"x", "y"}, at(-1h), 9));
        made += awaited(first) + awaited(second);
    }
    EXPECT_EQ(made, kMessages);
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_webhook_deliveries"), "240");
    // Delivered one after the other they come in order.
    std::map<std::string, std::int64_t> last;
    std::size_t delivered = 0;
    for (auto deliveries = due(); !deliveries.empty(); deliveries = due()) {
        std::set<std::string> queues;
        for (const auto& delivery : deliveries) {
            const auto queue = delivery.endpoint + delivery.message.session_id;
            EXPECT_TRUE(queues.insert(queue).second) << "two of one queue at once";
            EXPECT_GT(delivery.message.sequence, last[queue]);
            last[queue] = delivery.message.sequence;
            finish(delivery);
            ++delivered;
        }
    }
    EXPECT_EQ(delivered, 240U);
}

TEST_P(Outbox, DeliveriesOfASessionToAnEndpointKeepTheirOrder) {
    append(1, "a");
    append(2, "a");
    append(3, "b");
    EXPECT_EQ(done(store->fan_out({"x", "y"}, at(-1h), 10)), 3);
    EXPECT_EQ(names(due()), (std::vector<std::string>{"x 1", "y 1", "x 3", "y 3"}));
    finish(due_at("x", 1));
    EXPECT_EQ(names(due()), (std::vector<std::string>{"y 1", "x 2", "x 3", "y 3"}));

    // One that cannot be delivered holds up its own session at its own endpoint, nobody else.
    done(store->postpone_delivery(due_at("y", 1).delivery_id, at(2h)));
    EXPECT_EQ(names(due()), (std::vector<std::string>{"x 2", "x 3", "y 3"}));
    append(4, "a", at(1min));
    EXPECT_EQ(done(store->fan_out({"x", "y"}, at(-1h), 10)), 1);
    EXPECT_EQ(names(due()), (std::vector<std::string>{"x 2", "x 3", "y 3"}));

    EXPECT_EQ(names(due(at(2h))), (std::vector<std::string>{"y 1", "x 2", "x 3", "y 3"}));
    EXPECT_EQ(due_at("y", 1, at(2h)).attempts, 1);
    done(store->postpone_delivery(due_at("y", 1, at(2h)).delivery_id, at(3h)));
    EXPECT_EQ(due_at("y", 1, at(3h)).attempts, 2);
    // Given up: the next one goes, with attempts of its own.
    finish(due_at("y", 1, at(3h)));
    EXPECT_EQ(due_at("y", 2, at(3h)).attempts, 0);
    finish(due_at("y", 2, at(3h)));
    EXPECT_EQ(due_at("y", 4, at(3h)).attempts, 0);
}

TEST_P(Outbox, AnEndpointThatIsDownLeavesRoomForTheOthers) {
    // Of each endpoint a long queue of one session, and many short ones; those of the second are younger.
    for (int number = 1; number <= 60; ++number) append(number, number <= 50 ? "long" : "a" + std::to_string(number));
    EXPECT_EQ(done(store->fan_out({"down"}, at(-1h), 60)), 60);
    for (int number = 61; number <= 65; ++number) append(number, "b" + std::to_string(number));
    EXPECT_EQ(done(store->fan_out({"up"}, at(-1h), 60)), 5);
    EXPECT_EQ(names(due(at(1h), 4)), (std::vector<std::string>{"down 1", "down 51", "up 61", "up 62"}));
    // What one does not need is the other's.
    EXPECT_EQ(due(at(1h), 15).size(), 15U);
    EXPECT_EQ(due(at(1h), 100).size(), 16U);

    done(store->postpone_delivery(due_at("down", 1).delivery_id, at(2h)));
    EXPECT_EQ(names(due(at(1h), 2)), (std::vector<std::string>{"down 51", "up 61"}));
    EXPECT_EQ(names(due(at(2h), 2)), (std::vector<std::string>{"down 1", "up 61"}));
}

TEST_P(Outbox, TheBacklogOfEachChannel) {
    EXPECT_EQ(done(store->backlog(Channel::broker)).waiting, 0);
    EXPECT_EQ(done(store->backlog(Channel::broker)).oldest, std::nullopt);
    EXPECT_EQ(done(store->backlog(Channel::webhooks)).waiting, 0);
    EXPECT_EQ(done(store->backlog(Channel::webhooks)).oldest, std::nullopt);
    append(1, "a", at(1s));
    append(2, "b", at(2s));
    EXPECT_EQ(done(store->backlog(Channel::broker)).waiting, 2);
    EXPECT_EQ(done(store->backlog(Channel::broker)).oldest, at(1s));
    EXPECT_EQ(done(store->backlog(Channel::webhooks)).waiting, 0);
    EXPECT_EQ(done(store->fan_out({"x", "y"}, at(-1h), 10)), 2);
    done(store->mark_published({sequence(1)}));
    EXPECT_EQ(done(store->backlog(Channel::broker)).waiting, 1);
    EXPECT_EQ(done(store->backlog(Channel::broker)).oldest, at(2s));
    EXPECT_EQ(done(store->backlog(Channel::webhooks)).waiting, 4);
    EXPECT_EQ(done(store->backlog(Channel::webhooks)).oldest, at(1s));
}

TEST_P(Outbox, OldMessagesGoWhenNobodyNeedsThem) {
    for (int number = 1; number <= 4; ++number) append(number, "a", at(std::chrono::hours(number)));
    done(store->mark_published({sequence(1), sequence(3), sequence(4)}));
    EXPECT_EQ(done(store->prune_outbox(at(1h), true, 10)), 0);
    EXPECT_EQ(done(store->prune_outbox(at(4h), true, 10)), 2);
    EXPECT_FALSE(kept(1));
    EXPECT_TRUE(kept(2));
    EXPECT_FALSE(kept(3));
    EXPECT_TRUE(kept(4));
    EXPECT_EQ(done(store->prune_outbox(at(4h), false, 10)), 1);
    EXPECT_FALSE(kept(2));
    EXPECT_TRUE(kept(4));
}

TEST_P(Outbox, PruningTakesTheOldestAndNoMoreThanItMay) {
    for (int number = 1; number <= 5; ++number) append(number, "a", at(std::chrono::hours(-number)));
    EXPECT_EQ(done(store->prune_outbox(at(), false, 2)), 2);
    EXPECT_TRUE(kept(3));
    EXPECT_FALSE(kept(4));
    EXPECT_EQ(done(store->prune_outbox(at(), false, 9)), 3);
}

TEST_P(Outbox, PruningSparesWhatIsStillToBeDelivered) {
    append(1, "a");
    append(2, "b");
    EXPECT_EQ(done(store->fan_out({"x"}, at(-1h), 10)), 2);
    done(store->mark_published({sequence(1), sequence(2)}));
    finish(due_at("x", 2));
    EXPECT_EQ(done(store->prune_outbox(at(1h), false, 10)), 1);
    EXPECT_TRUE(kept(1));
    finish(due_at("x", 1));
    EXPECT_EQ(done(store->prune_outbox(at(1h), true, 10)), 1);
}

TEST_P(Outbox, TwoProcessesMayPruneAtOnce) {
    for (int number = 1; number <= 40; ++number) append(number, "a");
    const auto other = backend->open();
    const auto first = loop.begin(store->prune_outbox(at(1h), false, 30));
    const auto second = loop.begin(other->prune_outbox(at(1h), false, 30));
    const int gone = awaited(first) + awaited(second);
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_outbox"), std::to_string(40 - gone));
    EXPECT_GE(gone, 30);
}

}  // namespace
}  // namespace store::contract
