// A database that the earlier service has made, taken over in each form it exists in.
#include "store/contract/harness.hpp"
#include "store/contract/postgres_server.hpp"
#include "store/postgres/postgres_store.hpp"

namespace store::contract {
namespace {

/// As the earlier service's SQL script makes it: text with checks, defaults, keys, triggers.
constexpr auto kScriptForm = R"sql(
CREATE FUNCTION new_key() RETURNS text LANGUAGE sql AS $$ SELECT gen_random_uuid()::text $$;
CREATE TABLE video_consultation_sessions (
    session_id varchar(36) PRIMARY KEY DEFAULT new_key(),
    booking_type varchar(20) NOT NULL CHECK (booking_type IN ('CLINIC_BASED', 'DIRECT_DOCTOR')),
    appointment_id varchar(36), doctor_id varchar(100) NOT NULL, patient_id varchar(100) NOT NULL, clinic_id integer,
    meeting_id varchar(255) UNIQUE, external_meeting_id varchar(255) UNIQUE, media_region varchar(50),
    media_placement_audio_host_url varchar(500), media_placement_audio_fallback_url varchar(500),
    media_placement_signaling_url varchar(500), media_placement_turn_control_url varchar(500),
    status varchar(20) NOT NULL DEFAULT 'SCHEDULED'
        CHECK (status IN ('SCHEDULED', 'WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED', 'NO_SHOW')),
    scheduled_start_time timestamp NOT NULL, scheduled_end_time timestamp NOT NULL,
    actual_start_time timestamp, actual_end_time timestamp, consultation_duration_minutes integer DEFAULT 30,
    chief_complaint text, session_notes text, doctor_joined_at timestamp, patient_joined_at timestamp,
    doctor_left_at timestamp, patient_left_at timestamp, is_recording_enabled boolean DEFAULT false,
    recording_url varchar(500), connection_quality_rating integer CHECK (connection_quality_rating BETWEEN 1 AND 5),
    created_at timestamp DEFAULT CURRENT_TIMESTAMP, updated_at timestamp DEFAULT CURRENT_TIMESTAMP,
    cancelled_at timestamp, cancellation_reason text, cancelled_by varchar(100));
CREATE TABLE video_consultation_attendees (
    attendee_id varchar(36) PRIMARY KEY DEFAULT new_key(),
    session_id varchar(36) NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    user_id varchar(100) NOT NULL, role varchar(20) NOT NULL CHECK (role IN ('DOCTOR', 'PATIENT')),
    chime_attendee_id varchar(255) UNIQUE, external_user_id varchar(255), join_token text,
    joined_at timestamp, left_at timestamp, is_active boolean DEFAULT false, device_type varchar(50),
    browser_info varchar(200), ip_address varchar(50), created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp DEFAULT CURRENT_TIMESTAMP, UNIQUE (session_id, user_id));
CREATE TABLE video_consultation_events (
    event_id varchar(36) PRIMARY KEY DEFAULT new_key(),
    session_id varchar(36) NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    event_type varchar(100) NOT NULL, event_description text, user_id varchar(100),
    event_timestamp timestamp DEFAULT CURRENT_TIMESTAMP, event_metadata text);
CREATE TABLE video_consultation_metrics (
    metric_id varchar(36) PRIMARY KEY DEFAULT new_key(), session_id varchar(36), attendee_minutes_used integer DEFAULT 0,
    date timestamp NOT NULL, average_latency_ms integer, packet_loss_percentage decimal(5, 2),
    audio_quality_score integer, video_quality_score integer, session_completed boolean DEFAULT false,
    technical_issues boolean DEFAULT false, issue_description text, created_at timestamp DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE doctor_availability (
    availability_id varchar(36) PRIMARY KEY DEFAULT new_key(), doctor_id varchar(100) NOT NULL,
    day_of_week integer NOT NULL CHECK (day_of_week BETWEEN 0 AND 6), start_time varchar(10) NOT NULL,
    end_time varchar(10) NOT NULL, slot_duration_minutes integer DEFAULT 30, is_available boolean DEFAULT true,
    max_patients_per_slot integer DEFAULT 1, consultation_fee decimal(10, 2), currency varchar(3) DEFAULT 'USD',
    effective_from timestamp NOT NULL, effective_until timestamp, created_at timestamp, updated_at timestamp);
CREATE INDEX idx_sessions_doctor ON video_consultation_sessions (doctor_id);
CREATE INDEX idx_sessions_appointment ON video_consultation_sessions (appointment_id);
CREATE INDEX idx_sessions_created ON video_consultation_sessions (created_at);
CREATE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.updated_at = CURRENT_TIMESTAMP; RETURN NEW; END $$;
CREATE TRIGGER update_sessions_updated_at BEFORE UPDATE ON video_consultation_sessions
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_attendees_updated_at BEFORE UPDATE ON video_consultation_attendees
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
)sql";

/// As its models make it: native enums, hardly any key, no default.
constexpr auto kModelForm = R"sql(
CREATE TYPE bookingtype AS ENUM ('CLINIC_BASED', 'DIRECT_DOCTOR');
CREATE TYPE sessionstatus AS ENUM ('SCHEDULED', 'WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED', 'NO_SHOW');
CREATE TYPE participantrole AS ENUM ('DOCTOR', 'PATIENT');
CREATE TABLE video_consultation_sessions (
    session_id varchar(36) NOT NULL PRIMARY KEY, booking_type bookingtype NOT NULL, appointment_id varchar(36),
    doctor_id varchar(100) NOT NULL, patient_id varchar(100) NOT NULL, clinic_id integer,
    meeting_id varchar(255) UNIQUE, external_meeting_id varchar(255) UNIQUE, media_region varchar(50),
    media_placement_audio_host_url varchar(500), media_placement_audio_fallback_url varchar(500),
    media_placement_signaling_url varchar(500), media_placement_turn_control_url varchar(500),
    status sessionstatus NOT NULL, scheduled_start_time timestamp NOT NULL, scheduled_end_time timestamp NOT NULL,
    actual_start_time timestamp, actual_end_time timestamp, consultation_duration_minutes integer,
    chief_complaint text, session_notes text, doctor_joined_at timestamp, patient_joined_at timestamp,
    doctor_left_at timestamp, patient_left_at timestamp, is_recording_enabled boolean, recording_url varchar(500),
    connection_quality_rating integer, created_at timestamp, updated_at timestamp, cancelled_at timestamp,
    cancellation_reason text, cancelled_by varchar(100));
CREATE TABLE video_consultation_attendees (
    attendee_id varchar(36) NOT NULL PRIMARY KEY,
    session_id varchar(36) NOT NULL REFERENCES video_consultation_sessions,
    user_id varchar(100) NOT NULL, role participantrole NOT NULL, chime_attendee_id varchar(255) UNIQUE,
    external_user_id varchar(255), join_token text, joined_at timestamp, left_at timestamp, is_active boolean,
    device_type varchar(50), browser_info varchar(200), ip_address varchar(50), created_at timestamp,
    updated_at timestamp);
CREATE TABLE video_consultation_events (
    event_id varchar(36) NOT NULL PRIMARY KEY,
    session_id varchar(36) NOT NULL REFERENCES video_consultation_sessions, event_type varchar(100) NOT NULL,
    event_description text, user_id varchar(100), event_timestamp timestamp, event_metadata text);
CREATE TABLE video_consultation_metrics (
    metric_id varchar(36) NOT NULL PRIMARY KEY, session_id varchar(36), attendee_minutes_used integer,
    date timestamp NOT NULL, average_latency_ms integer, packet_loss_percentage decimal(5, 2),
    audio_quality_score integer, video_quality_score integer, session_completed boolean, technical_issues boolean,
    issue_description text, created_at timestamp);
)sql";

/// Two sessions of one appointment, one of them being held; the first attendee row of user 34 doubled where possible.
constexpr auto kRows = R"sql(
INSERT INTO video_consultation_sessions (session_id, booking_type, appointment_id, doctor_id, patient_id, meeting_id,
    external_meeting_id, media_region, status, scheduled_start_time, scheduled_end_time, consultation_duration_minutes,
    session_notes, doctor_joined_at, created_at, updated_at) VALUES
    ('old-1', 'CLINIC_BASED', 'appointment', '12', '34', 'meeting', 'pulseone-old-1', 'us-east-1', 'ACTIVE',
     '2026-01-25 14:00', '2026-01-25 14:30', 30, 'notes', '2026-01-25 14:00:01.5', '2026-01-24 09:00', '2026-01-25 14:00'),
    ('old-2', 'CLINIC_BASED', 'appointment', '12', '34', NULL, NULL, NULL, 'SCHEDULED',
     '2026-01-25 14:00', '2026-01-25 14:30', 30, NULL, NULL, '2026-01-24 08:00', '2026-01-24 08:00');
INSERT INTO video_consultation_attendees (attendee_id, session_id, user_id, role, chime_attendee_id, joined_at, left_at,
    is_active, created_at, updated_at) VALUES
    ('a-doctor', 'old-1', '12', 'DOCTOR', 'chime-doctor', '2026-01-25 14:00:01.5', NULL, true, now(), now()),
    ('a-patient', 'old-1', '34', 'PATIENT', 'chime-patient', '2026-01-25 14:01', '2026-01-25 14:03', false, now(), now());
INSERT INTO video_consultation_events (event_id, session_id, event_type, event_description, user_id, event_timestamp)
    VALUES ('e-1', 'old-1', 'SESSION_CREATED', 'created', '12', '2026-01-24 09:00'),
           ('e-2', 'old-1', 'USER_JOINED', 'joined', '12', '2026-01-24 09:00');
INSERT INTO video_consultation_metrics (metric_id, session_id, attendee_minutes_used, date)
    VALUES ('m-1', 'old-1', 2, '2026-01-25 14:03'), ('m-2', 'old-1', 3, '2026-01-25 14:04');
)sql";

constexpr auto kDoubledAttendee = R"sql(
INSERT INTO video_consultation_attendees (attendee_id, session_id, user_id, role, chime_attendee_id, joined_at, left_at,
    is_active) VALUES
    ('a-patient-0', 'old-1', '34', 'PATIENT', 'chime-patient-0', '2026-01-25 14:00:30', '2026-01-25 14:00:40', false);
)sql";

class Takeover : public testing::Test {
  protected:
    std::unique_ptr<postgres::PostgresStore> open() {
        auto opened = postgres::PostgresStore::open({.url = url});
        if (!opened) throw std::runtime_error(opened.error().detail);
        return std::move(*opened);
    }
    std::string value(const std::string& sql) { return PostgresServer::run(url, sql); }

    /// The old rows are as they were, and every use case works on them.
    void expect_everything_works(Time patient_joined) {
        auto store = open();
        const auto old = loop.run(store->find("old-1"))->value();
        EXPECT_EQ(old.booking_type, consultation::BookingType::clinic_based);
        EXPECT_EQ(old.status, Status::active);
        EXPECT_EQ(old.session_notes, "notes");
        EXPECT_EQ(old.meeting->meeting_id, "meeting");
        EXPECT_EQ(old.meeting->generation, 1);
        EXPECT_EQ(old.doctor_joined_at, at(1500ms));
        EXPECT_EQ(old.created_at, at(-29h));
        EXPECT_EQ(old.version, 0);
        ASSERT_EQ(old.attendees.size(), 2U);
        EXPECT_EQ(old.attendees[0].chime_attendee_id, "chime-doctor");
        // Who was inside still is; who had left has attended.
        EXPECT_TRUE(old.attendees[0].present());
        EXPECT_EQ(old.attendees[0].opened_at, at(1500ms));
        EXPECT_EQ(old.attendees[0].present_until, at(30min + 24h));
        EXPECT_FALSE(old.attendees[1].present());
        EXPECT_EQ(old.attendees[1].joined_at, patient_joined);
        EXPECT_EQ(value("SELECT count(*) FROM video_consultation_attendance"), "1");

        EXPECT_EQ(*loop.run(store->find_by_meeting("meeting")), old);
        EXPECT_EQ(loop.run(store->find_by_appointment("appointment"))->value().session_id, "old-1");
        EXPECT_EQ(loop.run(store->list({}))->total, 2);
        const auto trail = *loop.run(store->audit_trail("old-1"));
        ASSERT_EQ(trail.size(), 2U);
        EXPECT_EQ(trail[0].event_id, "e-1");
        EXPECT_EQ(loop.run(store->usage(at(), at(1h)))->chime.attendee_minutes, 5);

        auto change = update(old);
        change.after.status = Status::cancelled;
        change.after.updated_at = at(9h);
        change.after.attendees[0].open_interval_id.reset();
        change.audit = {{id(1), "old-1", "SESSION_CANCELLED", "Session cancelled: x", "12", at()}};
        change.events = {{id(2), "old-1", "video.session.cancelled", "video.session.cancelled", at(), {}}};
        change.usage = {{"old-1", "34", 4, at(), true}};
        EXPECT_EQ(*loop.run(store->commit(change)), Committed::applied);
        EXPECT_EQ(*loop.run(store->find("old-1")), change.after);
        EXPECT_EQ(loop.run(store->audit_trail("old-1"))->size(), 3U);

        // The other old session still holds the appointment.
        auto booking = plain_session(5);
        booking.appointment_id = "appointment";
        EXPECT_EQ(*loop.run(store->commit(creation(booking))), Committed::duplicate_appointment);
        auto freeing = update(loop.run(store->find("old-2"))->value());
        freeing.after.status = Status::cancelled;
        EXPECT_EQ(*loop.run(store->commit(freeing)), Committed::applied);
        EXPECT_EQ(*loop.run(store->commit(creation(booking))), Committed::applied);
        EXPECT_EQ(*loop.run(store->commit(creation(full_session(7)))), Committed::applied);
        EXPECT_EQ(*loop.run(store->find(id(7))), full_session(7));

        // Opening again changes nothing.
        store = open();
        EXPECT_EQ(*loop.run(store->find("old-1")), change.after);
    }

    void expect_no_enum_left() {
        EXPECT_EQ(value("SELECT count(*) FROM pg_type WHERE typtype = 'e'"), "0");
        EXPECT_EQ(value("SELECT count(*) FROM information_schema.columns WHERE table_name LIKE 'video_consultation_%'"
                        " AND column_name IN ('booking_type', 'status', 'role') AND data_type <> 'character varying'"),
                  "0");
    }

    std::string url = PostgresServer::shared().empty_database();
    Loop loop;
};

TEST_F(Takeover, OfTheScriptsForm) {
    value(std::string(kScriptForm) + kRows);
    expect_everything_works(at(1min));
    expect_no_enum_left();
}

TEST_F(Takeover, OfTheModelsForm) {
    value(std::string(kModelForm) + kRows + kDoubledAttendee);
    expect_everything_works(at(30s));
    expect_no_enum_left();
    EXPECT_EQ(value("SELECT attendee_id FROM video_consultation_attendees_doubled"), "a-patient-0");
    EXPECT_EQ(value("SELECT count(*) FROM doctor_availability"), "0");
}

TEST_F(Takeover, OfALaterFormWithoutMeetingColumns) {
    value(std::string(kModelForm) + kRows);
    value(
        "ALTER TABLE video_consultation_sessions DROP COLUMN meeting_id, DROP COLUMN external_meeting_id,"
        " DROP COLUMN media_region, ADD COLUMN room_id varchar(100) NOT NULL DEFAULT 'r', ADD COLUMN doctor_token text;"
        "ALTER TABLE video_consultation_sessions ALTER COLUMN room_id DROP DEFAULT;"
        "ALTER TABLE video_consultation_attendees DROP COLUMN chime_attendee_id, DROP COLUMN join_token,"
        " DROP COLUMN external_user_id, ADD COLUMN peer_id text;"
        "ALTER TABLE video_consultation_metrics RENAME COLUMN attendee_minutes_used TO session_duration_minutes");
    auto store = open();
    const auto old = loop.run(store->find("old-1"))->value();
    EXPECT_EQ(old.meeting, std::nullopt);
    EXPECT_EQ(old.attendees.size(), 2U);
    EXPECT_EQ(loop.run(store->usage(at(), at(1h)))->embedded.attendee_minutes, 5);
    EXPECT_EQ(*loop.run(store->commit(creation(full_session(7)))), Committed::applied);
    EXPECT_EQ(*loop.run(store->find(id(7))), full_session(7));
}

TEST_F(Takeover, AFailedMigrationLeavesEverythingAsItWas) {
    value(std::string(kModelForm) + kRows);
    value("ALTER TABLE video_consultation_metrics DROP COLUMN date");
    EXPECT_FALSE(postgres::PostgresStore::open({.url = url}).has_value());
    EXPECT_EQ(value("SELECT count(*) FROM video_consultation_schema"), "0");
    EXPECT_EQ(value("SELECT count(*) FROM pg_type WHERE typname = 'sessionstatus'"), "1");
    EXPECT_EQ(value("SELECT count(*) FROM video_consultation_attendees"), "2");
}

}  // namespace
}  // namespace store::contract
