-- Profiles beside the environment's own, which is called `default`. Each secret is sealed by itself.
CREATE TABLE profiles (
  name                  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  version               BIGINT NOT NULL,
  -- Whose account at Cal.com it is.
  calcom_username       TEXT,
  -- By their names, as JSON.
  settings              TEXT NOT NULL,
  anthropic_api_key     BYTEA,
  calcom_api_key        BYTEA,
  calcom_client_secret  BYTEA,
  calcom_webhook_secret BYTEA,
  clickup_api_token     BYTEA,
  slack_app_token       BYTEA,
  slack_bot_token       BYTEA,
  slack_signing_secret  BYTEA
);

ALTER TABLE token ADD COLUMN profile TEXT NOT NULL DEFAULT 'default';

-- Another of this name is built outside this transaction, so that no delivery has to wait for it.
DROP INDEX delivery_status;
