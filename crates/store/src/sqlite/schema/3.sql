-- Fewer pages for each delivery: rows that are found by their id live in one tree instead of two, and what only a
-- delivery that was read is looked for by is entered when it is read.

CREATE TABLE new_delivery (
  id           TEXT    NOT NULL PRIMARY KEY,
  profile      TEXT    NOT NULL,
  received_at  BIGINT  NOT NULL,
  trigger_name TEXT,
  uid          TEXT,
  status       TEXT    NOT NULL,
  reason       TEXT,
  sha256       TEXT    NOT NULL,
  secret_index INTEGER NOT NULL,
  -- How often reading it was begun and came to no end.
  attempts     INTEGER NOT NULL DEFAULT 0,
  is_read      INTEGER NOT NULL DEFAULT 0,
  -- Its headers and body are apart, because SQLite writes a whole row anew whenever its status moves.
  body_row     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE new_delivery_body (
  n       INTEGER NOT NULL PRIMARY KEY,
  headers BLOB    NOT NULL,
  body    BLOB    NOT NULL
);
INSERT INTO new_delivery_body (n, headers, body) SELECT rowid, headers, body FROM delivery_body;
INSERT INTO new_delivery
  SELECT d.id, d.profile, d.received_at, d.trigger_name, d.uid, d.status, d.reason, d.sha256, d.secret_index,
         d.attempts, d.is_read, b.rowid
  FROM delivery d JOIN delivery_body b ON b.id = d.id;
-- The deliveries that were handed out to be read last, as a list in JSON.
CREATE TABLE reading (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  ids TEXT    NOT NULL
);
INSERT INTO reading (one, ids) VALUES (1, '[]');

CREATE TABLE new_change (
  n              INTEGER NOT NULL PRIMARY KEY,
  id             TEXT    NOT NULL UNIQUE,
  profile        TEXT    NOT NULL,
  key            TEXT    NOT NULL,
  delivery_id    TEXT    NOT NULL REFERENCES new_delivery (id),
  person         TEXT    NOT NULL,
  uid            TEXT    NOT NULL,
  -- What it names as its predecessor: a uid, or a seat's reference.
  ref            TEXT,
  seat           TEXT,
  seated         INTEGER NOT NULL,
  -- The uid in its iCalUID; never of a seat.
  first_uid      TEXT,
  -- The sender's stamp, at most the time of receipt.
  created_at     BIGINT  NOT NULL,
  status         TEXT    NOT NULL,
  reason         TEXT,
  why            BLOB,
  lead           TEXT,
  attempts       INTEGER NOT NULL DEFAULT 0,
  crashes        INTEGER NOT NULL DEFAULT 0,
  -- Asked for again while it was running.
  again          INTEGER NOT NULL DEFAULT 0,
  epoch          BIGINT  NOT NULL DEFAULT 0,
  first_tried_at BIGINT,
  retry_at       BIGINT,
  -- It waits for another change, and others of the person may go before it.
  yields         INTEGER NOT NULL DEFAULT 0,
  UNIQUE (profile, key)
);
CREATE TABLE new_change_body (
  n    INTEGER NOT NULL PRIMARY KEY REFERENCES new_change (n),
  body BLOB    NOT NULL
);
INSERT INTO new_change
  (id, profile, key, delivery_id, person, uid, ref, seat, seated, first_uid, created_at, status, reason, why, lead,
   attempts, crashes, again, epoch, first_tried_at, retry_at, yields)
  SELECT id, profile, key, delivery_id, person, uid, ref, seat, seated, first_uid, created_at, status, reason, why,
         lead, attempts, crashes, again, epoch, first_tried_at, retry_at, yields
  FROM change ORDER BY id;
INSERT INTO new_change_body (n, body)
  SELECT c.n, b.body FROM new_change c JOIN change_body b ON b.id = c.id;

CREATE TABLE new_link (
  profile TEXT NOT NULL,
  token   TEXT NOT NULL,
  body    BLOB NOT NULL,
  PRIMARY KEY (profile, token)
) WITHOUT ROWID;
INSERT INTO new_link SELECT profile, token, body FROM link;

DROP VIEW stored;
DROP TABLE change_body;
DROP TABLE change;
DROP TABLE delivery_body;
DROP TABLE delivery;
DROP TABLE link;
ALTER TABLE new_delivery RENAME TO delivery;
ALTER TABLE new_delivery_body RENAME TO delivery_body;
ALTER TABLE new_change RENAME TO change;
ALTER TABLE new_change_body RENAME TO change_body;
ALTER TABLE new_link RENAME TO link;

CREATE INDEX delivery_unread  ON delivery (id) WHERE is_read = 0;
CREATE INDEX delivery_suspect ON delivery (id) WHERE is_read = 0 AND attempts > 0;
CREATE INDEX delivery_status  ON delivery (status, id) WHERE is_read = 1;
CREATE INDEX delivery_uid     ON delivery (uid, id) WHERE uid IS NOT NULL;
CREATE INDEX delivery_sha256  ON delivery (sha256, id) WHERE is_read = 1;

CREATE INDEX change_delivery  ON change (delivery_id);
CREATE INDEX change_person    ON change (profile, person, created_at);
CREATE INDEX change_uid       ON change (uid);
CREATE INDEX change_ref       ON change (ref) WHERE ref IS NOT NULL;
CREATE INDEX change_seat      ON change (seat) WHERE seat IS NOT NULL;
CREATE INDEX change_first_uid ON change (first_uid) WHERE first_uid IS NOT NULL;
CREATE INDEX change_open      ON change (profile, person, yields, created_at) WHERE status IN ('pending', 'waiting', 'running');
CREATE INDEX change_running   ON change (profile, person) WHERE status = 'running';
CREATE INDEX change_waiting   ON change (profile) WHERE status = 'waiting';

CREATE VIEW stored AS SELECT c.*, b.body FROM change c JOIN change_body b ON b.n = c.n;
