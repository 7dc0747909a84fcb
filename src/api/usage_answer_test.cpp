#include "api/usage_answer.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "core/asset.hpp"

namespace api {
namespace {

namespace json = boost::json;
using core::parse_utc;

const core::Time kJanuary = *parse_utc("2026-01-01");

service::Usage month() {
    service::Usage usage;
    usage.sessions = 4;
    usage.active_sessions = 1;
    usage.embedded = {62, 0, 2};
    usage.chime = {7, 61, 1};
    usage.average_session_minutes = 31.666;
    usage.days = {{*parse_utc("2026-01-03"), {62, 0, 2}, {}}, {*parse_utc("2026-01-25"), {}, {7, 61, 1}}};
    usage.quality = {2, 80.5, 0.125, 4, {}};
    return usage;
}

TEST(UsageAnswer, HoldsEveryFigure) {
    EXPECT_EQ(usage_answer(month(), kJanuary, 1000, std::nullopt),
              R"({"total_attendee_minutes_current_month":69,"free_tier_limit":1000,"remaining_minutes":993,)"
              R"("percentage_used":0.61,"total_sessions_current_month":4,"active_sessions":1,"month":"2026-01",)"
              R"("level":"HEALTHY","by_provider":{"chime":{"attendee_minutes":6.1,"sessions":1},)"
              R"("embedded":{"attendee_minutes":62,"sessions":2}},"average_session_duration_minutes":31.67,)"
              R"("days":[{"date":"2026-01-03","chime":0.0,"embedded":62},)"
              R"({"date":"2026-01-25","chime":6.1,"embedded":0}],)"
              R"("quality":{"reports":2,"average_latency_ms":80.5,"packet_loss_percentage":0.13,)"
              R"("audio_quality_score":4.0,"video_quality_score":null},"sessions":null})");
}

TEST(UsageAnswer, ListsTheSessionsBehindIt) {
    const std::vector<service::SessionUsage> sessions{
        {"s-1", "12", "34", consultation::Provider::chime, *parse_utc("2026-01-25T14:00:00"), 7, 61},
        {"s-2", "12", "35", consultation::Provider::embedded, *parse_utc("2026-01-03T09:00:00.5"), 62, 0}};
    const auto answer = json::parse(usage_answer(month(), kJanuary, 1000, sessions));
    EXPECT_EQ(answer.at("sessions"), json::parse(R"([
        {"session_id":"s-1","doctor_id":"12","patient_id":"34","provider":"chime","date":"2026-01-25T14:00:00Z",
         "attendee_minutes":6.1},
        {"session_id":"s-2","doctor_id":"12","patient_id":"35","provider":"embedded",
         "date":"2026-01-03T09:00:00.500000Z","attendee_minutes":62}])"));
    EXPECT_EQ(json::parse(usage_answer({}, kJanuary, 1000, std::vector<service::SessionUsage>{})).at("sessions"),
              json::array{});
}

json::value with_tenths(std::int64_t tenths, std::int64_t limit) {
    service::Usage usage;
    usage.chime.billed_tenths = tenths;
    return json::parse(usage_answer(usage, kJanuary, limit, std::nullopt));
}

TEST(UsageAnswer, OnlyChimeMinutesUseUpTheFreeTier) {
    service::Usage usage;
    usage.embedded.attendee_minutes = 5000;
    const auto answer = json::parse(usage_answer(usage, kJanuary, 1000, std::nullopt));
    EXPECT_EQ(answer.at("total_attendee_minutes_current_month"), 5000);
    EXPECT_EQ(answer.at("remaining_minutes"), 1000);
    EXPECT_EQ(answer.at("percentage_used"), 0.0);
    EXPECT_EQ(answer.at("level"), "HEALTHY");
}

TEST(UsageAnswer, PercentagesAreExactToTwoDecimals) {
    const auto used = [](std::int64_t tenths, std::int64_t limit) {
        return with_tenths(tenths, limit).at("percentage_used").to_number<double>();
    };
    EXPECT_DOUBLE_EQ(used(0, 1000), 0);
    EXPECT_DOUBLE_EQ(used(1, 1000), 0.01);
    EXPECT_DOUBLE_EQ(used(10, 3), 33.33);
    EXPECT_DOUBLE_EQ(used(20, 3), 66.67);
    EXPECT_DOUBLE_EQ(used(10'500, 1000), 105);
    EXPECT_DOUBLE_EQ(used(5, 0), 100);
    EXPECT_DOUBLE_EQ(used(0, 0), 0);
    EXPECT_EQ(with_tenths(10'500, 1000).at("remaining_minutes"), 0);
    EXPECT_EQ(with_tenths(9'991, 1000).at("remaining_minutes"), 0);
    EXPECT_EQ(with_tenths(9'990, 1000).at("remaining_minutes"), 1);
}

TEST(UsageAnswer, LevelsChangeAtTheirTenths) {
    const auto level = [](std::int64_t tenths, std::int64_t limit = 1000) {
        return std::string{with_tenths(tenths, limit).at("level").as_string()};
    };
    EXPECT_EQ(level(0), "HEALTHY");
    EXPECT_EQ(level(4'999), "HEALTHY");
    EXPECT_EQ(level(5'000), "WARNING");
    EXPECT_EQ(level(7'999), "WARNING");
    EXPECT_EQ(level(8'000), "CRITICAL");
    EXPECT_EQ(level(10'000), "CRITICAL");
    EXPECT_EQ(level(10'001), "EXCEEDED");
    EXPECT_EQ(level(0, 0), "HEALTHY");
    EXPECT_EQ(level(1, 0), "EXCEEDED");
}

TEST(UsageAnswer, MeansThatAreNoNumbersAreNull) {
    service::Usage usage;
    usage.average_session_minutes = std::numeric_limits<double>::quiet_NaN();
    usage.quality.latency_ms = -1;
    const auto answer = json::parse(usage_answer(usage, kJanuary, 1000, std::nullopt));
    EXPECT_EQ(answer.at("average_session_duration_minutes"), nullptr);
    EXPECT_EQ(answer.at("quality").at("average_latency_ms"), 0.0);
}

TEST(OpenApi, UsageHasTheSameFieldsInTheSameOrder) {
    const auto* asset = core::find_asset("api/openapi.json");
    ASSERT_NE(asset, nullptr);
    const auto document = json::parse({asset->content.data(), asset->content.size()});
    const auto names = [](const json::value& object) {
        std::vector<std::string> out;
        for (const auto& field : object.as_object()) out.emplace_back(field.key());
        return out;
    };
    EXPECT_EQ(names(document.at("components").at("schemas").at("Usage").at("properties")),
              names(json::parse(usage_answer(month(), kJanuary, 1000, std::nullopt))));
}

}  // namespace
}  // namespace api
