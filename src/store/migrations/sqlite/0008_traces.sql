-- Messages carry the trace of the request that led to them; and who waits can be counted.
ALTER TABLE video_consultation_outbox ADD COLUMN trace_context TEXT;  -- `traceparent`, a space, `tracestate`
CREATE INDEX idx_attendees_waiting ON video_consultation_attendees (session_id) WHERE lobby = 'WAITING';
