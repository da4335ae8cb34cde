/** @file The tables of the state, and how older ones become today's. Statements only. */

/** One entry for each version; `user_version` counts those that were done. Entries are never changed, only added. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE runs (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     recipe TEXT NOT NULL,
     directory TEXT NOT NULL UNIQUE,
     priority INTEGER NOT NULL,
     state TEXT NOT NULL,
     goal TEXT,
     reason TEXT,
     attempts INTEGER NOT NULL DEFAULT 0,
     checkpointed INTEGER NOT NULL DEFAULT -1,
     retry INTEGER NOT NULL DEFAULT 0,
     created INTEGER NOT NULL,
     started INTEGER,
     ended INTEGER
   );
   CREATE INDEX runs_by_state ON runs (state);
   CREATE TABLE events (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     time INTEGER NOT NULL,
     run TEXT NOT NULL,
     event TEXT NOT NULL,
     state TEXT NOT NULL,
     reason TEXT
   );`,
  `ALTER TABLE runs ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';`,
  `ALTER TABLE runs ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
   ALTER TABLE runs ADD COLUMN key TEXT;
   CREATE UNIQUE INDEX runs_by_key ON runs (key) WHERE key IS NOT NULL;`,
  `CREATE TABLE outbox (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     url TEXT NOT NULL,
     body TEXT NOT NULL,
     created INTEGER NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     due INTEGER NOT NULL
   );
   CREATE INDEX outbox_by_url ON outbox (url, due);
   CREATE TABLE told (what TEXT PRIMARY KEY) WITHOUT ROWID;`,
];
