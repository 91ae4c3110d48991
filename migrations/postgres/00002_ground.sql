-- +goose Up
-- Each filter of the audit log, alone and in the pairs that people use, ends in the log's own order: a page
-- costs the same wherever it is. Moments never go back along the log, so days are ranges of numbers.
CREATE INDEX events_at ON events (at, seq);
CREATE INDEX events_action ON events (action, seq);
CREATE INDEX events_actor ON events (actor_id, seq);
CREATE INDEX events_actor_action ON events (actor_id, action, seq);
CREATE INDEX events_actor_kind ON events (actor_kind, seq);
CREATE INDEX events_address ON events (address, seq);
CREATE INDEX events_subject ON events (subject_id, seq);
CREATE INDEX events_person ON events (person_id, seq);
CREATE INDEX events_workspace ON events (workspace_id, seq);
CREATE INDEX events_workspace_action ON events (workspace_id, action, seq);
CREATE INDEX events_workspace_actor ON events (workspace_id, actor_id, seq);

CREATE INDEX people_role ON people (role, name_key, id);
CREATE INDEX people_deactivated ON people (name_key, id) WHERE deactivated_at IS NOT NULL;
CREATE INDEX workspaces_list ON workspaces (name, id);
-- Compared byte by byte, so that a beginning is a range.
ALTER TABLE credentials ALTER COLUMN prefix TYPE text COLLATE "C";
CREATE INDEX credentials_prefix ON credentials (prefix, id);
CREATE INDEX collections_named ON collections (name_key);
CREATE INDEX collection_versions_archive ON collection_versions (sha256);

-- Part of a name or an address is found by its trigrams. Whoever owns a database may add this extension, which
-- comes with PostgreSQL.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX people_trigrams ON people USING gin (name_key gin_trgm_ops, email_key gin_trgm_ops);
