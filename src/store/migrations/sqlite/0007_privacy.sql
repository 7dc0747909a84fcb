-- Keys for data at rest, and retention.

-- What texts are sealed under, wrapped by a master key that is not here. The highest number seals.
CREATE TABLE video_consultation_data_keys (
    number INTEGER NOT NULL PRIMARY KEY,
    master_id TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

-- Tokens that an earlier service has kept are of no use to anybody who should have them.
UPDATE video_consultation_attendees SET join_token = NULL WHERE join_token IS NOT NULL;

ALTER TABLE video_consultation_sessions ADD COLUMN retired_at INTEGER;  -- when it was made anonymous
CREATE INDEX idx_sessions_expired ON video_consultation_sessions (updated_at)
    WHERE status IN ('COMPLETED', 'CANCELLED', 'NO_SHOW') AND retired_at IS NULL;

-- What the figures of a month need of sessions that have been purged.
CREATE TABLE video_consultation_retired_days (
    day INTEGER NOT NULL PRIMARY KEY,          -- 00:00 UTC
    sessions INTEGER NOT NULL,                 -- created on it
    completed INTEGER NOT NULL,                -- ended on it, after they had begun
    completed_micros INTEGER NOT NULL          -- how long those took together
);
-- The session of the record is gone, and its stays with it.
ALTER TABLE video_consultation_metrics ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;

CREATE INDEX idx_idempotency_session ON video_consultation_idempotency (session_id);
CREATE INDEX idx_idempotency_created ON video_consultation_idempotency (created_at);
CREATE INDEX idx_chime_events_received ON video_consultation_chime_events (received_at);
CREATE INDEX idx_meetings_ended ON video_consultation_meetings (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX idx_sessions_of_patient ON video_consultation_sessions (patient_id, session_id);
