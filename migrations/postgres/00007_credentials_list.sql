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
    calls   bigint NOT NULL,
    refused bigint NOT NULL
);
INSERT INTO usage_totals (day, calls, refused) SELECT day, sum(calls), sum(refused) FROM usage_days GROUP BY day;

-- Part of a name is found by its trigrams, as for people. Bearer tokens have one name, which nobody needs an index for.
CREATE INDEX credentials_trigrams ON credentials USING gin (name_key gin_trgm_ops) WHERE kind <> 'bearer';
