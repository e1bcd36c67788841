-- What slices of MRI and CT were taken with, worked out before the words of their headers were taken out. NULL for films,
-- where it is not known, and in rows that were written before.
ALTER TABLE image ADD COLUMN sequence TEXT;                -- STIR, T1 ... (core.imaging.sequences)
ALTER TABLE image ADD COLUMN region TEXT;                  -- cervical | thoracic | lumbar | whole spine
ALTER TABLE image ADD COLUMN slice_thickness_mm DOUBLE;
ALTER TABLE image ADD COLUMN acquisition TEXT;             -- JSON: what sorts slices of a series into stacks
