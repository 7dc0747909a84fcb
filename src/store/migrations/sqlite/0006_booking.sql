-- Consent, rescheduling, and no two visits at once.

-- What patients have agreed to. Rows are added and never changed; no key to the session, which they outlive.
CREATE TABLE video_consultation_consents (
    patient_id TEXT NOT NULL,
    version TEXT NOT NULL,
    text_sha256 TEXT NOT NULL,
    given_at INTEGER NOT NULL,
    session_id TEXT,
    address TEXT,
    request_id TEXT,
    PRIMARY KEY (patient_id, version)
);
CREATE TRIGGER consents_stay_as_they_are BEFORE UPDATE ON video_consultation_consents
BEGIN
    SELECT RAISE(ABORT, 'consents are only ever added');
END;
CREATE TRIGGER consents_stay BEFORE DELETE ON video_consultation_consents
BEGIN
    SELECT RAISE(ABORT, 'consents are only ever added');
END;
