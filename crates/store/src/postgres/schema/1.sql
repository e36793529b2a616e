-- Times are microseconds since 1970, but for leases, which go by the database's clock. Ids are UUIDv7: they sort by
-- arrival, byte by byte. BYTEA is sealed (sealed.rs). Nothing that names a person stands in the clear: `person`, `key`
-- and `token` are HMACs.

-- Small facts of the program, in the clear.
CREATE TABLE meta (
  key   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);

-- The keys behind the HMACs, and one probe for every master key that ever sealed something.
CREATE TABLE secret (
  name   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  sealed BYTEA NOT NULL
);

-- Who works for a profile. Whoever changes what is known or done for one locks its row first.
CREATE TABLE lease (
  profile    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  -- Empty: nobody.
  owner      TEXT        NOT NULL,
  epoch      BIGINT      NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL
);

-- Whether a write goes through.
CREATE TABLE beat (
  id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  beat BIGINT  NOT NULL
);
INSERT INTO beat (id, beat) VALUES (1, 0);

CREATE TABLE delivery (
  id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  profile      TEXT COLLATE "C" NOT NULL,
  received_at  BIGINT  NOT NULL,
  trigger_name TEXT,
  uid          TEXT COLLATE "C",
  status       TEXT COLLATE "C" NOT NULL,
  reason       TEXT,
  sha256       TEXT COLLATE "C" NOT NULL,
  secret_index BIGINT  NOT NULL,
  attempts     BIGINT  NOT NULL DEFAULT 0,
  is_read      BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX delivery_unread  ON delivery (profile, id) WHERE NOT is_read AND attempts = 0;
CREATE INDEX delivery_suspect ON delivery (profile, id) WHERE NOT is_read AND attempts > 0;
CREATE INDEX delivery_status  ON delivery (status, id);
CREATE INDEX delivery_uid     ON delivery (uid, id) WHERE uid IS NOT NULL;
CREATE INDEX delivery_sha256  ON delivery (sha256, id);

-- Apart, because a row is written anew whenever its status moves.
CREATE TABLE delivery_body (
  id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  headers BYTEA NOT NULL,
  body    BYTEA NOT NULL
);

CREATE TABLE change (
  id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  profile        TEXT COLLATE "C" NOT NULL,
  key            TEXT COLLATE "C" NOT NULL,
  delivery_id    TEXT COLLATE "C" NOT NULL,
  person         TEXT COLLATE "C" NOT NULL,
  uid            TEXT COLLATE "C" NOT NULL,
  -- What it names as its predecessor: a uid, or a seat's reference.
  ref            TEXT COLLATE "C",
  seat           TEXT COLLATE "C",
  seated         BOOLEAN NOT NULL,
  -- The uid in its iCalUID; never of a seat.
  first_uid      TEXT COLLATE "C",
  -- The sender's stamp, at most the time of receipt.
  created_at     BIGINT  NOT NULL,
  status         TEXT COLLATE "C" NOT NULL,
  reason         TEXT,
  why            BYTEA,
  lead           TEXT,
  attempts       BIGINT  NOT NULL DEFAULT 0,
  crashes        BIGINT  NOT NULL DEFAULT 0,
  -- Asked for again while it was running.
  again          BOOLEAN NOT NULL DEFAULT false,
  epoch          BIGINT  NOT NULL DEFAULT 0,
  first_tried_at BIGINT,
  retry_at       BIGINT,
  -- It waits for another change, and others of the person may go before it.
  yields         BOOLEAN NOT NULL DEFAULT false,
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
  id   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  body BYTEA NOT NULL
);

-- Derived, so that claiming costs the same however much is pending: for each person with something
-- open, when the first of it is due. Written by lane.rs whenever a change of that person moves.
CREATE TABLE lane (
  profile TEXT COLLATE "C" NOT NULL,
  person  TEXT COLLATE "C" NOT NULL,
  -- 0: pending. NULL: one is running.
  due_at  BIGINT,
  -- `created_at` of the first.
  since   BIGINT  NOT NULL,
  -- The program once stopped while the first was worked on.
  suspect BOOLEAN NOT NULL,
  PRIMARY KEY (profile, person)
);
CREATE INDEX lane_pending ON lane (profile, suspect, since) WHERE due_at = 0;
CREATE INDEX lane_due     ON lane (profile, suspect, due_at, since) WHERE due_at > 0;

CREATE TABLE effect (
  profile       TEXT COLLATE "C" NOT NULL,
  key           TEXT COLLATE "C" NOT NULL,
  change_key    TEXT COLLATE "C" NOT NULL,
  target        TEXT   NOT NULL,
  kind          TEXT   NOT NULL,
  state         TEXT   NOT NULL,
  desired       BYTEA  NOT NULL,
  pre_image     BYTEA,
  -- With `pre_image` what it takes to undo a write by hand.
  status_before TEXT,
  epoch         BIGINT NOT NULL,
  attempt       BIGINT NOT NULL,
  marker        TEXT   NOT NULL,
  remote_id     TEXT,
  reason        TEXT,
  first_sent_at BIGINT NOT NULL,
  last_sent_at  BIGINT NOT NULL,
  negatives     BIGINT NOT NULL,
  last_probe_at BIGINT,
  amended       TEXT   NOT NULL,
  PRIMARY KEY (profile, key)
);
CREATE INDEX effect_change     ON effect (profile, change_key, first_sent_at);
CREATE INDEX effect_attempting ON effect (profile) WHERE state = 'attempting';

CREATE TABLE link (
  profile TEXT COLLATE "C" NOT NULL,
  token   TEXT COLLATE "C" NOT NULL,
  body    BYTEA NOT NULL,
  PRIMARY KEY (profile, token)
);

CREATE TABLE register (
  profile            TEXT COLLATE "C" NOT NULL,
  lead               TEXT COLLATE "C" NOT NULL,
  status_set         TEXT,
  block_written      BOOLEAN NOT NULL,
  block_removed      BOOLEAN NOT NULL,
  block_comment      TEXT,
  block_comment_text BYTEA,
  PRIMARY KEY (profile, lead)
);

CREATE TABLE notice (
  profile  TEXT COLLATE "C" NOT NULL,
  cause    TEXT COLLATE "C" NOT NULL,
  text     TEXT   NOT NULL,
  hint     TEXT   NOT NULL,
  first_at BIGINT NOT NULL,
  last_at  BIGINT NOT NULL,
  told_at  BIGINT NOT NULL,
  count    BIGINT NOT NULL,
  PRIMARY KEY (profile, cause)
);
CREATE INDEX notice_last ON notice (last_at);

CREATE TABLE token (
  id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  name       TEXT   NOT NULL,
  scope      TEXT   NOT NULL,
  hash       TEXT COLLATE "C" NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
);

CREATE TABLE pause (
  profile TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  reason  TEXT   NOT NULL,
  since   BIGINT NOT NULL
);

CREATE TABLE remembered (
  profile  TEXT COLLATE "C" NOT NULL,
  key      TEXT COLLATE "C" NOT NULL,
  until_at BIGINT NOT NULL,
  PRIMARY KEY (profile, key)
);
