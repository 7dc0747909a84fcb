// A database of the first schema, with rows in it, brought up to the present one.
#include "store/common/migrations.hpp"
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using consultation::Provider;

/// Rows for both engines; `@1@` stands for a minute past 14:00, which each writes in its own way.
constexpr std::string_view kRows = R"sql(
INSERT INTO video_consultation_sessions (session_id, booking_type, doctor_id, patient_id, meeting_id,
    external_meeting_id, media_region, meeting_generation, status, scheduled_start_time, scheduled_end_time,
    actual_start_time, actual_end_time, created_at, updated_at, version) VALUES
    ('ours', 'DIRECT_DOCTOR', '12', '34', 'm-ours', 'e-ours', 'local', 2, 'ACTIVE', @0@, @30@, @1@, NULL, @0@, @1@, 5),
    ('theirs', 'DIRECT_DOCTOR', '12', '34', 'm-theirs', 'e-theirs', 'us-east-1', NULL, 'COMPLETED', @0@, @30@, @1@, @9@,
     @0@, @9@, 0),
    ('none', 'DIRECT_DOCTOR', '12', '34', NULL, NULL, NULL, NULL, 'SCHEDULED', @0@, @30@, NULL, NULL, @0@, @0@, 1);
INSERT INTO video_consultation_attendees (attendee_id, session_id, user_id, role, chime_attendee_id, joined_at, left_at,
    created_at, updated_at, attended_micros) VALUES
    ('a-ours', 'ours', '34', 'PATIENT', 'c-ours', @1@, @2@, @1@, @2@, 60000000),
    ('a-theirs', 'theirs', '34', 'PATIENT', 'c-theirs', @1@, @2@, @1@, @2@, 60000001);
INSERT INTO video_consultation_attendance (interval_id, session_id, user_id, role, joined_at, left_at) VALUES
    ('i-ours', 'ours', '34', 'PATIENT', @1@, @2@), ('i-theirs', 'theirs', '34', 'PATIENT', @1@, @2@);
INSERT INTO video_consultation_metrics (metric_id, session_id, user_id, attendee_minutes_used, date) VALUES
    ('m-1', 'ours', '34', 1, @1@), ('m-2', 'theirs', '34', 1, @1@), ('m-3', 'theirs', NULL, 2, @1@),
    ('m-4', 'theirs', NULL, 3, @1@);
INSERT INTO video_consultation_outbox (event_id, session_id, routing_key, event_type, occurred_at, payload) VALUES
    ('e-1', 'ours', 'video.user.joined', 'video.user.joined', @1@, '{}'),
    ('e-2', 'ours', 'video.user.left', 'video.user.left', @2@, '{}');
INSERT INTO video_consultation_idempotency (user_id, key, body_hash, session_id, created_at)
    VALUES ('34', 'k', 'h', 'ours', @0@);
)sql";

class Upgrade : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        backend = make_backend(GetParam());
        const auto first = migrations_of(GetParam()).at(0);
        const bool sqlite = GetParam() == "sqlite";
        backend->value(std::string(first.sql) +
                       "; CREATE TABLE video_consultation_schema (version integer PRIMARY KEY,"
                       " name text NOT NULL, applied_at " +
                       (sqlite ? "text" : "timestamp") + " NOT NULL)");
        backend->value("INSERT INTO video_consultation_schema VALUES (1, '" + std::string(first.name) +
                       "', '2026-01-01 00:00:00')");
    }

    void fill() {
        std::string rows(kRows);
        for (const int minute : {30, 9, 2, 1, 0}) {
            const std::string name = "@" + std::to_string(minute) + "@";
            const auto time = at(std::chrono::minutes(minute));
            const std::string value = GetParam() == "sqlite" ? std::to_string(time.time_since_epoch().count())
                                                             : "'" + core::format_zoneless(time) + "'";
            for (auto found = rows.find(name); found != std::string::npos; found = rows.find(name, found)) {
                rows.replace(found, name.size(), value);
            }
        }
        backend->value(rows);
    }

    std::unique_ptr<Backend> backend;
    Loop loop;
};
STORE_TEST_SUITE(Upgrade);

TEST_P(Upgrade, RowsAreKeptAndGetTheirProvider) {
    fill();
    auto store = backend->open();
    const auto ours = loop.run(store->find_by_meeting("m-ours"))->value();
    EXPECT_EQ(ours.session_id, "ours");
    EXPECT_EQ(ours.version, 5);
    EXPECT_EQ(ours.meeting->provider, Provider::embedded);
    EXPECT_EQ(ours.meeting->generation, 2);
    EXPECT_EQ(ours.media_region, std::nullopt);
    EXPECT_EQ(ours.attendees.at(0).attended, 1min);
    EXPECT_EQ(ours.attendees.at(0).attended_chime, 0us);
    const auto theirs = loop.run(store->find_by_meeting("m-theirs"))->value();
    EXPECT_EQ(theirs.meeting->provider, Provider::chime);
    EXPECT_EQ(theirs.attendees.at(0).attended, 0us);
    EXPECT_EQ(theirs.attendees.at(0).attended_chime, 1min + 1us);
    EXPECT_EQ(theirs.attendees.at(0).billed_tenths, 11);
    EXPECT_EQ(loop.run(store->find("none"))->value().meeting, std::nullopt);
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_meetings WHERE ended_at IS NOT NULL"), "1");
    EXPECT_EQ(loop.run(store->find_idempotency("34", "k"))->value().session_id, "ours");
    EXPECT_EQ(*loop.run(store->open_at(Provider::embedded, "", 10)), (std::vector<std::string>{"ours"}));
}

TEST_P(Upgrade, FiguresAreCountedWhereTheyBelong) {
    fill();
    auto store = backend->open();
    const auto usage = loop.run(store->usage(at(), at(1h))).value();
    EXPECT_EQ(usage.embedded, (service::ProviderUsage{1, 0, 1}));
    EXPECT_EQ(usage.chime, (service::ProviderUsage{6, 60, 1}));
    const auto rows = loop.run(store->meter_rows(at(), at(1h), "", "", 10)).value();
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].session_id, "ours");
    EXPECT_EQ(rows[0].attendee_minutes, 1);
    EXPECT_EQ(rows[0].interval_micros, 60'000'000);
    EXPECT_EQ(rows[1].user_id, "");  // the earlier service named nobody
    EXPECT_EQ(rows[1].attendee_minutes, 5);
    EXPECT_EQ(rows[1].interval_micros, 0);
    EXPECT_EQ(rows[2].user_id, "34");
    EXPECT_EQ(rows[2].provider, Provider::chime);
    EXPECT_EQ(rows[2].billed_tenths, 10);
    EXPECT_EQ(rows[2].interval_micros, 60'000'000);
}

TEST_P(Upgrade, MessagesOfBeforeAreStillTold) {
    fill();
    auto store = backend->open();
    const auto waiting = loop.run(store->unpublished(10)).value();
    ASSERT_EQ(waiting.size(), 2U);
    EXPECT_EQ(waiting[0].event_id, "e-1");
    EXPECT_EQ(waiting[1].event_id, "e-2");
    EXPECT_EQ(loop.run(store->fan_out({"x"}, at(90s), 10)).value(), 1);
}

TEST_P(Upgrade, RecordsOfTwoProvidersHaveRoom) {
    fill();
    auto store = backend->open();
    auto change = update(loop.run(store->find("ours"))->value());
    change.usage = {{"ours", "34", 4, at(1min), false, Provider::embedded, 0},
                    {"ours", "34", 5, at(1min), false, Provider::chime, 50}};
    EXPECT_EQ(*loop.run(store->commit(change)), Committed::applied);
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_metrics WHERE session_id = 'ours'"), "2");
    EXPECT_EQ(loop.run(store->usage(at(), at(1h))).value().embedded.attendee_minutes, 4);
}

TEST_P(Upgrade, OpeningAgainChangesNothing) {
    fill();
    backend->open().reset();
    auto store = backend->open();
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_schema"),
              std::to_string(migrations_of(GetParam()).size()));
    EXPECT_EQ(loop.run(store->find("ours"))->value().version, 5);
}

TEST_P(Upgrade, AnUpgradedDatabaseTakesEverythingANewOneTakes) {
    auto store = backend->open();
    EXPECT_EQ(*loop.run(store->commit(creation(full_session(1)))), Committed::applied);
    EXPECT_EQ(loop.run(store->find(id(1))).value(), full_session(1));
}

TEST_P(Upgrade, AnOldKeyByAnyNameMakesRoom) {
    if (GetParam() == "postgres") {
        backend->value(
            "DROP INDEX uq_metrics_session_user; ALTER TABLE video_consultation_metrics"
            " ADD CONSTRAINT \"odd Name\" UNIQUE (user_id, session_id)");
        backend->value("CREATE UNIQUE INDEX \"another Odd\" ON video_consultation_metrics (session_id, user_id)");
    }
    fill();
    auto store = backend->open();
    auto change = update(loop.run(store->find("ours"))->value());
    change.usage = {{"ours", "34", 5, at(1min), false, Provider::chime, 50}};
    EXPECT_EQ(*loop.run(store->commit(change)), Committed::applied);
}

}  // namespace
}  // namespace store::contract
