-- What ClickUp may show twice: creates and comments whose answer was lost once. Looked after for a day.
CREATE TABLE doubt (
  profile    TEXT   NOT NULL,
  effect_key TEXT   NOT NULL,
  change_key TEXT   NOT NULL,
  until_at   BIGINT NOT NULL,
  due_at     BIGINT NOT NULL,
  PRIMARY KEY (profile, effect_key)
) WITHOUT ROWID;

-- A lead that was there twice: what still names the one that was deleted means the other.
CREATE TABLE merged (
  profile TEXT NOT NULL,
  lead    TEXT NOT NULL,
  into_lead TEXT NOT NULL,
  PRIMARY KEY (profile, lead)
) WITHOUT ROWID;
