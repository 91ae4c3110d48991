-- +goose Up
-- Which of the flushes of counted calls of each server was written down last, so that none is counted twice.
CREATE TABLE usage_flush (
    boot_id  text      PRIMARY KEY,
    flush_no integer   NOT NULL,
    at       timestamp NOT NULL
);
