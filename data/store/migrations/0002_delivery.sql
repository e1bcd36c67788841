-- What the delivered file said about an image, in study terms and keyed hashes: enough to recognise the file when
-- it comes again, and to assign images anew when subjects, visits or a map arrive after them. Analysts only.
CREATE TABLE delivery (
    image TEXT,
    fingerprint TEXT,                                 -- keyed hash of the delivered file
    patient TEXT,                                     -- keyed hash of the patient number (P-...)
    dates_of TEXT,                                    -- dates of images with the same value moved by the same shift
    trial_subject TEXT, trial_visit TEXT, trial_visit_name TEXT,   -- Clinical Trial tags
    map_subject TEXT, map_visit TEXT,                 -- from a map file
    event BIGINT, superseded_by BIGINT);
