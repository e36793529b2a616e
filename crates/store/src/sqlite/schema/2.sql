-- With `pre_image` what it takes to undo a write by hand.
ALTER TABLE effect ADD COLUMN status_before TEXT;
