-- Meetings of two providers, messages on their way to the platform, durable work, and the meter.

ALTER TABLE video_consultation_sessions
    ADD COLUMN IF NOT EXISTS meeting_provider varchar(20),
    ADD COLUMN IF NOT EXISTS requested_media_region varchar(50),
    ADD COLUMN IF NOT EXISTS start_requested_at timestamp;
-- Our own meeting server calls its region `local`; every other meeting was one of AWS Chime.
UPDATE video_consultation_sessions
    SET meeting_provider = CASE WHEN media_region = 'local' THEN 'embedded' ELSE 'chime' END
    WHERE meeting_id IS NOT NULL;
CREATE INDEX idx_sessions_ended ON video_consultation_sessions (actual_end_time) WHERE actual_end_time IS NOT NULL;

-- Every meeting that a session has, or had: any of their ids finds the session.
CREATE TABLE video_consultation_meetings (
    meeting_id varchar(255) PRIMARY KEY,
    session_id varchar(36) NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    provider varchar(20) NOT NULL,
    generation integer NOT NULL,
    created_at timestamp NOT NULL,
    ended_at timestamp
);
CREATE INDEX idx_meetings_session ON video_consultation_meetings (session_id);
INSERT INTO video_consultation_meetings (meeting_id, session_id, provider, generation, created_at, ended_at)
    SELECT meeting_id, session_id, meeting_provider, coalesce(meeting_generation, 1),
           coalesce(actual_start_time, created_at),
           CASE WHEN status IN ('COMPLETED', 'CANCELLED', 'NO_SHOW')
                THEN coalesce(actual_end_time, cancelled_at, updated_at) END
    FROM video_consultation_sessions WHERE meeting_id IS NOT NULL;

ALTER TABLE video_consultation_attendance
    ADD COLUMN provider varchar(20) NOT NULL DEFAULT 'embedded',
    ADD COLUMN meeting_id varchar(255),
    ADD COLUMN attendee_id varchar(255);  -- identity within the meeting, as chime_attendee_id was when the stay began
CREATE INDEX idx_attendance_joined ON video_consultation_attendance (joined_at);

ALTER TABLE video_consultation_attendees
    ADD COLUMN IF NOT EXISTS attended_chime_micros bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS billed_tenths bigint NOT NULL DEFAULT 0;  -- tenths of a minute, as AWS bills

ALTER TABLE video_consultation_metrics
    ADD COLUMN IF NOT EXISTS provider varchar(20) NOT NULL DEFAULT 'embedded',
    ADD COLUMN IF NOT EXISTS billed_tenths bigint NOT NULL DEFAULT 0,
    -- What the means of the quality columns are made of: each client leaves out what it has not measured.
    ADD COLUMN IF NOT EXISTS quality_reports bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS latency_sum bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS latency_reports bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS packet_loss_sum double precision NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS packet_loss_reports bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS audio_sum bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS audio_reports bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS video_sum bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS video_reports bigint NOT NULL DEFAULT 0;

-- What took place in a meeting of Chime counts as Chime's. Old figures are whole minutes, so they are billed as such.
UPDATE video_consultation_attendance a SET provider = 'chime'
    FROM video_consultation_sessions s WHERE s.session_id = a.session_id AND s.meeting_provider = 'chime';
UPDATE video_consultation_attendees a
    SET attended_chime_micros = attended_micros, attended_micros = 0, billed_tenths = (attended_micros + 5999999) / 6000000
    FROM video_consultation_sessions s WHERE s.session_id = a.session_id AND s.meeting_provider = 'chime';
UPDATE video_consultation_metrics m SET provider = 'chime', billed_tenths = 10 * coalesce(attendee_minutes_used, 0)
    FROM video_consultation_sessions s WHERE s.session_id = m.session_id AND s.meeting_provider = 'chime';

-- A person may be at both providers within one session: the key of a record grows by the provider.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT i.indexrelid::regclass AS name, c.conname
        FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
        WHERE i.indrelid = 'video_consultation_metrics'::regclass AND i.indisunique AND i.indexprs IS NULL
          AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text)
               FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[]))
              = ARRAY['session_id', 'user_id']
    LOOP
        IF item.conname IS NULL THEN
            EXECUTE format('DROP INDEX %s', item.name);
        ELSE
            EXECUTE format('ALTER TABLE video_consultation_metrics DROP CONSTRAINT %I', item.conname);
        END IF;
    END LOOP;
END
$$;
CREATE UNIQUE INDEX uq_metrics_person ON video_consultation_metrics (session_id, user_id, provider);
DROP INDEX idx_metrics_month;
CREATE INDEX idx_metrics_month ON video_consultation_metrics (date, provider, billed_tenths);

-- Messages say for themselves how far they have come; those of before are still to be told.
ALTER TABLE video_consultation_outbox
    ALTER COLUMN session_id TYPE text,
    ADD COLUMN published_at timestamp,
    ADD COLUMN fanned_out boolean NOT NULL DEFAULT false;  -- its deliveries to webhooks have been made
CREATE INDEX idx_outbox_unpublished ON video_consultation_outbox (sequence) WHERE published_at IS NULL;
CREATE INDEX idx_outbox_unfanned ON video_consultation_outbox (sequence) WHERE NOT fanned_out;
CREATE INDEX idx_outbox_occurred ON video_consultation_outbox (occurred_at);

-- One message on its way to one endpoint; gone when it is delivered or given up.
CREATE TABLE video_consultation_webhook_deliveries (
    delivery_id bigserial PRIMARY KEY,
    sequence bigint NOT NULL REFERENCES video_consultation_outbox,
    endpoint text NOT NULL,
    session_id text NOT NULL,  -- the message's: deliveries of one session to one endpoint keep their order
    attempts integer NOT NULL DEFAULT 0,
    next_attempt timestamp NOT NULL
);
CREATE INDEX idx_deliveries_message ON video_consultation_webhook_deliveries (sequence);
CREATE INDEX idx_deliveries_order ON video_consultation_webhook_deliveries (endpoint, session_id, sequence);
CREATE INDEX idx_deliveries_due ON video_consultation_webhook_deliveries (endpoint, next_attempt, sequence);

CREATE TABLE video_consultation_leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    expires_at timestamp NOT NULL
);

CREATE TABLE video_consultation_jobs (
    job_id varchar(36) PRIMARY KEY,
    kind varchar(30) NOT NULL,
    session_id varchar(36) NOT NULL,  -- no key: the work outlives the session
    provider varchar(20) NOT NULL,
    meeting_id varchar(255) NOT NULL,
    attendee_id varchar(255) NOT NULL,
    due_at timestamp NOT NULL,
    attempts integer NOT NULL,
    first_due_at timestamp NOT NULL
);
CREATE INDEX idx_jobs_due ON video_consultation_jobs (due_at);

-- Which shares of the month's budget have been told of.
CREATE TABLE video_consultation_thresholds (
    month varchar(7) NOT NULL,
    percent integer NOT NULL,
    PRIMARY KEY (month, percent)
);

CREATE TABLE video_consultation_chime_events (
    event_id text PRIMARY KEY,
    event_type text NOT NULL,
    meeting_id text NOT NULL,
    attendee_id text NOT NULL,  -- empty for events of the meeting
    occurred_at timestamp NOT NULL,
    received_at timestamp NOT NULL
);
CREATE INDEX idx_chime_events_meeting ON video_consultation_chime_events (meeting_id, occurred_at);
