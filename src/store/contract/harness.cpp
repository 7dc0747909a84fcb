#include "store/contract/harness.hpp"

#include <sqlite3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "store/contract/postgres_server.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sealed/whole_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace store::contract {
namespace {

class SqliteBackend final : public Backend {
  public:
    std::unique_ptr<service::Store> open() override {
        auto opened = sqlite::SqliteStore::open({.path = folder_.file("sessions.db"), .audit_keys = audit_keys()});
        if (!opened) throw std::runtime_error(opened.error().detail);
        return std::move(*opened);
    }

    std::string value(const std::string& sql) override {
        sqlite3* raw = nullptr;
        sqlite3_open(folder_.file("sessions.db").c_str(), &raw);
        const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database(raw, sqlite3_close);
        sqlite3_busy_timeout(raw, 5000);
        std::string result;
        char* message = nullptr;
        sqlite3_exec(
            raw, sql.c_str(),
            [](void* into, int, char** values, char**) {
                auto& text = *static_cast<std::string*>(into);
                if (text.empty() && values[0] != nullptr) text = values[0];
                return 0;
            },
            &result, &message);
        if (message != nullptr) {
            const std::string why = message;
            sqlite3_free(message);
            throw std::runtime_error(why);
        }
        return result;
    }

  private:
    TemporaryFolder folder_;
};

class PostgresBackend final : public Backend {
  public:
    std::unique_ptr<service::Store> open() override {
        auto opened = postgres::PostgresStore::open({.url = url_, .audit_keys = audit_keys()});
        if (!opened) throw std::runtime_error(opened.error().detail);
        return std::move(*opened);
    }
    std::string value(const std::string& sql) override { return PostgresServer::run(url_, sql); }

  private:
    std::string url_ = PostgresServer::shared().empty_database();
};

/// As the service has it.
std::unique_ptr<service::Store> with_sealed_texts(std::unique_ptr<service::Store> engine) {
    static const core::SystemClock clock;
    auto& keys = dynamic_cast<service::KeyStore&>(*engine);
    auto& archive = dynamic_cast<service::Archive&>(*engine);
    auto whole = std::make_unique<sealed::WholeStore>(
        std::move(engine), keys, archive, sealed::MasterKeys({sealed::derived_master_key("of the tests")}), clock);
    const auto loaded = Loop().run(whole->ring().load());
    if (!loaded) throw std::runtime_error(loaded.error().detail);
    return whole;
}

class SealedBackend final : public Backend {
  public:
    explicit SealedBackend(std::unique_ptr<Backend> engine) : engine_(std::move(engine)) {}
    std::unique_ptr<service::Store> open() override { return with_sealed_texts(engine_->open()); }
    std::string value(const std::string& sql) override { return engine_->value(sql); }

  private:
    std::unique_ptr<Backend> engine_;
};

}  // namespace

std::shared_ptr<const service::AuditKeys> audit_keys() {
    static const auto keys = std::make_shared<const service::AuditKeys>("an audit key for nothing but tests");
    return keys;
}

TemporaryFolder::TemporaryFolder() {
    path_ = (std::filesystem::temp_directory_path() / "vc-store-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::unique_ptr<Backend> make_backend(const std::string& engine) {
    if (engine.ends_with("_sealed")) {
        return std::make_unique<SealedBackend>(make_backend(engine.substr(0, engine.find('_'))));
    }
    if (engine == "sqlite") return std::make_unique<SqliteBackend>();
    return std::make_unique<PostgresBackend>();
}

Loop::~Loop() {
    context.restart();
    context.poll();
}

Time at(std::chrono::microseconds offset) {
    return std::chrono::sys_days{std::chrono::year{2026} / 1 / 25} + 14h + offset;
}

std::string id(int number) {
    char text[40];
    std::snprintf(text, sizeof text, "%08d-0000-4000-8000-%012d", number, number);
    return text;
}

Session plain_session(int number) {
    Session session;
    session.session_id = id(number);
    session.doctor_id = "12";
    session.patient_id = "34";
    session.scheduled_start_time = at();
    session.scheduled_end_time = at(30min);
    session.created_at = at(-24h);
    session.updated_at = at(-24h);
    session.version = 1;
    return session;
}

Attendee attendee(int number, consultation::Role role, const std::string& user) {
    Attendee made;
    made.row_id = id(number);
    made.user_id = user;
    made.role = role;
    made.chime_attendee_id = "chime-" + std::to_string(number);
    made.external_user_id = (role == consultation::Role::doctor ? "doctor-" : "patient-") + user;
    return made;
}

Session full_session(int number) {
    Session session = plain_session(number);
    session.booking_type = consultation::BookingType::clinic_based;
    session.appointment_id = id(number + 500000);
    session.doctor_id = "Ärztin-Ω";
    session.patient_id = "రోగి";
    session.clinic_id = -7;
    session.status = Status::active;
    session.actual_start_time = at(1min + 1us);
    session.actual_end_time = at(20min + 999999us);
    session.consultation_duration_minutes = 45;
    session.chief_complaint = "Kopfschmerz, \"seit\" gestern; it's \\ bad\n\t{1,2} 頭痛 🤕";
    session.media_region = "eu-central-1";
    session.start_requested_at = at(30s);
    session.session_notes = std::string(4990, 'n') + "\xF0\x9F\x98\x80 Ende";
    session.doctor_joined_at = at(2min);
    session.patient_joined_at = at(3min);
    session.doctor_left_at = at(19min);
    session.patient_left_at = at(20min);
    session.meeting = consultation::Meeting{consultation::Provider::chime,
                                            "meeting-" + std::to_string(number),
                                            "pulseone-" + std::to_string(number),
                                            "us-east-1",
                                            "audio",
                                            "fallback",
                                            "wss://example.org/a?b=c&d=%20",
                                            "turn",
                                            3};
    session.connection_quality_rating = 5;
    session.cancelled_at = at(4min);
    session.cancelled_by = "34";
    session.cancellation_reason = "weil'; DROP TABLE x; --";
    session.version = 1;
    auto doctor = attendee(number + 100000, consultation::Role::doctor, session.doctor_id);
    doctor.joined_at = at(2min);
    doctor.left_at = at(19min);
    doctor.device_type = "desktop";
    doctor.browser_info = "Mozilla/5.0 (X11; Linux x86_64) \"quoted\", {braced}";
    doctor.attended = 17min + 5us;
    doctor.attended_chime = 3min + 1us;
    doctor.billed_tenths = 31;
    auto patient = attendee(number + 200000, consultation::Role::patient, session.patient_id);
    patient.joined_at = at(3min);
    patient.open_interval_id = id(number + 300000);
    patient.opened_at = at(3min);
    patient.last_seen_at = at(5min + 7us);
    patient.present_until = at(6min);
    session.attendees = {doctor, patient};
    return session;
}

Change creation(Session session) {
    Change change;
    if (const auto& meeting = session.meeting) {
        change.meetings = {
            {meeting->meeting_id, session.session_id, meeting->provider, meeting->generation, session.created_at, {}}};
    }
    change.after = std::move(session);
    return change;
}

consultation::Event event(int number, const std::string& session_id, Time occurred_at) {
    return {id(number),          session_id,  "video.user.joined",
            "video.user.joined", occurred_at, {{"number", std::int64_t{number}}}};
}

Change update(Session session) {
    Change change;
    change.expected_version = session.version;
    change.after = std::move(session);
    ++change.after.version;
    return change;
}

void StoreTest::SetUp() {
    backend = make_backend(GetParam());
    store = backend->open();
}

void StoreTest::TearDown() {
    store.reset();
    backend.reset();
}

Session StoreTest::created(Session session) {
    EXPECT_EQ(commit(creation(session)), Committed::applied);
    return session;
}

Committed StoreTest::commit(Change change, std::optional<service::IdempotencyRecord> idempotency) {
    auto result = loop.run(store->commit(std::move(change), std::move(idempotency)));
    if (!result) throw std::runtime_error(result.error().detail);
    return *result;
}

std::optional<Session> StoreTest::find(const std::string& session_id) {
    auto result = loop.run(store->find(session_id));
    if (!result) throw std::runtime_error(result.error().detail);
    return *result;
}

}  // namespace store::contract
