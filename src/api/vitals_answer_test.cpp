#include "api/vitals_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <sstream>

namespace api {
namespace {

namespace json = boost::json;
using service::Vitals;
using Link = Vitals::Link;
using State = Vitals::Breaker::State;
using testing::Contains;
using testing::Each;
using testing::Not;
using testing::StartsWith;

std::string health(const Vitals& vitals, bool database = true) {
    return health_answer({"Video", "1.2.3", *core::parse_utc("2026-01-25T14:00:00"), database, vitals});
}

std::string field(const Vitals& vitals, std::string_view name) {
    return std::string{json::parse(health(vitals)).at({name.data(), name.size()}).as_string()};
}

std::vector<std::string> metrics(const Vitals& vitals, bool database = true) {
    std::istringstream text{metrics_answer({"Video", "1.2.3", {}, database, vitals})};
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

TEST(HealthAnswer, IsTheContractsAndWhatEachPartSays) {
    Vitals vitals;
    vitals.broker.waiting = 3;
    vitals.broker.oldest_seconds = 12.34;
    vitals.webhooks.link = Link::disconnected;
    vitals.webhooks.last_error = "answered 500";
    vitals.jobs_waiting = 2;
    vitals.oldest_job_seconds = 0.96;
    EXPECT_EQ(health(vitals),
              R"({"status":"healthy","service":"Video","version":"1.2.3","timestamp":"2026-01-25T14:00:00Z",)"
              R"("database":"healthy","rabbitmq":"disabled","aws_chime":"not configured",)"
              R"("outbox":{"waiting":3,"oldest_seconds":12.3,"last_error":null},)"
              R"("webhooks":{"state":"disconnected","waiting":0,"oldest_seconds":0.0,"last_error":"answered 500"},)"
              R"("jobs":{"waiting":2,"oldest_seconds":1.0}})");
}

TEST(HealthAnswer, TheBrokerIsAsGoodAsTheWorseOfItsTwoConnections) {
    const auto rabbitmq = [](Link publisher, Link consumer) {
        Vitals vitals;
        vitals.broker.link = publisher;
        vitals.consumer.link = consumer;
        EXPECT_EQ(field(vitals, "status"),
                  publisher == Link::disconnected || consumer == Link::disconnected ? "degraded" : "healthy");
        return field(vitals, "rabbitmq");
    };
    EXPECT_EQ(rabbitmq(Link::disabled, Link::disabled), "disabled");
    EXPECT_EQ(rabbitmq(Link::healthy, Link::disabled), "healthy");
    EXPECT_EQ(rabbitmq(Link::healthy, Link::healthy), "healthy");
    EXPECT_EQ(rabbitmq(Link::healthy, Link::disconnected), "disconnected");
    EXPECT_EQ(rabbitmq(Link::disconnected, Link::healthy), "disconnected");
}

TEST(HealthAnswer, ChimeWorksWhileItsBreakerIsClosed) {
    Vitals vitals;
    vitals.chime.configured = true;
    EXPECT_EQ(field(vitals, "aws_chime"), "configured");
    EXPECT_EQ(field(vitals, "status"), "healthy");
    for (const auto state : {State::open, State::half_open}) {
        vitals.chime.state = state;
        EXPECT_EQ(field(vitals, "aws_chime"), "unavailable");
        EXPECT_EQ(field(vitals, "status"), "degraded");
    }
    vitals.chime.configured = false;
    EXPECT_EQ(field(vitals, "status"), "healthy");
    EXPECT_EQ(json::parse(health(vitals, false)).at("status"), "degraded");
}

TEST(MetricsAnswer, GivesEveryValueItsName) {
    Vitals vitals;
    vitals.broker = {Link::healthy, 5, 1.5, 100, 2, ""};
    vitals.webhooks = {Link::disconnected, 1, 60, 7, 8, "x"};
    vitals.consumer = {Link::disabled, 11, 12, 13};
    vitals.chime = {true, State::half_open, 21, 22, 23};
    vitals.jobs_waiting = 4;
    vitals.oldest_job_seconds = 0.25;
    const auto lines = metrics(vitals);
    for (const auto* line : {
             R"(video_consultation_build_info{version="1.2.3",program="",revision="",compiler=""} 1)",
             R"(video_consultation_database_up 1)",
             R"(video_consultation_link_up{peer="broker"} 1)",
             R"(video_consultation_link_up{peer="webhooks"} 0)",
             R"(video_consultation_outbox_waiting{channel="broker"} 5)",
             R"(video_consultation_outbox_waiting{channel="webhooks"} 1)",
             R"(video_consultation_outbox_oldest_seconds{channel="broker"} 1.5)",
             R"(video_consultation_outbox_sent_total{channel="broker"} 100)",
             R"(video_consultation_outbox_failed_total{channel="webhooks"} 8)",
             R"(video_consultation_requests_consumed_total{outcome="handled"} 11)",
             R"(video_consultation_requests_consumed_total{outcome="retried"} 12)",
             R"(video_consultation_requests_consumed_total{outcome="parked"} 13)",
             R"(video_consultation_chime_breaker{state="closed"} 0)",
             R"(video_consultation_chime_breaker{state="half_open"} 1)",
             R"(video_consultation_chime_breaker{state="open"} 0)",
             R"(video_consultation_chime_calls_total 21)",
             R"(video_consultation_chime_failures_total 22)",
             R"(video_consultation_chime_refused_total 23)",
             R"(video_consultation_jobs_waiting 4)",
             R"(video_consultation_jobs_oldest_seconds 0.25)",
             R"(# TYPE video_consultation_outbox_sent_total counter)",
             R"(# TYPE video_consultation_outbox_waiting gauge)",
         }) {
        EXPECT_THAT(lines, Contains(line));
    }
    EXPECT_THAT(lines, Not(Contains(StartsWith(R"(video_consultation_link_up{peer="consumer"})"))));
}

TEST(MetricsAnswer, TellsOfTheNodes) {
    Vitals vitals;
    vitals.nodes = {true, true, 3, 1, 2, 5, 6, 7, 1.25};
    const auto lines = metrics(vitals);
    for (const auto* line : {
             R"(video_consultation_nodes{state="live"} 3)",
             R"(video_consultation_nodes{state="draining"} 1)",
             R"(video_consultation_nodes{state="silent"} 2)",
             R"(video_consultation_node_draining 1)",
             R"(video_consultation_node_meetings 5)",
             R"(video_consultation_node_takeovers_total 6)",
             R"(video_consultation_node_lost_meetings_total 7)",
             R"(video_consultation_node_heartbeat_age_seconds 1.25)",
         }) {
        EXPECT_THAT(lines, Contains(line));
    }
    EXPECT_THAT(metrics({}), Not(Contains(StartsWith("video_consultation_node_heartbeat"))));
}

TEST(MetricsAnswer, SaysNothingOfWhatIsNotThere) {
    const auto lines = metrics({}, false);
    EXPECT_THAT(lines, Contains("video_consultation_database_up 0"));
    EXPECT_THAT(lines, Not(Contains(StartsWith("video_consultation_chime"))));
    EXPECT_THAT(lines, Not(Contains(StartsWith("video_consultation_link_up"))));
    EXPECT_THAT(lines,
                Each(testing::AnyOf(StartsWith("# HELP video_consultation_"), StartsWith("# TYPE video_consultation_"),
                                    StartsWith("video_consultation_"))));
}

}  // namespace
}  // namespace api
