-- The CRM's webhooks by which it tells of changed leads. `body` holds their secret.
CREATE TABLE hook (
  profile TEXT COLLATE "C" NOT NULL,
  id      TEXT COLLATE "C" NOT NULL,
  body    BYTEA NOT NULL,
  PRIMARY KEY (profile, id)
);
