-- Consent, rescheduling, and no two visits at once.

-- What patients have agreed to. Rows are added and never changed; no key to the session, which they outlive.
CREATE TABLE video_consultation_consents (
    patient_id varchar(100) NOT NULL,
    version varchar(64) NOT NULL,
    text_sha256 char(64) NOT NULL,
    given_at timestamp NOT NULL,
    session_id varchar(36),
    address varchar(64),
    request_id varchar(64),
    PRIMARY KEY (patient_id, version)
);
CREATE FUNCTION video_consultation_consents_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'consents are only ever added' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER consents_stay BEFORE UPDATE OR DELETE ON video_consultation_consents
    FOR EACH ROW EXECUTE FUNCTION video_consultation_consents_stay();
CREATE TRIGGER consents_stay_all BEFORE TRUNCATE ON video_consultation_consents
    FOR EACH STATEMENT EXECUTE FUNCTION video_consultation_consents_stay();
