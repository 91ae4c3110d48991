-- +goose Up
-- A program signs in as its person, with the password, and stays signed in by single-use refresh tokens. Its session has a
-- workspace, which it may change.
ALTER TABLE sessions ADD COLUMN kind text NOT NULL DEFAULT 'browser' CHECK (kind IN ('browser', 'program'));
ALTER TABLE sessions ADD COLUMN workspace_id text REFERENCES workspaces (id) CHECK ((workspace_id IS NULL) = (kind = 'browser'));
CREATE INDEX sessions_workspace ON sessions (workspace_id, person_id) WHERE workspace_id IS NOT NULL;

-- One that was used stays until its session ends: whoever presents it again has stolen it, or was stolen from.
CREATE TABLE refresh_tokens (
    hash       blob PRIMARY KEY,
    session_id text NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at timestamp NOT NULL,
    used_at    timestamp
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

-- What signs sign-in tokens, sealed under the key file.
CREATE TABLE jwt_keys (
    id         text PRIMARY KEY,
    sealed     blob NOT NULL,
    created_at timestamp NOT NULL
);

ALTER TABLE workspaces ADD COLUMN user_calls_a_minute integer NOT NULL DEFAULT 50 CHECK (user_calls_a_minute >= 1);
ALTER TABLE workspaces ADD COLUMN automation_calls_a_minute integer NOT NULL DEFAULT 300 CHECK (automation_calls_a_minute >= user_calls_a_minute);

-- SQLite cannot add to what a table allows: the table is made anew, under the same name, before the commit looks at what refers to it.
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
    CHECK (kind <> 'api' OR (person_id IS NULL AND workspace_id IS NOT NULL AND product_id IS NOT NULL)),
    CHECK (kind <> 'automation' OR (person_id IS NOT NULL AND workspace_id IS NOT NULL AND product_id IS NULL))
);
INSERT INTO credentials SELECT * FROM old_credentials;
DROP TABLE old_credentials;
CREATE UNIQUE INDEX credentials_hash ON credentials (hash);
CREATE UNIQUE INDEX credentials_one_bearer ON credentials (person_id) WHERE kind = 'bearer' AND revoked_at IS NULL;
CREATE INDEX credentials_person ON credentials (person_id, kind, id);
CREATE INDEX credentials_member ON credentials (workspace_id, person_id, kind, id) WHERE person_id IS NOT NULL;
CREATE INDEX credentials_prefix ON credentials (prefix, id);
CREATE INDEX credentials_workspace ON credentials (workspace_id, kind, id);
CREATE INDEX credentials_product ON credentials (product_id) WHERE product_id IS NOT NULL;
CREATE INDEX credentials_expiring ON credentials (workspace_id, kind, expires_at, id) WHERE revoked_at IS NULL;
CREATE INDEX credentials_revoked ON credentials (workspace_id, kind, id) WHERE revoked_at IS NOT NULL;
