-- Profiles beside the environment's own, which is called `default`. Each secret is sealed by itself.
CREATE TABLE profiles (
  name                  TEXT NOT NULL PRIMARY KEY,
  version               BIGINT NOT NULL,
  -- Whose account at Cal.com it is.
  calcom_username       TEXT,
  -- By their names, as JSON.
  settings              TEXT NOT NULL,
  anthropic_api_key     BLOB,
  calcom_api_key        BLOB,
  calcom_client_secret  BLOB,
  calcom_webhook_secret BLOB,
  clickup_api_token     BLOB,
  slack_app_token       BLOB,
  slack_bot_token       BLOB,
  slack_signing_secret  BLOB
) WITHOUT ROWID;

ALTER TABLE token ADD COLUMN profile TEXT NOT NULL DEFAULT 'default';

-- The deliveries of a profile that were handed out to be read last, as a list in JSON.
CREATE TABLE new_reading (
  profile TEXT NOT NULL PRIMARY KEY,
  ids     TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO new_reading (profile, ids) SELECT 'default', ids FROM reading;
DROP TABLE reading;
ALTER TABLE new_reading RENAME TO reading;

DROP INDEX lane_due;
CREATE INDEX lane_due ON lane (profile, suspect, due_at, since) WHERE due_at IS NOT NULL;

DROP INDEX delivery_status;
CREATE INDEX delivery_status ON delivery (profile, status, id) WHERE is_read = 1;
