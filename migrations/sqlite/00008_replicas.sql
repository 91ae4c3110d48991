-- +goose Up
-- The servers that answer from memory. Whatever changes a verdict waits until each has said that it put the change into effect, or has been
-- silent for so long that it may not answer from memory any more.
CREATE TABLE replicas (
    id         text PRIMARY KEY, -- a new one at every start
    name       text NOT NULL,
    version    text NOT NULL,
    started_at timestamp NOT NULL,
    acked_seq  integer NOT NULL,
    lease_no   integer NOT NULL,
    seen_at    timestamp NOT NULL,
    entries    integer NOT NULL,
    notice     text NOT NULL
);
