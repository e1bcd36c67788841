-- Tall tables. Nothing is overwritten: every row names the event that wrote it, and a correction is a new row;
-- the old one stays and gets the number of the event that superseded it. Current rows: superseded_by IS NULL.
-- No sequences, indexes or enforced keys (a later lake store has none): ingest checks keys itself.

CREATE TABLE meta (key TEXT, value TEXT);            -- cohort_version, study, phantom, blinded, margin ...

CREATE TABLE event (                                  -- append-only, hash-chained, one a transaction
    event BIGINT, happened_at TIMESTAMP, actor TEXT, action TEXT, reason TEXT,
    details TEXT,                                     -- JSON: what was asked, old values of what was superseded
    row_count BIGINT, digest TEXT,                    -- rows written by it, and their digest
    previous TEXT, hash TEXT);

CREATE TABLE refused (                                -- rows and files that were not taken, as they came
    event BIGINT, source TEXT, row_number BIGINT, reason TEXT, content TEXT);

CREATE TABLE subject (
    subject TEXT, arm TEXT, sex TEXT, birth_year INTEGER, centre TEXT,
    event BIGINT, superseded_by BIGINT);

CREATE TABLE visit (
    subject TEXT, visit TEXT, visit_order INTEGER, planned_day INTEGER,
    window_before INTEGER, window_after INTEGER,
    day INTEGER,                                      -- days from baseline, NULL where not known
    event BIGINT, superseded_by BIGINT);

CREATE TABLE image (
    image TEXT,                                       -- hash of the de-identified file, its name beside the cohort
    sop_uid TEXT, study_uid TEXT, series_uid TEXT,    -- keyed hashes of the originals
    pixel_hash TEXT,
    subject TEXT, visit TEXT, assigned_by TEXT,       -- NULL where unassigned; clinical_trial_tags | map | dates | person
    modality TEXT, body_part TEXT, view TEXT, laterality TEXT,
    classification TEXT,                              -- JSON: for each of the four, source and confidence 0..1
    film_date DATE,                                   -- shifted
    row_count INTEGER, column_count INTEGER, frame_count INTEGER,
    spacing_row_mm DOUBLE, spacing_column_mm DOUBLE,
    photometric TEXT, bits_stored INTEGER, window_centre DOUBLE, window_width DOUBLE,
    manufacturer TEXT, device TEXT,
    warnings TEXT,                                    -- JSON list: burnt-in text, missing tags, repaired values
    event BIGINT, superseded_by BIGINT);

CREATE TABLE reader (
    reader TEXT, kind TEXT, description TEXT, weights_hash TEXT,
    event BIGINT, superseded_by BIGINT);

CREATE TABLE campaign (
    campaign TEXT, system TEXT, read_mode TEXT, description TEXT,
    event BIGINT, superseded_by BIGINT);

CREATE TABLE run (                                    -- one scoring run of one model
    run TEXT, system TEXT, reader TEXT, campaign TEXT, weights_hash TEXT, software TEXT, settings TEXT,
    event BIGINT, superseded_by BIGINT);

CREATE TABLE site_score (
    subject TEXT, visit TEXT, image TEXT,             -- image NULL where a table did not name one
    system TEXT, site TEXT, feature TEXT,
    reader TEXT, campaign TEXT, read INTEGER,         -- read 1, 2 ...: re-reads
    grade INTEGER, reason TEXT,                       -- grade NULL with the reason
    run TEXT,
    event BIGINT, superseded_by BIGINT);

CREATE TABLE finding (                                -- what the model saw; an abstention is a row with no site
    finding TEXT, run TEXT, image TEXT, system TEXT, site TEXT, feature TEXT,
    grade INTEGER, grade_probabilities DOUBLE[], confidence DOUBLE,
    geometry TEXT,                                    -- JSON {"box": [x0, y0, x1, y1]} or {"polygon": [[x, y], ...]}, film pixels
    abstained TEXT,                                   -- reason, NULL where scored
    event BIGINT, superseded_by BIGINT);

CREATE TABLE covariate (
    subject TEXT, visit TEXT,                         -- visit NULL: a property of the subject
    name TEXT, number DOUBLE, text TEXT, unit TEXT,
    event BIGINT, superseded_by BIGINT);

-- Derived, brought up to date in the transaction of the write, for the touched keys only.
CREATE TABLE total (
    subject TEXT, visit TEXT, system TEXT, component TEXT,   -- component 'total' is the whole
    reader TEXT, campaign TEXT, read INTEGER, rule TEXT,
    total DOUBLE, scored_sites INTEGER, imputed_sites INTEGER, missing_reason TEXT);
