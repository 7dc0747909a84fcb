-- How much of their rate limits whom all processes together have let spend. Keys are keyed hashes: nobody learns from
-- them who it was. Nothing here is worth its way through the log of writes; after a crash everybody begins anew.

CREATE UNLOGGED TABLE video_consultation_rates (
    key bigint PRIMARY KEY,
    full_at timestamp NOT NULL  -- when all of it is refilled
) WITH (fillfactor = 50);
