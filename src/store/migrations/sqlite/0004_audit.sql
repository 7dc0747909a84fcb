-- The audit trail becomes a chain of MACs, and tells also who looked at a session, in which role, from where, by which
-- request. It outlives the sessions it tells of.

CREATE TABLE video_consultation_events_chained (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of writing
    event_id TEXT NOT NULL UNIQUE,
    session_id TEXT,                             -- null: about several sessions, or none
    event_type TEXT NOT NULL,
    event_description TEXT,
    user_id TEXT,
    event_timestamp INTEGER NOT NULL,
    event_metadata TEXT,
    role TEXT,
    address TEXT,
    request_id TEXT,
    kind TEXT NOT NULL DEFAULT 'life',           -- or `access`: somebody looked, or tried to
    row_mac TEXT,
    position INTEGER,                            -- in the chain, from 1
    chain_mac TEXT
);
INSERT INTO video_consultation_events_chained
    (sequence, event_id, session_id, event_type, event_description, user_id, event_timestamp, event_metadata)
    SELECT sequence, event_id, session_id, event_type, event_description, user_id, event_timestamp, event_metadata
    FROM video_consultation_events ORDER BY sequence;
DROP TABLE video_consultation_events;
ALTER TABLE video_consultation_events_chained RENAME TO video_consultation_events;
CREATE INDEX idx_events_session ON video_consultation_events (session_id, event_timestamp, sequence);
CREATE UNIQUE INDEX uq_events_position ON video_consultation_events (position) WHERE position IS NOT NULL;
CREATE INDEX idx_events_unchained ON video_consultation_events (sequence) WHERE position IS NULL;

-- The newest link. Rows up to `inherit_to` were there before the chain and get their MACs as they are found.
CREATE TABLE video_consultation_audit_head (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    position INTEGER NOT NULL,
    chain_mac TEXT NOT NULL,
    inherit_to INTEGER NOT NULL,
    mac TEXT NOT NULL
);
INSERT INTO video_consultation_audit_head (only_one, position, chain_mac, inherit_to, mac)
    SELECT 1, 0, '', coalesce(max(sequence), 0), '' FROM video_consultation_events;
