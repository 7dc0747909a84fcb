-- Meetings made by the SDK's API, and what is told about them.

CREATE TABLE video_consultation_sdk_meetings (
    meeting_id TEXT NOT NULL PRIMARY KEY,
    request_token TEXT UNIQUE,        -- null once the meeting has ended
    request_hash TEXT NOT NULL,
    control_region TEXT NOT NULL,
    external_meeting_id TEXT NOT NULL,
    media_region TEXT NOT NULL,
    details TEXT NOT NULL,            -- JSON
    max_attendees INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL,       -- when somebody who may send was last known to be there
    ended_at INTEGER,
    transcription TEXT                -- JSON, while it is wanted
);
CREATE INDEX idx_sdk_meetings_active ON video_consultation_sdk_meetings (active_at) WHERE ended_at IS NULL;
CREATE INDEX idx_sdk_meetings_created ON video_consultation_sdk_meetings (created_at) WHERE ended_at IS NULL;
CREATE INDEX idx_sdk_meetings_ended ON video_consultation_sdk_meetings (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE video_consultation_sdk_attendees (
    attendee_id TEXT NOT NULL PRIMARY KEY,
    meeting_id TEXT NOT NULL REFERENCES video_consultation_sdk_meetings ON DELETE CASCADE,
    external_user_id TEXT NOT NULL,
    audio INTEGER NOT NULL,           -- capabilities: 1 send, 2 receive, 3 both
    video INTEGER NOT NULL,
    content INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER,               -- when the capabilities were last changed
    removed_at INTEGER
);
CREATE UNIQUE INDEX uq_sdk_attendees_user ON video_consultation_sdk_attendees (meeting_id, external_user_id)
    WHERE removed_at IS NULL;
CREATE INDEX idx_sdk_attendees_meeting ON video_consultation_sdk_attendees (meeting_id, attendee_id);

CREATE TABLE video_consultation_sdk_tags (
    meeting_id TEXT NOT NULL REFERENCES video_consultation_sdk_meetings ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (meeting_id, key)
);

-- Gone when it is delivered or given up.
CREATE TABLE video_consultation_meeting_notifications (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    meeting_id TEXT NOT NULL,         -- no key: what is told outlives the meeting
    event_type TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    external_meeting_id TEXT NOT NULL,
    media_region TEXT NOT NULL,
    control_region TEXT NOT NULL,
    attendee_id TEXT NOT NULL,        -- empty for events of the meeting
    external_user_id TEXT NOT NULL,
    audio INTEGER,                    -- where the capabilities are the news
    video INTEGER,
    content INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER NOT NULL
);
CREATE INDEX idx_meeting_notifications_order ON video_consultation_meeting_notifications (meeting_id, sequence);
CREATE INDEX idx_meeting_notifications_due ON video_consultation_meeting_notifications (next_attempt, sequence);
