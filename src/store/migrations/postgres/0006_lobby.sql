-- Waiting rooms and invited guests.

ALTER TABLE video_consultation_sessions
    ADD COLUMN waiting_room integer NOT NULL DEFAULT 0;  -- 1: everybody but the doctor waits to be let in

ALTER TABLE video_consultation_attendees
    ADD COLUMN lobby varchar(20) NOT NULL DEFAULT 'NONE'
        CONSTRAINT attendees_lobby_check CHECK (lobby IN ('NONE', 'WAITING', 'ADMITTED', 'DENIED', 'REMOVED')),
    ADD COLUMN waiting_since timestamp,
    ADD COLUMN waiting_seen_at timestamp,      -- the latest word of somebody who waits
    ADD COLUMN guest_kind varchar(20)
        CONSTRAINT attendees_guest_kind_check CHECK (guest_kind IN ('INTERPRETER', 'RELATIVE', 'CLINICIAN', 'OTHER')),
    ADD COLUMN guest_name text,
    ADD COLUMN invitation_hash varchar(64),    -- SHA-256 of the link's secret
    ADD COLUMN invited_at timestamp,
    ADD COLUMN invitation_expires_at timestamp,
    ADD COLUMN invitation_used_at timestamp,
    ADD COLUMN invitation_revoked_at timestamp;

-- A session may have guests. The rule about roles has no name of its own in tables of an earlier service, or is not
-- there at all.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT c.conrelid::regclass AS tab, quote_ident(c.conname) AS name
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
        WHERE c.contype = 'c' AND a.attname = 'role'
          AND c.conrelid IN ('video_consultation_attendees'::regclass, 'video_consultation_attendance'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %s', item.tab, item.name);
    END LOOP;
END
$$;
ALTER TABLE video_consultation_attendees
    ADD CONSTRAINT attendees_role_check CHECK (role IN ('DOCTOR', 'PATIENT', 'GUEST')) NOT VALID;
ALTER TABLE video_consultation_attendance
    ADD CONSTRAINT attendance_role_check CHECK (role IN ('DOCTOR', 'PATIENT', 'GUEST')) NOT VALID;
