-- The processes that share this database, and which of them has which meeting. Times are this server's own.

CREATE TABLE video_consultation_nodes (
    node_id varchar(36) PRIMARY KEY,
    url text NOT NULL,          -- empty: nowhere in particular
    region varchar(64) NOT NULL,
    secret_mark varchar(64) NOT NULL,
    seat text NOT NULL,
    version varchar(64) NOT NULL,
    heartbeat_millis integer NOT NULL,
    capacity integer NOT NULL,
    load integer NOT NULL,
    state varchar(10) NOT NULL CHECK (state IN ('LIVE', 'DRAINING', 'GONE')),
    started_at timestamp NOT NULL,
    heartbeat_at timestamp NOT NULL
);

CREATE TABLE video_consultation_meeting_places (
    meeting_id varchar(255) PRIMARY KEY,
    node_id varchar(36) NOT NULL,   -- no key: a place may outlive its node
    epoch bigint NOT NULL,
    region varchar(64) NOT NULL,
    placed_at timestamp NOT NULL
);
CREATE INDEX idx_meeting_places_node ON video_consultation_meeting_places (node_id, placed_at);

-- What a node has to do in a meeting that another one was asked for.
CREATE TABLE video_consultation_meeting_orders (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meeting_id varchar(255) NOT NULL,
    kind varchar(30) NOT NULL,
    attendee_id varchar(255) NOT NULL,  -- may be empty, as detail
    detail text NOT NULL,
    sent_at timestamp NOT NULL
);
