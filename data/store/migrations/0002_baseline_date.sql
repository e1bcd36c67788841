-- For films that only a date assigns to a visit: the subject's baseline date, moved to the past by as many days
-- as the films of that subject are (data.cohort_key, days_back of the subject's code).
ALTER TABLE subject ADD COLUMN baseline_date DATE;
