-- The CRM's webhooks by which it tells of changed leads. `body` holds their secret.
CREATE TABLE hook (
  profile TEXT NOT NULL,
  id      TEXT NOT NULL,
  body    BLOB NOT NULL,
  PRIMARY KEY (profile, id)
) WITHOUT ROWID;
