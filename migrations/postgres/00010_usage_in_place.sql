-- +goose Up
-- A row of usages changes with each flush, and stays on its page, with its indexes left alone (heap-only tuples), as long as nothing changes that an index
-- has: so the indexes have what follows the counts from afar. ranked is the calls, or up to a thousandth less; idle_since the last use, or up to an hour
-- before it; used is set by the first use. What is shown, and when a credential is idle, is told by the exact columns.
--
-- The counts of the latest day of a credential are in its row too, so that a flush writes one row for each. They go to usage_days when the next day begins;
-- until then the calls of that day are those of both.
DROP INDEX usages_most;
DROP INDEX usages_never;
ALTER TABLE usages SET (fillfactor = 50);
ALTER TABLE usages ADD COLUMN used boolean NOT NULL DEFAULT false, ADD COLUMN ranked bigint NOT NULL DEFAULT 0,
    ADD COLUMN day text NOT NULL DEFAULT '', ADD COLUMN day_calls bigint NOT NULL DEFAULT 0, ADD COLUMN day_refused bigint NOT NULL DEFAULT 0;
-- To change a type writes the table anew, once, and with room on each page.
ALTER TABLE usages ALTER COLUMN used DROP DEFAULT, ALTER COLUMN ranked DROP DEFAULT,
    ALTER COLUMN used TYPE boolean USING last_used_at IS NOT NULL,
    ALTER COLUMN ranked TYPE bigint USING CASE WHEN workspace_id IS NULL THEN 0 ELSE calls END;
ALTER TABLE usages ALTER COLUMN used SET DEFAULT false, ALTER COLUMN ranked SET DEFAULT 0;
CREATE INDEX usages_most ON usages (workspace_id, ranked, credential_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX usages_never ON usages (credential_id) WHERE NOT used;
