-- What the assistant writes down: proposals, conversations, grants. Sealed, and written over by version only.
CREATE TABLE paper (
  profile TEXT    NOT NULL,
  kind    TEXT    NOT NULL,
  id      TEXT    NOT NULL,
  version INTEGER NOT NULL,
  body    BLOB    NOT NULL,
  until   BIGINT,
  PRIMARY KEY (profile, kind, id)
);
CREATE INDEX paper_until ON paper (until) WHERE until IS NOT NULL;

ALTER TABLE register ADD COLUMN worked_on INTEGER NOT NULL DEFAULT 0;
