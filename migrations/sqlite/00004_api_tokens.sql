-- +goose Up
-- Products: what a workspace's API tokens open.
CREATE TABLE products (
    id                text PRIMARY KEY,
    workspace_id      text      NOT NULL REFERENCES workspaces (id),
    name              text      NOT NULL,
    prefix            text      NOT NULL,
    upstream          text      NOT NULL,
    connect_timeout_s integer   NOT NULL,
    answer_timeout_s  integer   NOT NULL,
    max_body_mib      integer   NOT NULL,
    pass_credential   boolean   NOT NULL,
    web_socket        boolean   NOT NULL,
    headers           blob      NOT NULL,
    signing_key       blob      NOT NULL,
    resources         text      NOT NULL,
    revision          integer   NOT NULL,
    created_at        timestamp NOT NULL
);
CREATE UNIQUE INDEX products_prefix ON products (workspace_id, prefix);

-- A workspace that is deleted keeps its row, because its credentials stay listed; its slug is free again.
ALTER TABLE workspaces ADD COLUMN deleted_at timestamp;
ALTER TABLE workspaces ADD COLUMN api_calls_a_minute integer NOT NULL DEFAULT 600 CHECK (api_calls_a_minute >= 1);
DROP INDEX workspaces_slug;
CREATE UNIQUE INDEX workspaces_slug ON workspaces (slug) WHERE deleted_at IS NULL;
DROP INDEX workspaces_list;
CREATE INDEX workspaces_list ON workspaces (name, id) WHERE deleted_at IS NULL;

ALTER TABLE people ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC';

-- SQLite cannot change what a column allows: the table is made anew, under the same name, before the commit looks at
-- what refers to it.
PRAGMA defer_foreign_keys = ON;
CREATE TEMPORARY TABLE old_credentials AS SELECT * FROM credentials;
DROP TABLE credentials;
CREATE TABLE credentials (
    id            text PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('bearer', 'api', 'automation', 'key', 'collection')),
    name          text NOT NULL,
    name_key      text NOT NULL,
    prefix        text NOT NULL,
    last4         text NOT NULL,
    hash          blob NOT NULL,
    person_id     text REFERENCES people (id),
    workspace_id  text REFERENCES workspaces (id),
    product_id    text REFERENCES products (id),
    scopes        text NOT NULL,
    enabled       boolean NOT NULL,
    created_at    timestamp NOT NULL,
    created_by    text NOT NULL,
    expires_at    timestamp,
    revoked_at    timestamp,
    revoked_by    text NOT NULL,
    revoke_reason text NOT NULL,
    replaced_by   text NOT NULL,
    CHECK (kind <> 'bearer' OR (person_id IS NOT NULL AND workspace_id IS NULL AND product_id IS NULL)),
    CHECK (kind <> 'api' OR (person_id IS NULL AND workspace_id IS NOT NULL AND product_id IS NOT NULL))
);
INSERT INTO credentials (id, kind, name, name_key, prefix, last4, hash, person_id, scopes, enabled, created_at, created_by, expires_at, revoked_at, revoked_by, revoke_reason, replaced_by)
    SELECT id, kind, name, lower(name), prefix, last4, hash, person_id, '', enabled, created_at, created_by, expires_at, revoked_at, revoked_by, revoke_reason, replaced_by FROM old_credentials;
DROP TABLE old_credentials;
CREATE UNIQUE INDEX credentials_hash ON credentials (hash);
CREATE UNIQUE INDEX credentials_one_bearer ON credentials (person_id) WHERE kind = 'bearer' AND revoked_at IS NULL;
CREATE INDEX credentials_person ON credentials (person_id, id);
CREATE INDEX credentials_prefix ON credentials (prefix, id);
CREATE INDEX credentials_workspace ON credentials (workspace_id, kind, id);
CREATE INDEX credentials_product ON credentials (product_id) WHERE product_id IS NOT NULL;
CREATE INDEX credentials_expiring ON credentials (workspace_id, kind, expires_at, id) WHERE revoked_at IS NULL;
CREATE INDEX credentials_revoked ON credentials (workspace_id, kind, id) WHERE revoked_at IS NOT NULL;

-- A card keeps its place when its secret is replaced. Whoever still shows the old one is told so.
CREATE TABLE replaced_secrets (
    hash          blob PRIMARY KEY,
    credential_id text NOT NULL REFERENCES credentials (id),
    prefix        text NOT NULL,
    last4         text NOT NULL,
    replaced_at   timestamp NOT NULL,
    replaced_by   text NOT NULL
);
CREATE INDEX replaced_secrets_credential ON replaced_secrets (credential_id, replaced_at);

-- Tokens of a workspace are sorted by their use: each has a row from its beginning.
ALTER TABLE usages ADD COLUMN workspace_id text;
ALTER TABLE usages ADD COLUMN idle_since timestamp NOT NULL DEFAULT '1970-01-01 00:00:00+00:00';
CREATE INDEX usages_most ON usages (workspace_id, calls, credential_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX usages_idle ON usages (workspace_id, idle_since, credential_id) WHERE workspace_id IS NOT NULL;
ALTER TABLE usage_days ADD COLUMN refused integer NOT NULL DEFAULT 0;
