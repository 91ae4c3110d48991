-- +goose Up
-- Which of the flushes of counted calls of each server was written down last, so that none is counted twice.
CREATE TABLE usage_flush (
    boot_id  text        PRIMARY KEY,
    flush_no bigint      NOT NULL,
    at       timestamptz NOT NULL
);

-- A day's row is added to again and again. With room for it on its page, its index is left alone (heap-only tuples): that is a third of the write-ahead log.
ALTER TABLE usage_days SET (fillfactor = 50);
