-- By what a map file finds a film that is there: JSON list of keyed hashes of the ends of the delivered file's name.
-- NULL in rows that were written before. The name itself is kept nowhere.
ALTER TABLE delivery ADD COLUMN file_marks TEXT;
