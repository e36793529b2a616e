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
