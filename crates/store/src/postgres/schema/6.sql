-- What the assistant writes down: proposals, conversations, grants. Sealed, and written over by version only.
CREATE TABLE paper (
  profile TEXT    NOT NULL,
  kind    TEXT    NOT NULL,
  id      TEXT    NOT NULL,
  version BIGINT  NOT NULL,
  body    BYTEA   NOT NULL,
  until   BIGINT,
  PRIMARY KEY (profile, kind, id)
);
CREATE INDEX paper_until ON paper (until) WHERE until IS NOT NULL;

ALTER TABLE register ADD COLUMN worked_on BOOLEAN NOT NULL DEFAULT FALSE;
