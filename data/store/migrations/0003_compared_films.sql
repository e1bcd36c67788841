-- Findings of films that were read together (read mode paired): JSON {other film: probability that the grade of this
-- site differs there}. NULL where a film was read alone.
ALTER TABLE finding ADD COLUMN compared TEXT;
