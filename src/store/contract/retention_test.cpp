// What becomes of sessions whose time is over, in tables as the service has them: with sealed texts.
#include "service/retention.hpp"

#include "consultation/life_cycle.hpp"
#include "store/contract/harness.hpp"
#include "store/sealed/whole_store.hpp"

namespace store::contract {
namespace {

using service::Leftover;
using service::Retention;

class FixedClock final : public core::Clock {
  public:
    Time now() const override { return time; }
    Time time = at(24h * 100);
};

const auto kPseudonym = [](const std::string& user) { return "anon-" + std::to_string(user.size()) + user.back(); };

class Retained : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        auto engine = backend->open();
        auto& keys = dynamic_cast<service::KeyStore&>(*engine);
        auto& below = dynamic_cast<service::Archive&>(*engine);
        store = std::make_unique<sealed::WholeStore>(std::move(engine), keys, below,
                                                     sealed::MasterKeys({sealed::derived_master_key("x")}), clock);
        ASSERT_TRUE(loop.run(store->ring().load()));
    }

    Retention retention(std::chrono::days keep, bool purge, const std::string& holder = "one") {
        service::RetentionSettings settings;
        settings.keep = keep;
        settings.purge = purge;
        settings.holder = holder;
        settings.batch = 2;
        return {std::move(settings), *store, store->archive(), kPseudonym, clock};
    }
    template <class T>
    T done(service::Task<core::Result<T>> task) {
        auto result = loop.run(std::move(task));
        if (!result) throw std::runtime_error(result.error().detail);
        if constexpr (!std::is_void_v<T>) return std::move(*result);
    }
    /// Half an hour long, with 20 minutes of both, and all that a session leaves behind.
    Session finished(int number, Status status = Status::completed) {
        auto session = full_session(number);
        session.doctor_id = "doctor-d";
        session.patient_id = "patient-p";
        session.cancelled_by = "patient-p";
        session.status = status;
        for (auto& person : session.attendees) {
            person.user_id = person.role == consultation::Role::doctor ? session.doctor_id : session.patient_id;
            person.open_interval_id.reset();
            person.opened_at.reset();
            person.last_seen_at.reset();
            person.present_until.reset();
        }
        session.actual_start_time = at();
        session.actual_end_time = at(20min);
        session.created_at = session.updated_at = at(1h);
        auto change = creation(session);
        for (const auto& person : session.attendees) {
            change.intervals.push_back({core_id(number, person.role), session.session_id, person.user_id, person.role,
                                        at(), at(20min), consultation::Provider::embedded, "m"});
            change.usage.push_back(
                {session.session_id, person.user_id, 20, at(), true, consultation::Provider::embedded, 0});
        }
        change.audit.push_back(
            {id(number + 900), session.session_id, "SESSION_CREATED", "by patient-p", "patient-p", at()});
        const service::IdempotencyRecord record{"patient-p", "key-" + std::to_string(number), "hash",
                                                session.session_id};
        EXPECT_EQ(done(store->commit(change, record)), Committed::applied);
        service::QualityReport report;
        report.audio_score = 4;
        report.issue_description = "patient-p heard nothing";
        done(store->record_quality(session.session_id, "patient-p", consultation::Provider::embedded, report, at()));
        return session;
    }
    static std::string core_id(int number, consultation::Role role) {
        return id(number + (role == consultation::Role::doctor ? 400000 : 410000));
    }
    std::string count(const std::string& table, const std::string& where) {
        return backend->value("SELECT count(*) FROM video_consultation_" + table + " WHERE " + where);
    }
    std::optional<Session> find(int number) { return done(store->find(id(number))); }
    std::vector<std::string> trail(int number) {
        std::vector<std::string> types;
        for (const auto& entry : done(store->audit_trail(id(number)))) types.push_back(entry.event_type);
        return types;
    }
    service::Usage usage() { return done(store->usage(at(-24h * 40), at(24h * 40))); }

    std::unique_ptr<Backend> backend = make_backend(GetParam());
    FixedClock clock;
    Loop loop;
    std::unique_ptr<sealed::WholeStore> store;
};
STORE_TEST_SUITE(Retained);

TEST_P(Retained, NothingGoesWithoutALimitOrBeforeItsTime) {
    finished(1);
    EXPECT_EQ(done(retention(std::chrono::days{0}, true).run()), 0);
    EXPECT_EQ(done(retention(std::chrono::days{101}, true).run()), 0);
    EXPECT_TRUE(find(1));
}

TEST_P(Retained, AnOpenSessionStaysHoweverOldItIs) {
    finished(1, Status::active);
    finished(2, Status::waiting);
    finished(3, Status::scheduled);
    for (const bool purge : {false, true}) EXPECT_EQ(done(retention(std::chrono::days{1}, purge).run()), 0);
    const auto open = find(1);
    EXPECT_EQ(open->patient_id, "patient-p");
    EXPECT_FALSE(done(store->archive().purge(id(1), open->version)));
}

TEST_P(Retained, AnonymousSessionsKeepTimesAndFiguresAndNobody) {
    for (int number = 1; number <= 5; ++number) finished(number, number == 5 ? Status::cancelled : Status::completed);
    const auto before = usage();
    EXPECT_EQ(done(retention(std::chrono::days{90}, false).run()), 5);
    const auto session = find(1);
    ASSERT_TRUE(session);
    EXPECT_EQ(session->doctor_id, kPseudonym("doctor-d"));
    EXPECT_EQ(session->patient_id, find(2)->patient_id);
    EXPECT_EQ(session->actual_end_time, at(20min));
    EXPECT_FALSE(session->chief_complaint || session->session_notes || session->cancellation_reason ||
                 session->appointment_id);
    for (const auto& table : {"attendees", "attendance", "metrics"}) {
        EXPECT_EQ(count(table, "user_id IN ('doctor-d', 'patient-p')"), "0") << table;
        EXPECT_NE(count(table, "user_id = '" + kPseudonym("patient-p") + "'"), "0") << table;
    }
    EXPECT_EQ(count("metrics", "issue_description IS NOT NULL"), "0");
    EXPECT_EQ(count("idempotency", "1 = 1"), "0");
    EXPECT_EQ(trail(1), (std::vector<std::string>{"SESSION_CREATED", "SESSION_ANONYMISED"}));
    const auto after = usage();
    EXPECT_EQ(after.sessions, before.sessions);
    EXPECT_EQ(after.embedded, before.embedded);
    EXPECT_EQ(after.average_session_minutes, before.average_session_minutes);
    // Once and for all.
    EXPECT_EQ(done(retention(std::chrono::days{90}, false).run()), 0);
    EXPECT_EQ(done(store->meter_rows(at(-1h), at(1h), {}, {}, 100)).size(), 10U);
}

TEST_P(Retained, PurgedSessionsLeaveTheirAuditRowsAndTheFiguresOfTheMonth) {
    for (int number = 1; number <= 5; ++number) finished(number, number == 5 ? Status::no_show : Status::completed);
    const auto before = usage();
    EXPECT_EQ(done(retention(std::chrono::days{90}, true).run()), 5);
    EXPECT_FALSE(find(1));
    for (const auto& table : {"sessions", "attendees", "attendance", "meetings", "idempotency"}) {
        EXPECT_EQ(count(table, "1 = 1"), "0") << table;
    }
    EXPECT_EQ(count("metrics", "user_id = 'patient-p' OR issue_description IS NOT NULL"), "0");
    EXPECT_EQ(trail(1), (std::vector<std::string>{"SESSION_CREATED", "SESSION_PURGED"}));
    const auto after = usage();
    EXPECT_EQ(after.sessions, before.sessions);
    EXPECT_EQ(after.embedded, before.embedded);
    EXPECT_EQ(after.quality.reports, before.quality.reports);
    EXPECT_EQ(after.average_session_minutes, before.average_session_minutes);
    // A record without its stays cannot be checked any more.
    EXPECT_TRUE(done(store->meter_rows(at(-1h), at(1h), {}, {}, 100)).empty());
}

TEST_P(Retained, AnInterruptedRunGoesOnWhereItStopped) {
    const auto session = finished(1);
    // As if it had ended after its first step.
    done(store->archive().rename_people(
        id(1), {{"doctor-d", kPseudonym("doctor-d")}, {"patient-p", kPseudonym("patient-p")}}));
    EXPECT_EQ(done(retention(std::chrono::days{90}, false).run()), 1);
    EXPECT_EQ(find(1)->patient_id, kPseudonym("patient-p"));
    EXPECT_EQ(count("attendance", "user_id = '" + kPseudonym("patient-p") + "'"), "1");

    finished(2);
    done(store->record({{id(77), id(2), "SESSION_PURGED", {}, {}, at()}}, {}));
    EXPECT_EQ(done(retention(std::chrono::days{90}, true).run()), 1);
    EXPECT_EQ(trail(2), (std::vector<std::string>{"SESSION_CREATED", "SESSION_PURGED"}));
}

TEST_P(Retained, OneProcessAtATime) {
    finished(1);
    EXPECT_TRUE(done(store->hold_lease("retention", "another", 60s)));
    EXPECT_EQ(done(retention(std::chrono::days{90}, true).run()), 0);
    EXPECT_TRUE(find(1));
    done(store->release_lease("retention", "another"));
    EXPECT_EQ(done(retention(std::chrono::days{90}, true).run()), 1);
}

TEST_P(Retained, LeftoversGoByThemselves) {
    finished(1);
    done(store->record_chime_event({"e1", "chime:MeetingEnded", "m", "", at()}, at()));
    done(store->record_chime_event({"e2", "chime:MeetingEnded", "m", "", at()}, at(24h * 50)));
    EXPECT_EQ(done(store->archive().prune(Leftover::chime_events, at(24h), 10)), 1);
    EXPECT_EQ(done(store->archive().prune(Leftover::chime_events, at(24h), 10)), 0);
    EXPECT_EQ(count("chime_events", "1 = 1"), "1");
    EXPECT_EQ(done(store->archive().prune(Leftover::meetings, at(24h), 10)), 0);  // It has not ended.
    backend->value("UPDATE video_consultation_meetings SET ended_at = created_at");
    EXPECT_EQ(done(store->archive().prune(Leftover::meetings, at(24h), 10)), 1);
    EXPECT_EQ(done(store->archive().prune(Leftover::idempotency, at(24h), 10)), 1);
    EXPECT_TRUE(done(store->hold_lease("old", "x", 1ms)));
    EXPECT_EQ(done(store->archive().prune(Leftover::leases, core::SystemClock().now() + 24h, 10)), 1);
}

TEST_P(Retained, ThePatientsSessionsComePageByPage) {
    for (int number = 1; number <= 5; ++number) finished(number);
    auto& archive = store->archive();
    const auto first = done(archive.sessions_of_patient("patient-p", {}, 3));
    EXPECT_EQ(first, (std::vector<std::string>{id(1), id(2), id(3)}));
    EXPECT_EQ(done(archive.sessions_of_patient("patient-p", first.back(), 3)),
              (std::vector<std::string>{id(4), id(5)}));
    EXPECT_TRUE(done(archive.sessions_of_patient("doctor-d", {}, 3)).empty());
    const auto stays = done(archive.stays(id(1)));
    ASSERT_EQ(stays.size(), 2U);
    EXPECT_EQ(stays[0].left_at, at(20min));
    const auto figures = done(archive.figures(id(1)));
    ASSERT_EQ(figures.size(), 2U);
    EXPECT_EQ(figures[1].attendee_minutes, 20);
    EXPECT_EQ(figures[1].quality.audio_score, 4);
    EXPECT_EQ(figures[1].issue_description, "patient-p heard nothing");
}

}  // namespace
}  // namespace store::contract
