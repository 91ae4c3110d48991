-- +goose Up
-- A program signs in as its person, with the password, and stays signed in by single-use refresh tokens. Its session has a
-- workspace, which it may change.
ALTER TABLE sessions ADD COLUMN kind text NOT NULL DEFAULT 'browser' CHECK (kind IN ('browser', 'program'));
ALTER TABLE sessions ADD COLUMN workspace_id text REFERENCES workspaces (id) CHECK ((workspace_id IS NULL) = (kind = 'browser'));
CREATE INDEX sessions_workspace ON sessions (workspace_id, person_id) WHERE workspace_id IS NOT NULL;

-- One that was used stays until its session ends: whoever presents it again has stolen it, or was stolen from.
CREATE TABLE refresh_tokens (
    hash       bytea PRIMARY KEY,
    session_id text NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

-- What signs sign-in tokens, sealed under the key file.
CREATE TABLE jwt_keys (
    id         text PRIMARY KEY,
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL
);

ALTER TABLE workspaces ADD COLUMN user_calls_a_minute integer NOT NULL DEFAULT 50 CHECK (user_calls_a_minute >= 1);
ALTER TABLE workspaces ADD COLUMN automation_calls_a_minute integer NOT NULL DEFAULT 300 CHECK (automation_calls_a_minute >= user_calls_a_minute);

ALTER TABLE credentials ADD CHECK (kind <> 'automation' OR (person_id IS NOT NULL AND workspace_id IS NOT NULL AND product_id IS NULL));

-- Automation tokens come by the hour: what is listed of a person is found by its kind, or by the workspace.
DROP INDEX credentials_person;
CREATE INDEX credentials_person ON credentials (person_id, kind, id);
CREATE INDEX credentials_member ON credentials (workspace_id, person_id, kind, id) WHERE person_id IS NOT NULL;
