-- The effects of a change beside one another: an effect is looked for together with those of its change, and one tree
-- instead of two is kept for that.
CREATE TABLE new_effect (
  profile       TEXT    NOT NULL,
  key           TEXT    NOT NULL,
  change_key    TEXT    NOT NULL,
  target        TEXT    NOT NULL,
  kind          TEXT    NOT NULL,
  state         TEXT    NOT NULL,
  desired       BLOB    NOT NULL,
  pre_image     BLOB,
  status_before TEXT,
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
  PRIMARY KEY (profile, change_key, key)
);
INSERT INTO new_effect
  SELECT profile, key, change_key, target, kind, state, desired, pre_image, status_before, epoch, attempt, marker,
         remote_id, reason, first_sent_at, last_sent_at, negatives, last_probe_at, amended
  FROM effect ORDER BY rowid;
DROP TABLE effect;
ALTER TABLE new_effect RENAME TO effect;
CREATE INDEX effect_attempting ON effect (state) WHERE state = 'attempting';

-- A first booking is found by its uid.
UPDATE change SET first_uid = NULL WHERE first_uid = uid;

-- What a link says comes one after another; in the tree by token, whose places are random, stand but the tokens.
CREATE TABLE new_link (
  profile TEXT NOT NULL,
  token   TEXT NOT NULL,
  body    BLOB NOT NULL,
  PRIMARY KEY (profile, token)
);
INSERT INTO new_link SELECT profile, token, body FROM link;
DROP TABLE link;
ALTER TABLE new_link RENAME TO link;
