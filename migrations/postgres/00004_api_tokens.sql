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
    headers           bytea       NOT NULL,
    signing_key       bytea       NOT NULL,
    resources         text      NOT NULL,
    revision          bigint      NOT NULL,
    created_at        timestamptz NOT NULL
);
CREATE UNIQUE INDEX products_prefix ON products (workspace_id, prefix);

-- A workspace that is deleted keeps its row, because its credentials stay listed; its slug is free again.
ALTER TABLE workspaces ADD COLUMN deleted_at timestamptz;
ALTER TABLE workspaces ADD COLUMN api_calls_a_minute integer NOT NULL DEFAULT 600 CHECK (api_calls_a_minute >= 1);
DROP INDEX workspaces_slug;
CREATE UNIQUE INDEX workspaces_slug ON workspaces (slug) WHERE deleted_at IS NULL;
DROP INDEX workspaces_list;
CREATE INDEX workspaces_list ON workspaces (name, id) WHERE deleted_at IS NULL;

ALTER TABLE people ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC';

ALTER TABLE credentials DROP CONSTRAINT credentials_kind_check;
ALTER TABLE credentials ALTER COLUMN person_id DROP NOT NULL;
ALTER TABLE credentials ADD COLUMN name_key text COLLATE "C" NOT NULL DEFAULT '';
UPDATE credentials SET name_key = lower(name);
ALTER TABLE credentials ALTER COLUMN name_key DROP DEFAULT;
ALTER TABLE credentials ADD COLUMN workspace_id text REFERENCES workspaces (id);
ALTER TABLE credentials ADD COLUMN product_id text REFERENCES products (id);
ALTER TABLE credentials ADD COLUMN scopes text NOT NULL DEFAULT '';
ALTER TABLE credentials ALTER COLUMN scopes DROP DEFAULT;
ALTER TABLE credentials ADD CHECK (kind IN ('bearer', 'api', 'automation', 'key', 'collection'));
ALTER TABLE credentials ADD CHECK (kind <> 'bearer' OR (person_id IS NOT NULL AND workspace_id IS NULL AND product_id IS NULL));
ALTER TABLE credentials ADD CHECK (kind <> 'api' OR (person_id IS NULL AND workspace_id IS NOT NULL AND product_id IS NOT NULL));
CREATE INDEX credentials_workspace ON credentials (workspace_id, kind, id);
CREATE INDEX credentials_product ON credentials (product_id) WHERE product_id IS NOT NULL;
CREATE INDEX credentials_expiring ON credentials (workspace_id, kind, expires_at, id) WHERE revoked_at IS NULL;
CREATE INDEX credentials_revoked ON credentials (workspace_id, kind, id) WHERE revoked_at IS NOT NULL;

-- A card keeps its place when its secret is replaced. Whoever still shows the old one is told so.
CREATE TABLE replaced_secrets (
    hash          bytea PRIMARY KEY,
    credential_id text NOT NULL REFERENCES credentials (id),
    prefix        text NOT NULL,
    last4         text NOT NULL,
    replaced_at   timestamptz NOT NULL,
    replaced_by   text NOT NULL
);
CREATE INDEX replaced_secrets_credential ON replaced_secrets (credential_id, replaced_at);

-- Tokens of a workspace are sorted by their use: each has a row from its beginning.
ALTER TABLE usages ADD COLUMN workspace_id text;
ALTER TABLE usages ADD COLUMN idle_since timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00';
CREATE INDEX usages_most ON usages (workspace_id, calls, credential_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX usages_idle ON usages (workspace_id, idle_since, credential_id) WHERE workspace_id IS NOT NULL;
ALTER TABLE usage_days ADD COLUMN refused bigint NOT NULL DEFAULT 0;
