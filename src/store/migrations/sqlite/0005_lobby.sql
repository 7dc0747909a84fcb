-- Waiting rooms and invited guests.

ALTER TABLE video_consultation_sessions ADD COLUMN waiting_room INTEGER NOT NULL DEFAULT 0;

-- A session may have guests: the rules about roles grow, for which the tables are made anew.
DROP INDEX idx_attendees_present;
ALTER TABLE video_consultation_attendees RENAME TO old_attendees;
CREATE TABLE video_consultation_attendees (
    attendee_id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('DOCTOR', 'PATIENT', 'GUEST')),
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
    attended_micros INTEGER NOT NULL DEFAULT 0,        -- sum of the closed intervals
    attended_chime_micros INTEGER NOT NULL DEFAULT 0,
    billed_tenths INTEGER NOT NULL DEFAULT 0,          -- tenths of a minute, as AWS bills
    lobby TEXT NOT NULL DEFAULT 'NONE' CHECK (lobby IN ('NONE', 'WAITING', 'ADMITTED', 'DENIED', 'REMOVED')),
    waiting_since INTEGER,
    waiting_seen_at INTEGER,                           -- the latest word of somebody who waits
    guest_kind TEXT CHECK (guest_kind IN ('INTERPRETER', 'RELATIVE', 'CLINICIAN', 'OTHER')),
    guest_name TEXT,
    invitation_hash TEXT,                              -- SHA-256 of the link's secret
    invited_at INTEGER,
    invitation_expires_at INTEGER,
    invitation_used_at INTEGER,
    invitation_revoked_at INTEGER,
    open_interval_id TEXT,                             -- set while present
    opened_at INTEGER,
    last_seen_at INTEGER,
    present_until INTEGER,                             -- without news until then they have left
    UNIQUE (session_id, user_id)
);
INSERT INTO video_consultation_attendees (attendee_id, session_id, user_id, role, chime_attendee_id, external_user_id,
        join_token, joined_at, left_at, is_active, device_type, browser_info, ip_address, created_at, updated_at,
        attended_micros, attended_chime_micros, billed_tenths, open_interval_id, opened_at, last_seen_at, present_until)
    SELECT attendee_id, session_id, user_id, role, chime_attendee_id, external_user_id, join_token, joined_at, left_at,
           is_active, device_type, browser_info, ip_address, created_at, updated_at, attended_micros,
           attended_chime_micros, billed_tenths, open_interval_id, opened_at, last_seen_at, present_until
    FROM old_attendees ORDER BY rowid;
DROP TABLE old_attendees;
CREATE INDEX idx_attendees_present ON video_consultation_attendees (present_until) WHERE open_interval_id IS NOT NULL;

DROP INDEX idx_attendance_session;
DROP INDEX idx_attendance_joined;
ALTER TABLE video_consultation_attendance RENAME TO old_attendance;
CREATE TABLE video_consultation_attendance (
    interval_id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES video_consultation_sessions ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('DOCTOR', 'PATIENT', 'GUEST')),
    joined_at INTEGER NOT NULL,
    left_at INTEGER,
    provider TEXT NOT NULL DEFAULT 'embedded',
    meeting_id TEXT,
    attendee_id TEXT  -- identity within the meeting, as chime_attendee_id was when the stay began
);
INSERT INTO video_consultation_attendance (interval_id, session_id, user_id, role, joined_at, left_at, provider,
        meeting_id, attendee_id)
    SELECT interval_id, session_id, user_id, role, joined_at, left_at, provider, meeting_id, attendee_id
    FROM old_attendance ORDER BY rowid;
DROP TABLE old_attendance;
CREATE INDEX idx_attendance_session ON video_consultation_attendance (session_id);
CREATE INDEX idx_attendance_joined ON video_consultation_attendance (joined_at);
