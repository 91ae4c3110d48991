-- +goose Up
CREATE TABLE change_clock (
    one       integer PRIMARY KEY CHECK (one = 1),
    last_seq  integer NOT NULL,
    last_hash blob    NOT NULL,
    last_at   timestamp NOT NULL
);
INSERT INTO change_clock (one, last_seq, last_hash, last_at) VALUES (1, 0, x'', '1970-01-01 00:00:00+00:00');

CREATE TABLE events (
    seq           integer PRIMARY KEY,
    id            text    NOT NULL UNIQUE,
    at            timestamp    NOT NULL,
    action        text    NOT NULL,
    actor_kind    text    NOT NULL,
    actor_id      text    NOT NULL,
    actor_name    text    NOT NULL,
    session_id    text    NOT NULL,
    credential_id text    NOT NULL,
    subject_kind  text    NOT NULL,
    subject_id    text    NOT NULL,
    subject_name  text    NOT NULL,
    person_id     text    NOT NULL,
    workspace_id  text    NOT NULL,
    address       text    NOT NULL,
    request_id    text    NOT NULL,
    changes       text    NOT NULL,
    hash          blob    NOT NULL
);
CREATE INDEX events_request ON events (request_id);

-- +goose StatementBegin
CREATE TRIGGER events_keep_update BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_keep_delete BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never removed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
-- REPLACE removes a row without asking the trigger above.
CREATE TRIGGER events_keep_replace BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE seq = NEW.seq OR id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'events are never replaced');
END;
-- +goose StatementEnd

CREATE TABLE people (
    id                  text PRIMARY KEY,
    name                text NOT NULL,
    name_key            text NOT NULL,
    email               text NOT NULL,
    email_key           text NOT NULL,
    role                text NOT NULL CHECK (role IN ('Admin', 'Member')),
    password_hash       text NOT NULL,
    password_changed_at timestamp NOT NULL,
    deactivated_at      timestamp,
    seen_at             timestamp,
    created_at          timestamp NOT NULL
);
CREATE UNIQUE INDEX people_email ON people (email_key);
CREATE INDEX people_list ON people (name_key, id);
CREATE INDEX people_admins ON people (id) WHERE role = 'Admin' AND deactivated_at IS NULL;

CREATE TABLE sessions (
    id           text PRIMARY KEY,
    hash         blob NOT NULL,
    person_id    text NOT NULL REFERENCES people (id),
    created_at   timestamp NOT NULL,
    seen_at      timestamp NOT NULL,
    confirmed_at timestamp NOT NULL,
    expires_at   timestamp NOT NULL,
    address      text NOT NULL,
    browser      text NOT NULL,
    data         blob
);
CREATE UNIQUE INDEX sessions_hash ON sessions (hash);
CREATE INDEX sessions_person ON sessions (person_id);
CREATE INDEX sessions_end ON sessions (expires_at);

CREATE TABLE setup_codes (
    hash       blob PRIMARY KEY,
    expires_at timestamp NOT NULL
);

CREATE TABLE workspaces (
    id         text PRIMARY KEY,
    slug       text NOT NULL,
    name       text NOT NULL,
    created_at timestamp NOT NULL
);
CREATE UNIQUE INDEX workspaces_slug ON workspaces (slug);

CREATE TABLE memberships (
    workspace_id text NOT NULL REFERENCES workspaces (id),
    person_id    text NOT NULL REFERENCES people (id),
    role         text NOT NULL CHECK (role IN ('Owner', 'Admin', 'Member')),
    created_at   timestamp NOT NULL,
    PRIMARY KEY (workspace_id, person_id)
);
CREATE INDEX memberships_person ON memberships (person_id);
CREATE UNIQUE INDEX memberships_owner ON memberships (workspace_id) WHERE role = 'Owner';

CREATE TABLE credentials (
    id            text PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('bearer')),
    name          text NOT NULL,
    prefix        text NOT NULL,
    last4         text NOT NULL,
    hash          blob NOT NULL,
    person_id     text NOT NULL REFERENCES people (id),
    enabled       boolean NOT NULL,
    created_at    timestamp NOT NULL,
    created_by    text NOT NULL,
    expires_at    timestamp,
    revoked_at    timestamp,
    revoked_by    text NOT NULL,
    revoke_reason text NOT NULL,
    replaced_by   text NOT NULL
);
CREATE UNIQUE INDEX credentials_hash ON credentials (hash);
CREATE UNIQUE INDEX credentials_one_bearer ON credentials (person_id) WHERE kind = 'bearer' AND revoked_at IS NULL;
CREATE INDEX credentials_person ON credentials (person_id, id);

CREATE TABLE used_forms (
    form_id    text PRIMARY KEY,
    person_id  text NOT NULL REFERENCES people (id),
    subject_id text NOT NULL,
    at         timestamp NOT NULL
);
CREATE INDEX used_forms_at ON used_forms (at);

CREATE TABLE usages (
    credential_id text PRIMARY KEY REFERENCES credentials (id),
    calls         integer NOT NULL,
    refused       integer NOT NULL,
    late          integer NOT NULL,
    last_used_at  timestamp,
    last_address  text NOT NULL,
    last_late_at  timestamp
);

CREATE TABLE usage_days (
    credential_id text NOT NULL REFERENCES credentials (id),
    day           text NOT NULL,
    calls         integer NOT NULL,
    PRIMARY KEY (credential_id, day)
);

CREATE TABLE blobs (
    sha256     text PRIMARY KEY,
    size       integer NOT NULL,
    created_at timestamp NOT NULL
);

CREATE TABLE blob_chunks (
    sha256 text    NOT NULL REFERENCES blobs (sha256),
    number integer NOT NULL,
    bytes  blob    NOT NULL,
    PRIMARY KEY (sha256, number)
);

CREATE TABLE collections (
    id                 text PRIMARY KEY,
    workspace_id       text NOT NULL REFERENCES workspaces (id),
    name               text NOT NULL,
    name_key           text NOT NULL,
    current_version_id text NOT NULL,
    installed_at       timestamp NOT NULL,
    installed_by       text NOT NULL,
    credential_id      text NOT NULL,
    created_at         timestamp NOT NULL
);
CREATE UNIQUE INDEX collections_name ON collections (workspace_id, name_key);

CREATE TABLE collection_versions (
    id            text PRIMARY KEY,
    collection_id text    NOT NULL REFERENCES collections (id),
    number        integer NOT NULL,
    label         text    NOT NULL,
    description   text    NOT NULL,
    file_name     text    NOT NULL,
    sha256        text    NOT NULL REFERENCES blobs (sha256),
    size          integer NOT NULL,
    entries       integer NOT NULL,
    installed_at  timestamp    NOT NULL,
    installed_by  text    NOT NULL,
    credential_id text    NOT NULL
);
CREATE UNIQUE INDEX collection_versions_number ON collection_versions (collection_id, number);
CREATE UNIQUE INDEX collection_versions_bytes ON collection_versions (collection_id, sha256);

CREATE TABLE collection_files (
    version_id text    NOT NULL REFERENCES collection_versions (id),
    path       text    NOT NULL,
    size       integer NOT NULL,
    sha256     text    NOT NULL,
    PRIMARY KEY (version_id, path)
);
