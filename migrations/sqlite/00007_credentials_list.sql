-- +goose Up
-- All credentials of the installation are listed by the newest first, and narrowed: each filter has an index that ends in the list's own order, so
-- that a page costs the same wherever it is.
CREATE INDEX credentials_kind ON credentials (kind, id);
CREATE INDEX credentials_owner ON credentials (person_id, id) WHERE person_id IS NOT NULL;
CREATE INDEX credentials_nobodys ON credentials (id) WHERE person_id IS NULL;
CREATE INDEX credentials_inside ON credentials (workspace_id, id) WHERE workspace_id IS NOT NULL;
CREATE INDEX credentials_maker ON credentials (created_by, id);
CREATE INDEX credentials_live ON credentials (id) WHERE revoked_at IS NULL;
CREATE INDEX credentials_live_kind ON credentials (kind, id) WHERE revoked_at IS NULL;
CREATE INDEX credentials_dead ON credentials (id) WHERE revoked_at IS NOT NULL;
CREATE INDEX credentials_inactive ON credentials (id) WHERE revoked_at IS NULL AND NOT enabled;
CREATE INDEX credentials_endless ON credentials (id) WHERE revoked_at IS NULL AND expires_at IS NULL;
CREATE INDEX credentials_end ON credentials (expires_at, id) WHERE revoked_at IS NULL;
CREATE INDEX credentials_last4 ON credentials (last4, id);

-- What has not been used for long is found by its usage: each credential has a row from its beginning.
INSERT INTO usages (credential_id, calls, refused, late, last_address, idle_since)
    SELECT id, 0, 0, 0, '', created_at FROM credentials WHERE id NOT IN (SELECT credential_id FROM usages);
UPDATE usages SET idle_since = coalesce(last_used_at, (SELECT created_at FROM credentials WHERE credentials.id = usages.credential_id)) WHERE workspace_id IS NULL;
CREATE INDEX usages_since ON usages (idle_since, credential_id);
CREATE INDEX usages_never ON usages (credential_id) WHERE last_used_at IS NULL;

-- The calls of all credentials on a day, so that nobody needs to add up a million.
CREATE TABLE usage_totals (
    day     text   PRIMARY KEY,
    calls   integer NOT NULL,
    refused integer NOT NULL
);
INSERT INTO usage_totals (day, calls, refused) SELECT day, sum(calls), sum(refused) FROM usage_days GROUP BY day;

-- Part of a name is found by its trigrams, as for people. Bearer tokens have one name, which nobody needs an index for.
CREATE TABLE credentials_search (
    n             integer PRIMARY KEY,
    credential_id text NOT NULL UNIQUE
);
CREATE VIRTUAL TABLE credentials_trigrams USING fts5 (name_key, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
INSERT INTO credentials_search (credential_id) SELECT id FROM credentials WHERE kind <> 'bearer' ORDER BY id;
INSERT INTO credentials_trigrams (rowid, name_key) SELECT n, name_key FROM credentials_search JOIN credentials ON id = credential_id;

-- +goose StatementBegin
CREATE TRIGGER credentials_search_insert AFTER INSERT ON credentials WHEN NEW.kind <> 'bearer'
BEGIN
    INSERT INTO credentials_search (credential_id) VALUES (NEW.id);
    INSERT INTO credentials_trigrams (rowid, name_key) SELECT n, NEW.name_key FROM credentials_search WHERE credential_id = NEW.id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER credentials_search_update AFTER UPDATE OF name_key ON credentials WHEN NEW.kind <> 'bearer'
BEGIN
    UPDATE credentials_trigrams SET name_key = NEW.name_key WHERE rowid = (SELECT n FROM credentials_search WHERE credential_id = NEW.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER credentials_search_delete AFTER DELETE ON credentials WHEN OLD.kind <> 'bearer'
BEGIN
    DELETE FROM credentials_trigrams WHERE rowid = (SELECT n FROM credentials_search WHERE credential_id = OLD.id);
    DELETE FROM credentials_search WHERE credential_id = OLD.id;
END;
-- +goose StatementEnd
