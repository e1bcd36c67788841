-- Why a film is held back: text in its pixels may name the patient. It is stored, but no view shows it, no model
-- scores it and no export has it until a person releases it (a new row without the reason). NULL: not held.
ALTER TABLE image ADD COLUMN held TEXT;
