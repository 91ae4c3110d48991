-- +goose Up
-- API keys act as their person, everywhere that person may be. A collection access key opens one collection for reading: it is nobody's, so that it
-- outlives its maker's leaving, and each use pushes its end out, though never beyond latest_expires_at.
ALTER TABLE credentials ADD COLUMN collection_id text;
ALTER TABLE credentials ADD CHECK ((collection_id IS NOT NULL) = (kind = 'collection'));
ALTER TABLE credentials ADD CHECK (kind <> 'key' OR (person_id IS NOT NULL AND workspace_id IS NULL AND product_id IS NULL));
ALTER TABLE credentials ADD CHECK (kind <> 'collection' OR (person_id IS NULL AND workspace_id IS NOT NULL AND product_id IS NULL));
ALTER TABLE credentials ADD COLUMN latest_expires_at timestamptz;
CREATE INDEX credentials_collection ON credentials (collection_id, id) WHERE collection_id IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX credentials_shared ON credentials (workspace_id, kind, id) WHERE kind = 'collection' AND revoked_at IS NULL;
CREATE INDEX credentials_keys ON credentials (person_id, kind, id) WHERE kind = 'key' AND revoked_at IS NULL;

-- How many days the next API keys of a person live; 0 is without end.
ALTER TABLE people ADD COLUMN key_days integer NOT NULL DEFAULT 90 CHECK (key_days >= 0);

-- What Admins decided for everybody.
CREATE TABLE policies (
    one                     integer PRIMARY KEY CHECK (one = 1),
    key_makers              text    NOT NULL CHECK (key_makers IN ('everyone', 'admins', 'nobody')),
    key_days                integer CHECK (key_days >= 0),
    longest_bearer_days     integer NOT NULL CHECK (longest_bearer_days >= 0),
    longest_api_days        integer NOT NULL CHECK (longest_api_days >= 0),
    longest_automation_days integer NOT NULL CHECK (longest_automation_days >= 0),
    longest_key_days        integer NOT NULL CHECK (longest_key_days >= 0),
    longest_collection_days integer NOT NULL CHECK (longest_collection_days >= 0),
    expiry_required         boolean NOT NULL,
    unused_days             integer NOT NULL CHECK (unused_days >= 0)
);
INSERT INTO policies VALUES (1, 'everyone', NULL, 0, 0, 0, 0, 0, false, 0);
