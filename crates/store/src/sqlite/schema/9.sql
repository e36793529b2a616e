-- Whose meetings are shown on the lead: keys of people, separated by blanks.
ALTER TABLE register ADD COLUMN people TEXT NOT NULL DEFAULT '';
UPDATE register SET people = known.people
FROM (
  SELECT profile, lead, replace(group_concat(DISTINCT person), ',', ' ') AS people
  FROM change WHERE lead IS NOT NULL GROUP BY profile, lead) AS known
WHERE register.profile = known.profile AND register.lead = known.lead;
