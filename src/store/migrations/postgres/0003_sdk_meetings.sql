-- Meetings made by the SDK's API, and what is told about them.

CREATE TABLE video_consultation_sdk_meetings (
    meeting_id text NOT NULL PRIMARY KEY,
    request_token text UNIQUE,        -- null once the meeting has ended
    request_hash text NOT NULL,
    control_region text NOT NULL,
    external_meeting_id text NOT NULL,
    media_region text NOT NULL,
    details text NOT NULL,            -- JSON
    max_attendees integer NOT NULL,
    created_at timestamp NOT NULL,
    active_at timestamp NOT NULL,       -- when somebody who may send was last known to be there
    ended_at timestamp,
    transcription text                -- JSON, while it is wanted
);
CREATE INDEX idx_sdk_meetings_active ON video_consultation_sdk_meetings (active_at) WHERE ended_at IS NULL;
CREATE INDEX idx_sdk_meetings_created ON video_consultation_sdk_meetings (created_at) WHERE ended_at IS NULL;
CREATE INDEX idx_sdk_meetings_ended ON video_consultation_sdk_meetings (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE video_consultation_sdk_attendees (
    attendee_id text NOT NULL PRIMARY KEY,
    meeting_id text NOT NULL REFERENCES video_consultation_sdk_meetings ON DELETE CASCADE,
    external_user_id text NOT NULL,
    audio integer NOT NULL,           -- capabilities: 1 send, 2 receive, 3 both
    video integer NOT NULL,
    content integer NOT NULL,
    created_at timestamp NOT NULL,
    changed_at timestamp,               -- when the capabilities were last changed
    removed_at timestamp
);
CREATE UNIQUE INDEX uq_sdk_attendees_user ON video_consultation_sdk_attendees (meeting_id, external_user_id)
    WHERE removed_at IS NULL;
CREATE INDEX idx_sdk_attendees_meeting ON video_consultation_sdk_attendees (meeting_id, attendee_id);

CREATE TABLE video_consultation_sdk_tags (
    meeting_id text NOT NULL REFERENCES video_consultation_sdk_meetings ON DELETE CASCADE,
    key text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (meeting_id, key)
);

-- Gone when it is delivered or given up.
CREATE TABLE video_consultation_meeting_notifications (
    sequence bigserial PRIMARY KEY,
    meeting_id text NOT NULL,         -- no key: what is told outlives the meeting
    event_type text NOT NULL,
    occurred_at timestamp NOT NULL,
    external_meeting_id text NOT NULL,
    media_region text NOT NULL,
    control_region text NOT NULL,
    attendee_id text NOT NULL,        -- empty for events of the meeting
    external_user_id text NOT NULL,
    audio integer,                    -- where the capabilities are the news
    video integer,
    content integer,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt timestamp NOT NULL
);
CREATE INDEX idx_meeting_notifications_order ON video_consultation_meeting_notifications (meeting_id, sequence);
CREATE INDEX idx_meeting_notifications_due ON video_consultation_meeting_notifications (next_attempt, sequence);
