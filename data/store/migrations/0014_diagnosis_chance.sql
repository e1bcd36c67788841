-- What a model guesses of the disease behind an image: no score, and kept apart from scores.
CREATE TABLE diagnosis_chance (
    run TEXT, image TEXT,
    task TEXT,                                        -- which two groups of diseases were asked about
    probability DOUBLE,                               -- of the group that the task names first
    event BIGINT, superseded_by BIGINT);
