-- Makes the tables, or takes over those that an earlier service has made: from its SQL script, or from its models
-- (native enum types, no defaults, few keys). Existing rows are kept. Times are UTC without zone, keys UUID text.

CREATE TABLE IF NOT EXISTS video_consultation_sessions (
    session_id varchar(36) PRIMARY KEY,
    booking_type varchar(20) NOT NULL CHECK (booking_type IN ('CLINIC_BASED', 'DIRECT_DOCTOR')),
    doctor_id varchar(100) NOT NULL,
    patient_id varchar(100) NOT NULL,
    status varchar(20) NOT NULL DEFAULT 'SCHEDULED'
        CHECK (status IN ('SCHEDULED', 'WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED', 'NO_SHOW')),
    scheduled_start_time timestamp NOT NULL,
    scheduled_end_time timestamp NOT NULL,
    connection_quality_rating integer CHECK (connection_quality_rating BETWEEN 1 AND 5)
);
CREATE TABLE IF NOT EXISTS video_consultation_attendees (
    attendee_id varchar(36) PRIMARY KEY,
    session_id varchar(36) NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    user_id varchar(100) NOT NULL,
    role varchar(20) NOT NULL CHECK (role IN ('DOCTOR', 'PATIENT'))
);
CREATE TABLE IF NOT EXISTS video_consultation_events (
    event_id varchar(36) PRIMARY KEY,
    session_id varchar(36) NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    event_type varchar(100) NOT NULL
);
CREATE TABLE IF NOT EXISTS video_consultation_metrics (
    metric_id varchar(36) PRIMARY KEY,
    date timestamp NOT NULL,
    audio_quality_score integer CHECK (audio_quality_score BETWEEN 1 AND 5),
    video_quality_score integer CHECK (video_quality_score BETWEEN 1 AND 5)
);
CREATE TABLE IF NOT EXISTS doctor_availability (
    availability_id varchar(36) PRIMARY KEY,
    doctor_id varchar(100) NOT NULL,
    day_of_week integer NOT NULL CHECK (day_of_week BETWEEN 0 AND 6),
    start_time varchar(10) NOT NULL,
    end_time varchar(10) NOT NULL,
    effective_from timestamp NOT NULL
);

-- Native enum columns become text. Triggers that stamp updated_at go: the service writes every time stamp itself.
-- Columns that some other version added must not demand a value from us.
DO $$
DECLARE
    item record;
    ours regclass[] := ARRAY['video_consultation_sessions', 'video_consultation_attendees', 'video_consultation_events',
                             'video_consultation_metrics', 'doctor_availability']::regclass[];
    known text[] := ARRAY['session_id', 'booking_type', 'doctor_id', 'patient_id', 'status', 'scheduled_start_time',
                          'scheduled_end_time', 'attendee_id', 'user_id', 'role', 'event_id', 'event_type', 'metric_id',
                          'date', 'availability_id', 'day_of_week', 'start_time', 'end_time', 'effective_from'];
BEGIN
    FOR item IN
        SELECT a.attrelid::regclass AS tab, quote_ident(a.attname) AS col, a.atthasdef
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = ANY (ours) AND a.attnum > 0 AND NOT a.attisdropped AND t.typtype = 'e'
    LOOP
        IF item.atthasdef THEN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT', item.tab, item.col);
        END IF;
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %s TYPE varchar(20) USING upper(%s::text)', item.tab, item.col, item.col);
    END LOOP;
    FOR item IN
        SELECT format('%I.%I', n.nspname, t.typname) AS name FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE t.typname IN ('bookingtype', 'sessionstatus', 'participantrole') AND t.typtype = 'e'
          AND n.nspname = current_schema()
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.refobjid = t.oid AND d.deptype = 'n')
    LOOP
        EXECUTE 'DROP TYPE ' || item.name;
    END LOOP;
    FOR item IN
        SELECT g.tgrelid::regclass AS tab, quote_ident(g.tgname) AS name
        FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
        WHERE g.tgrelid = ANY (ours) AND NOT g.tgisinternal AND p.prosrc ILIKE '%updated_at%'
    LOOP
        EXECUTE format('DROP TRIGGER %s ON %s', item.name, item.tab);
    END LOOP;
    FOR item IN
        SELECT a.attrelid::regclass AS tab, quote_ident(a.attname) AS col
        FROM pg_attribute a
        WHERE a.attrelid = ANY (ours) AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef
          AND a.attidentity = '' AND a.attname <> ALL (known)
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL', item.tab, item.col);
    END LOOP;
END
$$;

ALTER TABLE video_consultation_sessions
    ADD COLUMN IF NOT EXISTS appointment_id varchar(36),
    ADD COLUMN IF NOT EXISTS clinic_id integer,
    ADD COLUMN IF NOT EXISTS meeting_id varchar(255),
    ADD COLUMN IF NOT EXISTS external_meeting_id varchar(255),
    ADD COLUMN IF NOT EXISTS media_region varchar(50),
    ADD COLUMN IF NOT EXISTS media_placement_audio_host_url varchar(500),
    ADD COLUMN IF NOT EXISTS media_placement_audio_fallback_url varchar(500),
    ADD COLUMN IF NOT EXISTS media_placement_signaling_url varchar(500),
    ADD COLUMN IF NOT EXISTS media_placement_turn_control_url varchar(500),
    ADD COLUMN IF NOT EXISTS actual_start_time timestamp,
    ADD COLUMN IF NOT EXISTS actual_end_time timestamp,
    ADD COLUMN IF NOT EXISTS consultation_duration_minutes integer DEFAULT 30,
    ADD COLUMN IF NOT EXISTS chief_complaint text,
    ADD COLUMN IF NOT EXISTS session_notes text,
    ADD COLUMN IF NOT EXISTS doctor_joined_at timestamp,
    ADD COLUMN IF NOT EXISTS patient_joined_at timestamp,
    ADD COLUMN IF NOT EXISTS doctor_left_at timestamp,
    ADD COLUMN IF NOT EXISTS patient_left_at timestamp,
    ADD COLUMN IF NOT EXISTS is_recording_enabled boolean DEFAULT false,
    ADD COLUMN IF NOT EXISTS recording_url varchar(500),
    ADD COLUMN IF NOT EXISTS connection_quality_rating integer,
    ADD COLUMN IF NOT EXISTS created_at timestamp,
    ADD COLUMN IF NOT EXISTS updated_at timestamp,
    ADD COLUMN IF NOT EXISTS cancelled_at timestamp,
    ADD COLUMN IF NOT EXISTS cancellation_reason text,
    ADD COLUMN IF NOT EXISTS cancelled_by varchar(100),
    ADD COLUMN IF NOT EXISTS meeting_generation integer,
    ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 0,
    -- The appointment while the session is not cancelled: one session for each appointment. Rows of the earlier service
    -- stay without, for it made several.
    ADD COLUMN IF NOT EXISTS appointment_key varchar(36),
    ALTER COLUMN status SET DEFAULT 'SCHEDULED',
    ALTER COLUMN consultation_duration_minutes SET DEFAULT 30,
    ALTER COLUMN is_recording_enabled SET DEFAULT false;
UPDATE video_consultation_sessions
    SET created_at = coalesce(created_at, updated_at, scheduled_start_time),
        updated_at = coalesce(updated_at, created_at, scheduled_start_time)
    WHERE created_at IS NULL OR updated_at IS NULL;
ALTER TABLE video_consultation_sessions
    ALTER COLUMN created_at SET DEFAULT (now() AT TIME ZONE 'UTC'),
    ALTER COLUMN updated_at SET DEFAULT (now() AT TIME ZONE 'UTC');

ALTER TABLE video_consultation_attendees
    ADD COLUMN IF NOT EXISTS chime_attendee_id varchar(255),
    ADD COLUMN IF NOT EXISTS external_user_id varchar(255),
    ADD COLUMN IF NOT EXISTS join_token text,
    ADD COLUMN IF NOT EXISTS joined_at timestamp,
    ADD COLUMN IF NOT EXISTS left_at timestamp,
    ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT false,
    ADD COLUMN IF NOT EXISTS device_type varchar(50),
    ADD COLUMN IF NOT EXISTS browser_info varchar(200),
    ADD COLUMN IF NOT EXISTS ip_address varchar(50),
    ADD COLUMN IF NOT EXISTS created_at timestamp,
    ADD COLUMN IF NOT EXISTS updated_at timestamp,
    ADD COLUMN IF NOT EXISTS attended_micros bigint NOT NULL DEFAULT 0,  -- sum of the closed intervals
    ADD COLUMN IF NOT EXISTS open_interval_id varchar(36),               -- set while present
    ADD COLUMN IF NOT EXISTS opened_at timestamp,
    ADD COLUMN IF NOT EXISTS last_seen_at timestamp,
    ADD COLUMN IF NOT EXISTS present_until timestamp,                    -- without news until then they have left
    ALTER COLUMN is_active SET DEFAULT false,
    ALTER COLUMN created_at SET DEFAULT (now() AT TIME ZONE 'UTC'),
    ALTER COLUMN updated_at SET DEFAULT (now() AT TIME ZONE 'UTC');

ALTER TABLE video_consultation_events
    ADD COLUMN IF NOT EXISTS event_description text,
    ADD COLUMN IF NOT EXISTS user_id varchar(100),
    ADD COLUMN IF NOT EXISTS event_timestamp timestamp,
    ADD COLUMN IF NOT EXISTS event_metadata text,
    ADD COLUMN IF NOT EXISTS sequence bigserial,  -- the order of writing
    ALTER COLUMN event_timestamp SET DEFAULT (now() AT TIME ZONE 'UTC');

ALTER TABLE video_consultation_metrics
    ADD COLUMN IF NOT EXISTS session_id varchar(36),
    ADD COLUMN IF NOT EXISTS user_id varchar(100),
    ADD COLUMN IF NOT EXISTS attendee_minutes_used integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS average_latency_ms integer,
    ADD COLUMN IF NOT EXISTS packet_loss_percentage decimal(5, 2),
    ADD COLUMN IF NOT EXISTS audio_quality_score integer,
    ADD COLUMN IF NOT EXISTS video_quality_score integer,
    ADD COLUMN IF NOT EXISTS session_completed boolean DEFAULT false,
    ADD COLUMN IF NOT EXISTS technical_issues boolean DEFAULT false,
    ADD COLUMN IF NOT EXISTS issue_description text,
    ADD COLUMN IF NOT EXISTS created_at timestamp,
    ALTER COLUMN attendee_minutes_used SET DEFAULT 0,
    ALTER COLUMN session_completed SET DEFAULT false,
    ALTER COLUMN technical_issues SET DEFAULT false,
    ALTER COLUMN created_at SET DEFAULT (now() AT TIME ZONE 'UTC');
DO $$
BEGIN
    -- A later form of the earlier service renamed the column.
    IF EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 'video_consultation_metrics'::regclass
               AND attname = 'session_duration_minutes' AND NOT attisdropped) THEN
        UPDATE video_consultation_metrics SET attendee_minutes_used = session_duration_minutes
            WHERE coalesce(attendee_minutes_used, 0) = 0;
    END IF;
END
$$;

ALTER TABLE doctor_availability
    ADD COLUMN IF NOT EXISTS slot_duration_minutes integer DEFAULT 30,
    ADD COLUMN IF NOT EXISTS is_available boolean DEFAULT true,
    ADD COLUMN IF NOT EXISTS max_patients_per_slot integer DEFAULT 1,
    ADD COLUMN IF NOT EXISTS consultation_fee decimal(10, 2),
    ADD COLUMN IF NOT EXISTS currency varchar(3) DEFAULT 'USD',
    ADD COLUMN IF NOT EXISTS effective_until timestamp,
    ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT (now() AT TIME ZONE 'UTC'),
    ADD COLUMN IF NOT EXISTS updated_at timestamp DEFAULT (now() AT TIME ZONE 'UTC');

CREATE TABLE video_consultation_attendance (
    interval_id varchar(36) PRIMARY KEY,
    session_id varchar(36) NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    user_id varchar(100) NOT NULL,
    role varchar(20) NOT NULL CHECK (role IN ('DOCTOR', 'PATIENT')),
    joined_at timestamp NOT NULL,
    left_at timestamp
);
CREATE INDEX idx_attendance_session ON video_consultation_attendance (session_id);

-- Messages for the rest of the platform, written together with the change they tell of.
CREATE TABLE video_consultation_outbox (
    sequence bigserial PRIMARY KEY,
    event_id varchar(36) NOT NULL UNIQUE,
    session_id varchar(36) NOT NULL,
    routing_key varchar(100) NOT NULL,
    event_type varchar(100) NOT NULL,
    occurred_at timestamp NOT NULL,
    payload text NOT NULL  -- JSON
);

CREATE TABLE video_consultation_idempotency (
    user_id varchar(100) NOT NULL,
    key varchar(255) NOT NULL,
    body_hash varchar(64) NOT NULL,
    session_id varchar(36) NOT NULL,
    created_at timestamp NOT NULL,
    CONSTRAINT video_consultation_idempotency_key PRIMARY KEY (user_id, key)
);

-- Two joins of one person at the same moment could leave two rows. One stays: the one that was used last, with the
-- first join. The others are kept aside.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM video_consultation_attendees GROUP BY session_id, user_id HAVING count(*) > 1) THEN
        CREATE TEMPORARY TABLE ranked ON COMMIT DROP AS
            SELECT attendee_id, session_id, user_id,
                   min(joined_at) OVER (PARTITION BY session_id, user_id) AS first_joined,
                   row_number() OVER (PARTITION BY session_id, user_id
                       ORDER BY coalesce(is_active, false) DESC, joined_at DESC NULLS LAST, attendee_id) AS place
            FROM video_consultation_attendees;
        CREATE TABLE video_consultation_attendees_doubled AS
            SELECT a.* FROM video_consultation_attendees a JOIN ranked USING (attendee_id) WHERE place > 1;
        DELETE FROM video_consultation_attendees a USING ranked r WHERE a.attendee_id = r.attendee_id AND r.place > 1;
        UPDATE video_consultation_attendees a SET joined_at = r.first_joined
            FROM ranked r WHERE a.attendee_id = r.attendee_id AND r.first_joined < a.joined_at;
    END IF;
END
$$;

-- People who are in a call at this moment stay in it: their attendance goes on from when they joined, and ends by itself
-- a day after the visit should have ended.
UPDATE video_consultation_attendees a
    SET open_interval_id = gen_random_uuid()::text, opened_at = a.joined_at, last_seen_at = a.joined_at,
        present_until = greatest(s.scheduled_end_time, a.joined_at) + interval '1 day'
    FROM video_consultation_sessions s
    WHERE s.session_id = a.session_id AND s.status IN ('SCHEDULED', 'WAITING', 'ACTIVE')
      AND a.is_active AND a.joined_at IS NOT NULL AND a.left_at IS NULL AND a.open_interval_id IS NULL;
INSERT INTO video_consultation_attendance (interval_id, session_id, user_id, role, joined_at)
    SELECT open_interval_id, session_id, user_id, role, opened_at
    FROM video_consultation_attendees WHERE open_interval_id IS NOT NULL;
-- What was attended before, as far as it is known.
UPDATE video_consultation_attendees
    SET attended_micros = greatest(0, (extract(epoch FROM left_at - joined_at) * 1000000)::bigint)
    WHERE open_interval_id IS NULL AND joined_at IS NOT NULL AND left_at IS NOT NULL;

-- Unique keys, where the table has none on just these columns yet.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT * FROM (VALUES
            ('video_consultation_sessions', ARRAY['meeting_id'], 'uq_sessions_meeting'),
            ('video_consultation_sessions', ARRAY['external_meeting_id'], 'uq_sessions_external_meeting'),
            ('video_consultation_sessions', ARRAY['appointment_key'], 'uq_sessions_appointment_key'),
            ('video_consultation_attendees', ARRAY['chime_attendee_id'], 'uq_attendees_chime'),
            ('video_consultation_attendees', ARRAY['session_id', 'user_id'], 'uq_attendees_session_user'),
            ('video_consultation_metrics', ARRAY['session_id', 'user_id'], 'uq_metrics_session_user')
        ) AS wanted (tab, cols, name)
    LOOP
        IF NOT EXISTS (
            SELECT 1 FROM pg_index i
            WHERE i.indrelid = item.tab::regclass AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
              AND (SELECT array_agg(a.attname::text ORDER BY k.place)
                   FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum) = item.cols
        ) THEN
            EXECUTE format('CREATE UNIQUE INDEX %I ON %I (%s)', item.name, item.tab, array_to_string(item.cols, ', '));
        END IF;
    END LOOP;
END
$$;

CREATE INDEX idx_sessions_start_page ON video_consultation_sessions (scheduled_start_time, session_id COLLATE "C");
CREATE INDEX idx_sessions_doctor_page
    ON video_consultation_sessions (doctor_id, scheduled_start_time, session_id COLLATE "C");
CREATE INDEX idx_sessions_patient_page
    ON video_consultation_sessions (patient_id, scheduled_start_time, session_id COLLATE "C");
CREATE INDEX IF NOT EXISTS idx_sessions_appointment ON video_consultation_sessions (appointment_id)
    WHERE appointment_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_sessions_created ON video_consultation_sessions (created_at);
CREATE INDEX idx_sessions_unfinished ON video_consultation_sessions (status, scheduled_end_time)
    WHERE status IN ('SCHEDULED', 'WAITING', 'ACTIVE');
CREATE INDEX idx_attendees_present ON video_consultation_attendees (present_until) WHERE open_interval_id IS NOT NULL;
CREATE INDEX idx_events_trail ON video_consultation_events (session_id, event_timestamp, sequence);
CREATE INDEX idx_metrics_month ON video_consultation_metrics (date, attendee_minutes_used);
CREATE INDEX IF NOT EXISTS idx_availability_doctor ON doctor_availability (doctor_id);

-- Sessions are updated often and in place: leave room on each page for the new version of a row.
ALTER TABLE video_consultation_sessions SET (fillfactor = 80);
ALTER TABLE video_consultation_attendees SET (fillfactor = 80);
