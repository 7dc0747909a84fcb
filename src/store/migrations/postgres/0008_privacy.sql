-- Keys for data at rest, and retention.

-- What texts are sealed under, wrapped by a master key that is not here. The highest number seals.
CREATE TABLE video_consultation_data_keys (
    number integer PRIMARY KEY,
    master_id varchar(80) NOT NULL,
    wrapped text NOT NULL,
    created_at timestamp NOT NULL
);

-- Sealed texts are longer than what they say.
ALTER TABLE video_consultation_attendees ALTER COLUMN browser_info TYPE text;
ALTER TABLE video_consultation_idempotency ALTER COLUMN body_hash TYPE text;

-- Tokens that an earlier service has kept are of no use to anybody who should have them.
UPDATE video_consultation_attendees SET join_token = NULL WHERE join_token IS NOT NULL;

-- Figures and the audit trail outlive the sessions they tell of, also in tables of an earlier service.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT conrelid::regclass AS tab, quote_ident(conname) AS name FROM pg_constraint
        WHERE contype = 'f' AND confrelid = 'video_consultation_sessions'::regclass
          AND conrelid IN ('video_consultation_events'::regclass, 'video_consultation_metrics'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %s', item.tab, item.name);
    END LOOP;
END
$$;

ALTER TABLE video_consultation_sessions ADD COLUMN retired_at timestamp;  -- when it was made anonymous
CREATE INDEX idx_sessions_expired ON video_consultation_sessions (updated_at)
    WHERE status IN ('COMPLETED', 'CANCELLED', 'NO_SHOW') AND retired_at IS NULL;

-- What the figures of a month need of sessions that have been purged.
CREATE TABLE video_consultation_retired_days (
    day timestamp PRIMARY KEY,          -- 00:00 UTC
    sessions bigint NOT NULL,           -- created on it
    completed bigint NOT NULL,          -- ended on it, after they had begun
    completed_micros bigint NOT NULL    -- how long those took together
);
-- The session of the record is gone, and its stays with it.
ALTER TABLE video_consultation_metrics ADD COLUMN retired boolean NOT NULL DEFAULT false;

CREATE INDEX idx_idempotency_session ON video_consultation_idempotency (session_id);
CREATE INDEX idx_idempotency_created ON video_consultation_idempotency (created_at);
CREATE INDEX idx_chime_events_received ON video_consultation_chime_events (received_at);
CREATE INDEX idx_meetings_ended ON video_consultation_meetings (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX idx_sessions_of_patient ON video_consultation_sessions (patient_id, session_id COLLATE "C");
