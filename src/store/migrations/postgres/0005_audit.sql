-- The audit trail becomes a chain of MACs, and tells also who looked at a session, in which role, from where, by which
-- request.

ALTER TABLE video_consultation_events
    ADD COLUMN IF NOT EXISTS role varchar(100),
    ADD COLUMN IF NOT EXISTS address text,
    ADD COLUMN IF NOT EXISTS request_id text,
    ADD COLUMN IF NOT EXISTS kind text NOT NULL DEFAULT 'life',  -- or `access`: somebody looked, or tried to
    ADD COLUMN IF NOT EXISTS row_mac text,
    ADD COLUMN IF NOT EXISTS position bigint,                    -- in the chain, from 1
    ADD COLUMN IF NOT EXISTS chain_mac text,
    ALTER COLUMN session_id DROP NOT NULL;                       -- null: about several sessions, or none

-- The trail outlives the sessions it tells of.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT quote_ident(conname) AS name FROM pg_constraint
        WHERE conrelid = 'video_consultation_events'::regclass AND contype = 'f'
    LOOP
        EXECUTE 'ALTER TABLE video_consultation_events DROP CONSTRAINT ' || item.name;
    END LOOP;
END
$$;

CREATE UNIQUE INDEX uq_events_position ON video_consultation_events (position) WHERE position IS NOT NULL;
CREATE INDEX idx_events_unchained ON video_consultation_events (sequence) WHERE position IS NULL;

-- The newest link. Rows up to `inherit_to` were there before the chain and get their MACs as they are found.
CREATE TABLE video_consultation_audit_head (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    position bigint NOT NULL,
    chain_mac text NOT NULL,
    inherit_to bigint NOT NULL,
    mac text NOT NULL
);
INSERT INTO video_consultation_audit_head (position, chain_mac, inherit_to, mac)
    SELECT 0, '', coalesce(max(sequence), 0), '' FROM video_consultation_events;
