-- Whose meetings are shown on the lead: keys of people, separated by blanks.
ALTER TABLE register ADD COLUMN people TEXT NOT NULL DEFAULT '';
