-- +goose Up
-- The servers that answer from memory. Whatever changes a verdict waits until each has said that it put the change into effect, or has been
-- silent for so long that it may not answer from memory any more.
CREATE TABLE replicas (
    id         text PRIMARY KEY, -- a new one at every start
    name       text NOT NULL,
    version    text NOT NULL,
    started_at timestamptz NOT NULL,
    acked_seq  bigint NOT NULL,
    lease_no   bigint NOT NULL,
    seen_at    timestamptz NOT NULL,
    entries    bigint NOT NULL,
    notice     text NOT NULL
) WITH (fillfactor = 50); -- its rows change all the time, and stay where they are
