-- Times are whole microseconds since 1970-01-01 00:00 UTC. Keys are UUID text.

CREATE TABLE video_consultation_sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    booking_type TEXT NOT NULL CHECK (booking_type IN ('CLINIC_BASED', 'DIRECT_DOCTOR')),
    appointment_id TEXT,
    doctor_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    clinic_id INTEGER,
    meeting_id TEXT UNIQUE,
    external_meeting_id TEXT UNIQUE,
    media_region TEXT,
    media_placement_audio_host_url TEXT,
    media_placement_audio_fallback_url TEXT,
    media_placement_signaling_url TEXT,
    media_placement_turn_control_url TEXT,
    meeting_generation INTEGER,
    status TEXT NOT NULL DEFAULT 'SCHEDULED'
        CHECK (status IN ('SCHEDULED', 'WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED', 'NO_SHOW')),
    scheduled_start_time INTEGER NOT NULL,
    scheduled_end_time INTEGER NOT NULL,
    actual_start_time INTEGER,
    actual_end_time INTEGER,
    consultation_duration_minutes INTEGER DEFAULT 30,
    chief_complaint TEXT,
    session_notes TEXT,
    doctor_joined_at INTEGER,
    patient_joined_at INTEGER,
    doctor_left_at INTEGER,
    patient_left_at INTEGER,
    is_recording_enabled INTEGER DEFAULT 0,
    recording_url TEXT,
    connection_quality_rating INTEGER CHECK (connection_quality_rating BETWEEN 1 AND 5),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    cancelled_at INTEGER,
    cancellation_reason TEXT,
    cancelled_by TEXT,
    version INTEGER NOT NULL,
    appointment_key TEXT UNIQUE  -- the appointment while the session is not cancelled: one session for each appointment
);
CREATE INDEX idx_sessions_start ON video_consultation_sessions (scheduled_start_time, session_id);
CREATE INDEX idx_sessions_doctor ON video_consultation_sessions (doctor_id, scheduled_start_time, session_id);
CREATE INDEX idx_sessions_patient ON video_consultation_sessions (patient_id, scheduled_start_time, session_id);
CREATE INDEX idx_sessions_appointment ON video_consultation_sessions (appointment_id) WHERE appointment_id IS NOT NULL;
CREATE INDEX idx_sessions_created ON video_consultation_sessions (created_at);
CREATE INDEX idx_sessions_unfinished ON video_consultation_sessions (status, scheduled_end_time)
    WHERE status IN ('SCHEDULED', 'WAITING', 'ACTIVE');

CREATE TABLE video_consultation_attendees (
    attendee_id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('DOCTOR', 'PATIENT')),
    chime_attendee_id TEXT UNIQUE,
    external_user_id TEXT,
    join_token TEXT,
    joined_at INTEGER,
    left_at INTEGER,
    is_active INTEGER DEFAULT 0,
    device_type TEXT,
    browser_info TEXT,
    ip_address TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    attended_micros INTEGER NOT NULL DEFAULT 0,  -- sum of the closed intervals
    open_interval_id TEXT,                       -- set while present
    opened_at INTEGER,
    last_seen_at INTEGER,
    present_until INTEGER,                       -- without news until then they have left
    UNIQUE (session_id, user_id)
);
CREATE INDEX idx_attendees_present ON video_consultation_attendees (present_until) WHERE open_interval_id IS NOT NULL;

CREATE TABLE video_consultation_attendance (
    interval_id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('DOCTOR', 'PATIENT')),
    joined_at INTEGER NOT NULL,
    left_at INTEGER
);
CREATE INDEX idx_attendance_session ON video_consultation_attendance (session_id);

CREATE TABLE video_consultation_events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of writing
    event_id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    event_type TEXT NOT NULL,
    event_description TEXT,
    user_id TEXT,
    event_timestamp INTEGER NOT NULL,
    event_metadata TEXT
);
CREATE INDEX idx_events_session ON video_consultation_events (session_id, event_timestamp, sequence);

CREATE TABLE video_consultation_metrics (
    metric_id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT,
    user_id TEXT,
    attendee_minutes_used INTEGER DEFAULT 0,
    date INTEGER NOT NULL,
    average_latency_ms INTEGER,
    packet_loss_percentage REAL,
    audio_quality_score INTEGER CHECK (audio_quality_score BETWEEN 1 AND 5),
    video_quality_score INTEGER CHECK (video_quality_score BETWEEN 1 AND 5),
    session_completed INTEGER DEFAULT 0,
    technical_issues INTEGER DEFAULT 0,
    issue_description TEXT,
    created_at INTEGER,
    UNIQUE (session_id, user_id)
);
CREATE INDEX idx_metrics_date ON video_consultation_metrics (date, attendee_minutes_used);

CREATE TABLE doctor_availability (
    availability_id TEXT NOT NULL PRIMARY KEY,
    doctor_id TEXT NOT NULL,
    day_of_week INTEGER NOT NULL CHECK (day_of_week BETWEEN 0 AND 6),
    start_time TEXT NOT NULL,
    end_time TEXT NOT NULL,
    slot_duration_minutes INTEGER DEFAULT 30,
    is_available INTEGER DEFAULT 1,
    max_patients_per_slot INTEGER DEFAULT 1,
    consultation_fee REAL,
    currency TEXT DEFAULT 'USD',
    effective_from INTEGER NOT NULL,
    effective_until INTEGER,
    created_at INTEGER,
    updated_at INTEGER
);
CREATE INDEX idx_availability_doctor ON doctor_availability (doctor_id, day_of_week);

-- Messages for the rest of the platform, written together with the change they tell of.
CREATE TABLE video_consultation_outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    event_type TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    payload TEXT NOT NULL  -- JSON
);

CREATE TABLE video_consultation_idempotency (
    user_id TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    session_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
);
