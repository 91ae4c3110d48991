-- +goose Up
-- A workspace's members are listed by name: each carries the name that it is sorted by, so that a page costs the same
-- wherever it is.
ALTER TABLE memberships ADD COLUMN name_key text COLLATE "C" NOT NULL DEFAULT '';
UPDATE memberships SET name_key = (SELECT name_key FROM people WHERE people.id = memberships.person_id);
CREATE INDEX memberships_list ON memberships (workspace_id, name_key, person_id);
