-- Times are microseconds since 1970. Ids are UUIDv7: they sort by arrival. Blobs are sealed (sealed.rs).
-- Nothing that names a person stands in the clear: `person`, `key` and `token` are HMACs.

-- Small facts of the program, in the clear.
CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- The keys behind the HMACs, and one probe for every master key that ever sealed something.
CREATE TABLE secret (
  name   TEXT NOT NULL PRIMARY KEY,
  sealed BLOB NOT NULL
) WITHOUT ROWID;

-- One row: who works here is counted up at every take-over.
CREATE TABLE owner (
  id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  epoch BIGINT  NOT NULL,
  beat  BIGINT  NOT NULL
);
INSERT INTO owner (id, epoch, beat) VALUES (1, 0, 0);

CREATE TABLE delivery (
  id           TEXT    NOT NULL PRIMARY KEY,
  profile      TEXT    NOT NULL,
  received_at  BIGINT  NOT NULL,
  trigger_name TEXT,
  uid          TEXT,
  status       TEXT    NOT NULL,
  reason       TEXT,
  sha256       TEXT    NOT NULL,
  secret_index INTEGER NOT NULL,
  attempts     INTEGER NOT NULL DEFAULT 0,
  is_read      INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX delivery_unread ON delivery (id) WHERE is_read = 0;
CREATE INDEX delivery_suspect ON delivery (id) WHERE is_read = 0 AND attempts > 0;
CREATE INDEX delivery_status ON delivery (status, id);
-- What falls on another page each time is entered when a delivery is read, not while its sender waits.
CREATE INDEX delivery_uid    ON delivery (uid, id) WHERE uid IS NOT NULL;
CREATE INDEX delivery_sha256 ON delivery (sha256, id) WHERE is_read = 1;

-- Apart, because SQLite writes a whole row anew whenever its status moves.
CREATE TABLE delivery_body (
  id      TEXT NOT NULL PRIMARY KEY REFERENCES delivery (id),
  headers BLOB NOT NULL,
  body    BLOB NOT NULL
);

CREATE TABLE change (
  id             TEXT    NOT NULL PRIMARY KEY,
  profile        TEXT    NOT NULL,
  key            TEXT    NOT NULL,
  delivery_id    TEXT    NOT NULL REFERENCES delivery (id),
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
CREATE INDEX change_delivery  ON change (delivery_id, id);
CREATE INDEX change_person    ON change (profile, person, created_at, id);
CREATE INDEX change_uid       ON change (uid);
CREATE INDEX change_ref       ON change (ref) WHERE ref IS NOT NULL;
CREATE INDEX change_seat      ON change (seat) WHERE seat IS NOT NULL;
CREATE INDEX change_first_uid ON change (first_uid) WHERE first_uid IS NOT NULL;
CREATE INDEX change_open      ON change (profile, person, yields, created_at, id) WHERE status IN ('pending', 'waiting', 'running');
CREATE INDEX change_running   ON change (profile, person) WHERE status = 'running';
CREATE INDEX change_waiting   ON change (profile) WHERE status = 'waiting';

CREATE TABLE change_body (
  id   TEXT NOT NULL PRIMARY KEY REFERENCES change (id),
  body BLOB NOT NULL
);

CREATE VIEW stored AS SELECT c.*, b.body FROM change c JOIN change_body b ON b.id = c.id;

-- Derived, so that claiming costs the same however much is pending: for each person with something
-- open, when the first of it is due. Written by lane.rs whenever a change of that person moves.
CREATE TABLE lane (
  profile TEXT    NOT NULL,
  person  TEXT    NOT NULL,
  -- 0: pending. NULL: one is running.
  due_at  BIGINT,
  -- `created_at` of the first.
  since   BIGINT  NOT NULL,
  -- The program once stopped while the first was worked on.
  suspect INTEGER NOT NULL,
  PRIMARY KEY (profile, person)
) WITHOUT ROWID;
CREATE INDEX lane_due ON lane (suspect, due_at, since) WHERE due_at IS NOT NULL;

CREATE TABLE effect (
  profile       TEXT    NOT NULL,
  key           TEXT    NOT NULL,
  change_key    TEXT    NOT NULL,
  target        TEXT    NOT NULL,
  kind          TEXT    NOT NULL,
  state         TEXT    NOT NULL,
  desired       BLOB    NOT NULL,
  pre_image     BLOB,
  epoch         BIGINT  NOT NULL,
  attempt       INTEGER NOT NULL,
  marker        TEXT    NOT NULL,
  remote_id     TEXT,
  reason        TEXT,
  first_sent_at BIGINT  NOT NULL,
  last_sent_at  BIGINT  NOT NULL,
  negatives     INTEGER NOT NULL,
  last_probe_at BIGINT,
  amended       TEXT    NOT NULL,
  PRIMARY KEY (profile, key)
);
CREATE INDEX effect_change     ON effect (profile, change_key, first_sent_at);
CREATE INDEX effect_attempting ON effect (state) WHERE state = 'attempting';

CREATE TABLE link (
  profile TEXT NOT NULL,
  token   TEXT NOT NULL,
  body    BLOB NOT NULL,
  PRIMARY KEY (profile, token)
);

CREATE TABLE register (
  profile            TEXT    NOT NULL,
  lead               TEXT    NOT NULL,
  status_set         TEXT,
  block_written      INTEGER NOT NULL,
  block_removed      INTEGER NOT NULL,
  block_comment      TEXT,
  block_comment_text BLOB,
  PRIMARY KEY (profile, lead)
);

CREATE TABLE notice (
  profile  TEXT    NOT NULL,
  cause    TEXT    NOT NULL,
  text     TEXT    NOT NULL,
  hint     TEXT    NOT NULL,
  first_at BIGINT  NOT NULL,
  last_at  BIGINT  NOT NULL,
  told_at  BIGINT  NOT NULL,
  count    INTEGER NOT NULL,
  PRIMARY KEY (profile, cause)
);
CREATE INDEX notice_last ON notice (last_at);

CREATE TABLE token (
  id         TEXT   NOT NULL PRIMARY KEY,
  name       TEXT   NOT NULL,
  scope      TEXT   NOT NULL,
  hash       TEXT   NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
);

CREATE TABLE pause (
  profile TEXT   NOT NULL PRIMARY KEY,
  reason  TEXT   NOT NULL,
  since   BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE remembered (
  profile  TEXT   NOT NULL,
  key      TEXT   NOT NULL,
  until_at BIGINT NOT NULL,
  PRIMARY KEY (profile, key)
) WITHOUT ROWID;
