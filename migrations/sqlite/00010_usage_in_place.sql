-- +goose Up
-- A flush leaves the indexes of usages alone most of the time: they have what follows the counts from afar. ranked is the calls, or up to a thousandth less;
-- idle_since the last use, or up to an hour before it; used is set by the first use. What is shown, and when a credential is idle, is told by the exact
-- columns.
--
-- The counts of the latest day of a credential are in its row too, so that a flush writes one row for each. They go to usage_days when the next day begins;
-- until then the calls of that day are those of both.
DROP INDEX usages_most;
DROP INDEX usages_never;
ALTER TABLE usages ADD COLUMN used boolean NOT NULL DEFAULT false;
ALTER TABLE usages ADD COLUMN ranked integer NOT NULL DEFAULT 0;
ALTER TABLE usages ADD COLUMN day text NOT NULL DEFAULT '';
ALTER TABLE usages ADD COLUMN day_calls integer NOT NULL DEFAULT 0;
ALTER TABLE usages ADD COLUMN day_refused integer NOT NULL DEFAULT 0;
UPDATE usages SET used = last_used_at IS NOT NULL, ranked = CASE WHEN workspace_id IS NULL THEN 0 ELSE calls END;
CREATE INDEX usages_most ON usages (workspace_id, ranked, credential_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX usages_never ON usages (credential_id) WHERE NOT used;
