-- Meetings of two providers, messages on their way to the platform, durable work, and the meter.

ALTER TABLE video_consultation_sessions ADD COLUMN meeting_provider TEXT;
ALTER TABLE video_consultation_sessions ADD COLUMN requested_media_region TEXT;
ALTER TABLE video_consultation_sessions ADD COLUMN start_requested_at INTEGER;
-- Our own meeting server calls its region `local`; every other meeting was one of AWS Chime.
UPDATE video_consultation_sessions
    SET meeting_provider = CASE WHEN media_region = 'local' THEN 'embedded' ELSE 'chime' END
    WHERE meeting_id IS NOT NULL;
CREATE INDEX idx_sessions_ended ON video_consultation_sessions (actual_end_time) WHERE actual_end_time IS NOT NULL;

-- Every meeting that a session has, or had: any of their ids finds the session.
CREATE TABLE video_consultation_meetings (
    meeting_id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    provider TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER
);
CREATE INDEX idx_meetings_session ON video_consultation_meetings (session_id);
INSERT INTO video_consultation_meetings (meeting_id, session_id, provider, generation, created_at, ended_at)
    SELECT meeting_id, session_id, meeting_provider, coalesce(meeting_generation, 1),
           coalesce(actual_start_time, created_at),
           CASE WHEN status IN ('COMPLETED', 'CANCELLED', 'NO_SHOW')
                THEN coalesce(actual_end_time, cancelled_at, updated_at) END
    FROM video_consultation_sessions WHERE meeting_id IS NOT NULL;

ALTER TABLE video_consultation_attendance ADD COLUMN provider TEXT NOT NULL DEFAULT 'embedded';
ALTER TABLE video_consultation_attendance ADD COLUMN meeting_id TEXT;
-- Identity within the meeting, as chime_attendee_id was when the stay began.
ALTER TABLE video_consultation_attendance ADD COLUMN attendee_id TEXT;
CREATE INDEX idx_attendance_joined ON video_consultation_attendance (joined_at);

ALTER TABLE video_consultation_attendees ADD COLUMN attended_chime_micros INTEGER NOT NULL DEFAULT 0;
-- Tenths of a minute, as AWS bills.
ALTER TABLE video_consultation_attendees ADD COLUMN billed_tenths INTEGER NOT NULL DEFAULT 0;

-- A person may be at both providers within one session: the key of a record grows by the provider. The sums are what
-- the means of the quality columns are made of: each client leaves out what it has not measured.
ALTER TABLE video_consultation_metrics RENAME TO old_metrics;
DROP INDEX idx_metrics_date;
CREATE TABLE video_consultation_metrics (
    metric_id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT,
    user_id TEXT,
    provider TEXT NOT NULL DEFAULT 'embedded',
    attendee_minutes_used INTEGER DEFAULT 0,
    billed_tenths INTEGER NOT NULL DEFAULT 0,
    date INTEGER NOT NULL,
    average_latency_ms INTEGER,
    packet_loss_percentage REAL,
    audio_quality_score INTEGER CHECK (audio_quality_score BETWEEN 1 AND 5),
    video_quality_score INTEGER CHECK (video_quality_score BETWEEN 1 AND 5),
    quality_reports INTEGER NOT NULL DEFAULT 0,
    latency_sum INTEGER NOT NULL DEFAULT 0,
    latency_reports INTEGER NOT NULL DEFAULT 0,
    packet_loss_sum REAL NOT NULL DEFAULT 0,
    packet_loss_reports INTEGER NOT NULL DEFAULT 0,
    audio_sum INTEGER NOT NULL DEFAULT 0,
    audio_reports INTEGER NOT NULL DEFAULT 0,
    video_sum INTEGER NOT NULL DEFAULT 0,
    video_reports INTEGER NOT NULL DEFAULT 0,
    session_completed INTEGER DEFAULT 0,
    technical_issues INTEGER DEFAULT 0,
    issue_description TEXT,
    created_at INTEGER,
    UNIQUE (session_id, user_id, provider)
);
INSERT INTO video_consultation_metrics (metric_id, session_id, user_id, attendee_minutes_used, date, average_latency_ms,
        packet_loss_percentage, audio_quality_score, video_quality_score, session_completed, technical_issues,
        issue_description, created_at)
    SELECT metric_id, session_id, user_id, attendee_minutes_used, date, average_latency_ms, packet_loss_percentage,
           audio_quality_score, video_quality_score, session_completed, technical_issues, issue_description, created_at
    FROM old_metrics ORDER BY rowid;
DROP TABLE old_metrics;
CREATE INDEX idx_metrics_date ON video_consultation_metrics (date, provider, billed_tenths);

-- What took place in a meeting of Chime counts as Chime's. Old figures are whole minutes, so they are billed as such.
UPDATE video_consultation_attendance SET provider = 'chime'
    WHERE session_id IN (SELECT session_id FROM video_consultation_sessions WHERE meeting_provider = 'chime');
UPDATE video_consultation_attendees
    SET attended_chime_micros = attended_micros, attended_micros = 0, billed_tenths = (attended_micros + 5999999) / 6000000
    WHERE session_id IN (SELECT session_id FROM video_consultation_sessions WHERE meeting_provider = 'chime');
UPDATE video_consultation_metrics SET provider = 'chime', billed_tenths = 10 * coalesce(attendee_minutes_used, 0)
    WHERE session_id IN (SELECT session_id FROM video_consultation_sessions WHERE meeting_provider = 'chime');

-- Messages say for themselves how far they have come; those of before are still to be told.
ALTER TABLE video_consultation_outbox ADD COLUMN published_at INTEGER;
-- Its deliveries to webhooks have been made.
ALTER TABLE video_consultation_outbox ADD COLUMN fanned_out INTEGER NOT NULL DEFAULT 0;
CREATE INDEX idx_outbox_unpublished ON video_consultation_outbox (sequence) WHERE published_at IS NULL;
CREATE INDEX idx_outbox_unfanned ON video_consultation_outbox (sequence) WHERE NOT fanned_out;
CREATE INDEX idx_outbox_occurred ON video_consultation_outbox (occurred_at);

-- One message on its way to one endpoint; gone when it is delivered or given up.
CREATE TABLE video_consultation_webhook_deliveries (
    delivery_id INTEGER PRIMARY KEY AUTOINCREMENT,
    sequence INTEGER NOT NULL REFERENCES video_consultation_outbox,
    endpoint TEXT NOT NULL,
    session_id TEXT NOT NULL,  -- the message's: deliveries of one session to one endpoint keep their order
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER NOT NULL
);
CREATE INDEX idx_deliveries_message ON video_consultation_webhook_deliveries (sequence);
CREATE INDEX idx_deliveries_order ON video_consultation_webhook_deliveries (endpoint, session_id, sequence);
CREATE INDEX idx_deliveries_due ON video_consultation_webhook_deliveries (endpoint, next_attempt, sequence);

CREATE TABLE video_consultation_leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);

CREATE TABLE video_consultation_jobs (
    job_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    session_id TEXT NOT NULL,  -- no key: the work outlives the session
    provider TEXT NOT NULL,
    meeting_id TEXT NOT NULL,
    attendee_id TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_due_at INTEGER NOT NULL
);
CREATE INDEX idx_jobs_due ON video_consultation_jobs (due_at);

-- Which shares of the month's budget have been told of.
CREATE TABLE video_consultation_thresholds (
    month TEXT NOT NULL,
    percent INTEGER NOT NULL,
    PRIMARY KEY (month, percent)
);

CREATE TABLE video_consultation_chime_events (
    event_id TEXT NOT NULL PRIMARY KEY,
    event_type TEXT NOT NULL,
    meeting_id TEXT NOT NULL,
    attendee_id TEXT NOT NULL,  -- empty for events of the meeting
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL
);
CREATE INDEX idx_chime_events_meeting ON video_consultation_chime_events (meeting_id, occurred_at);
