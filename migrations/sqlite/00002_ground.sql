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
CREATE INDEX credentials_prefix ON credentials (prefix, id);
CREATE INDEX collections_named ON collections (name_key);
CREATE INDEX collection_versions_archive ON collection_versions (sha256);

-- Part of a name or an address is found by its trigrams. The index keeps no text of its own, and names
-- rows by a number that no rewriting of the file changes.
CREATE TABLE people_search (
    n         integer PRIMARY KEY,
    person_id text NOT NULL UNIQUE
);
CREATE VIRTUAL TABLE people_trigrams USING fts5 (name_key, email_key, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
INSERT INTO people_search (person_id) SELECT id FROM people ORDER BY id;
INSERT INTO people_trigrams (rowid, name_key, email_key) SELECT n, name_key, email_key FROM people_search JOIN people ON id = person_id;

-- +goose StatementBegin
CREATE TRIGGER people_search_insert AFTER INSERT ON people
BEGIN
    INSERT INTO people_search (person_id) VALUES (NEW.id);
    INSERT INTO people_trigrams (rowid, name_key, email_key) SELECT n, NEW.name_key, NEW.email_key FROM people_search WHERE person_id = NEW.id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER people_search_update AFTER UPDATE OF name_key, email_key ON people
BEGIN
    UPDATE people_trigrams SET name_key = NEW.name_key, email_key = NEW.email_key WHERE rowid = (SELECT n FROM people_search WHERE person_id = NEW.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER people_search_delete AFTER DELETE ON people
BEGIN
    DELETE FROM people_trigrams WHERE rowid = (SELECT n FROM people_search WHERE person_id = OLD.id);
    DELETE FROM people_search WHERE person_id = OLD.id;
END;
-- +goose StatementEnd
