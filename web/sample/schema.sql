-- What the sample keeps. Everything belongs to a tenant, the workspace that called; a row can only point to rows
-- of its own tenant, because the tenant is part of every key.

CREATE TABLE tenants (
  number  INTEGER PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE, -- the workspace's ID
  born_at DATETIME NOT NULL
);

CREATE TABLE agents (
  tenant       INTEGER NOT NULL REFERENCES tenants,
  id           TEXT NOT NULL,
  name         TEXT NOT NULL COLLATE NOCASE,
  description  TEXT NOT NULL,
  instructions TEXT NOT NULL,
  created_at   DATETIME NOT NULL,
  updated_at   DATETIME NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, name)
) WITHOUT ROWID;

-- Each agent has one.
CREATE TABLE triggers (
  tenant     INTEGER NOT NULL,
  id         TEXT NOT NULL,
  agent      TEXT NOT NULL,
  event      TEXT NOT NULL, -- a path below /api/webhook/
  created_at DATETIME NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, agent),
  FOREIGN KEY (tenant, agent) REFERENCES agents ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE events (
  tenant      INTEGER NOT NULL REFERENCES tenants,
  id          TEXT NOT NULL,
  path        TEXT NOT NULL,
  payload     TEXT NOT NULL, -- a JSON object, or nothing
  credential  TEXT NOT NULL,
  request_id  TEXT NOT NULL,
  received_at DATETIME NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

CREATE TABLE executions (
  tenant      INTEGER NOT NULL,
  id          TEXT NOT NULL,
  agent       TEXT NOT NULL,
  trigger_id  TEXT NOT NULL, -- of the trigger that was executed or started; empty for the first run, at the installation
  event       TEXT NOT NULL, -- the event's ID, which may be pruned by now; empty where there was none
  input       TEXT NOT NULL,
  steps       TEXT NOT NULL, -- JSON
  output      TEXT NOT NULL,
  status      TEXT NOT NULL,
  credential  TEXT NOT NULL,
  request_id  TEXT NOT NULL,
  started_at  DATETIME NOT NULL,
  duration_us INTEGER NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, agent) REFERENCES agents ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX executions_agent ON executions (tenant, agent, id);

CREATE TABLE integrations (
  tenant     INTEGER NOT NULL REFERENCES tenants,
  id         TEXT NOT NULL,
  type       TEXT NOT NULL,
  name       TEXT NOT NULL,
  product    TEXT NOT NULL, -- empty: global
  active     INTEGER NOT NULL,
  config     TEXT NOT NULL, -- JSON, of which every value is masked
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, product, type)
) WITHOUT ROWID;

-- The bytes are in a file of the folder beside the database, which is called like the row's ID.
CREATE TABLE files (
  tenant     INTEGER NOT NULL REFERENCES tenants,
  id         TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  size       INTEGER NOT NULL,
  sha256     TEXT NOT NULL,
  credential TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

CREATE TABLE documents (
  tenant     INTEGER NOT NULL,
  id         TEXT NOT NULL,
  file       TEXT NOT NULL,
  title      TEXT NOT NULL,
  excerpt    TEXT NOT NULL,
  size       INTEGER NOT NULL, -- of its text
  created_at DATETIME NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, file),
  FOREIGN KEY (tenant, file) REFERENCES files ON DELETE CASCADE
) WITHOUT ROWID;

-- A document in pieces of some sentences, each of which can be found and quoted.
CREATE TABLE passages (
  number   INTEGER PRIMARY KEY,
  tenant   INTEGER NOT NULL,
  document TEXT NOT NULL,
  position INTEGER NOT NULL,
  home     TEXT GENERATED ALWAYS AS ('t' || tenant) VIRTUAL, -- the tenant, as a word to search for
  title    TEXT NOT NULL,
  text     TEXT NOT NULL,
  UNIQUE (tenant, document, position),
  FOREIGN KEY (tenant, document) REFERENCES documents ON DELETE CASCADE
);

CREATE VIRTUAL TABLE passage_index USING fts5 (
  home, title, text, content = 'passages', content_rowid = 'number', tokenize = 'porter unicode61 remove_diacritics 2'
);
INSERT INTO passage_index (passage_index, rank) VALUES ('rank', 'bm25(0.0, 4.0, 1.0)');

CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN
  INSERT INTO passage_index (rowid, home, title, text) VALUES (new.number, new.home, new.title, new.text);
END;
CREATE TRIGGER passages_removed AFTER DELETE ON passages BEGIN
  INSERT INTO passage_index (passage_index, rowid, home, title, text) VALUES ('delete', old.number, old.home, old.title, old.text);
END;

CREATE TABLE conversations (
  tenant     INTEGER NOT NULL REFERENCES tenants,
  id         TEXT NOT NULL,
  title      TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

CREATE TABLE messages (
  tenant       INTEGER NOT NULL,
  id           TEXT NOT NULL,
  conversation TEXT NOT NULL,
  role         TEXT NOT NULL,
  text         TEXT NOT NULL,
  sources      TEXT NOT NULL, -- JSON
  created_at   DATETIME NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, conversation) REFERENCES conversations ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX messages_conversation ON messages (tenant, conversation, id);
