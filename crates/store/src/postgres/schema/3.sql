-- What was sent lately, for whoever takes over from somebody who may still be alive. Building it over a large journal
-- takes longer than a verb may.
SET LOCAL statement_timeout = 0;
CREATE INDEX effect_sent ON effect (profile, last_sent_at);
