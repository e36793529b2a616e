-- What is known of the leads on the match lists without asking ClickUp. People's data is in `body`.
CREATE TABLE indexed_lead (
  profile    TEXT COLLATE "C" NOT NULL,
  lead       TEXT COLLATE "C" NOT NULL,
  updated_at BIGINT NOT NULL,
  seen_at    BIGINT NOT NULL,
  -- By which it stands in `lead_token`, with blanks between.
  tokens     TEXT   NOT NULL,
  body       BYTEA  NOT NULL,
  PRIMARY KEY (profile, lead)
);
CREATE INDEX indexed_lead_seen ON indexed_lead (profile, seen_at);

-- Which leads bear a token of a name. The HMAC is of profile and token.
CREATE TABLE lead_token (
  token      TEXT COLLATE "C" NOT NULL,
  updated_at BIGINT NOT NULL,
  lead       TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (token, updated_at, lead)
);

-- How far a profile's index is. Whoever changes the index locks the row first.
CREATE TABLE indexing (
  profile    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  began_at   BIGINT,
  next_page  BIGINT NOT NULL,
  filled_at  BIGINT,
  seen_until BIGINT
);

-- What people are asked: who somebody is. At most one open question about a person.
CREATE TABLE question (
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  profile     TEXT COLLATE "C" NOT NULL,
  person      TEXT COLLATE "C" NOT NULL,
  state       TEXT COLLATE "C" NOT NULL,
  closes_at   BIGINT NOT NULL,
  body        BYTEA  NOT NULL,
  -- The answer, and whose it is.
  given       BYTEA,
  answered_at BIGINT,
  -- Why it was closed unanswered; an answer may come later.
  closed      TEXT,
  closed_at   BIGINT,
  -- Its message in Slack, and the state that this one shows.
  channel     TEXT,
  message_ts  TEXT,
  shown_state TEXT COLLATE "C"
);
CREATE UNIQUE INDEX question_open ON question (profile, person) WHERE state = 'open';
CREATE INDEX question_person  ON question (profile, person, id);
CREATE INDEX question_state   ON question (state, id);
CREATE INDEX question_due     ON question (profile, closes_at, id) WHERE state = 'open';
CREATE INDEX question_unshown ON question (profile, id)
  WHERE shown_state IS DISTINCT FROM state AND (state = 'open' OR shown_state IS NOT NULL);

-- The changes that a question holds, or held once.
CREATE TABLE held (
  question  TEXT COLLATE "C" NOT NULL,
  change_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (question, change_id)
);
CREATE INDEX held_change ON held (change_id);

-- Addresses that were learnt from answers. `email` is an HMAC.
CREATE TABLE alias (
  profile TEXT COLLATE "C" NOT NULL,
  email   TEXT COLLATE "C" NOT NULL,
  lead    TEXT   NOT NULL,
  at      BIGINT NOT NULL,
  body    BYTEA  NOT NULL,
  PRIMARY KEY (profile, email)
);
CREATE INDEX alias_at ON alias (profile, at);
