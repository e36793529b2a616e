-- What is known of the leads on the match lists without asking ClickUp. People's data is in `body`.
CREATE TABLE indexed_lead (
  profile    TEXT   NOT NULL,
  lead       TEXT   NOT NULL,
  updated_at BIGINT NOT NULL,
  seen_at    BIGINT NOT NULL,
  -- By which it stands in `lead_token`, with blanks between.
  tokens     TEXT   NOT NULL,
  body       BLOB   NOT NULL,
  PRIMARY KEY (profile, lead)
);
CREATE INDEX indexed_lead_seen ON indexed_lead (profile, seen_at);

-- Which leads bear a token of a name. The HMAC is of profile and token.
CREATE TABLE lead_token (
  token      TEXT   NOT NULL,
  updated_at BIGINT NOT NULL,
  lead       TEXT   NOT NULL,
  PRIMARY KEY (token, updated_at, lead)
) WITHOUT ROWID;

CREATE TABLE indexing (
  profile    TEXT    NOT NULL PRIMARY KEY,
  began_at   BIGINT,
  next_page  INTEGER NOT NULL,
  filled_at  BIGINT,
  seen_until BIGINT
) WITHOUT ROWID;

-- What people are asked: who somebody is. At most one open question about a person.
CREATE TABLE question (
  id          TEXT   NOT NULL PRIMARY KEY,
  profile     TEXT   NOT NULL,
  person      TEXT   NOT NULL,
  state       TEXT   NOT NULL,
  closes_at   BIGINT NOT NULL,
  body        BLOB   NOT NULL,
  -- The answer, and whose it is.
  given       BLOB,
  answered_at BIGINT,
  -- Why it was closed unanswered; an answer may come later.
  closed      TEXT,
  closed_at   BIGINT,
  -- Its message in Slack, and the state that this one shows.
  channel     TEXT,
  message_ts  TEXT,
  shown_state TEXT
);
CREATE UNIQUE INDEX question_open ON question (profile, person) WHERE state = 'open';
CREATE INDEX question_person  ON question (profile, person, id);
CREATE INDEX question_state   ON question (state, id);
CREATE INDEX question_due     ON question (profile, closes_at, id) WHERE state = 'open';
CREATE INDEX question_unshown ON question (profile, id)
  WHERE shown_state IS NOT state AND (state = 'open' OR shown_state IS NOT NULL);

-- The changes that a question holds, or held once.
CREATE TABLE held (
  question  TEXT NOT NULL,
  change_id TEXT NOT NULL,
  PRIMARY KEY (question, change_id)
) WITHOUT ROWID;
CREATE INDEX held_change ON held (change_id);

-- Addresses that were learnt from answers. `email` is an HMAC.
CREATE TABLE alias (
  profile TEXT   NOT NULL,
  email   TEXT   NOT NULL,
  lead    TEXT   NOT NULL,
  at      BIGINT NOT NULL,
  body    BLOB   NOT NULL,
  PRIMARY KEY (profile, email)
) WITHOUT ROWID;
CREATE INDEX alias_at ON alias (profile, at);
