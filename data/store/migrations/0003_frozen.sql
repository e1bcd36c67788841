-- Confirmatory results that somebody froze: what was asked of which version, and what came out.
CREATE TABLE frozen (
    frozen TEXT,                                      -- its name
    system TEXT,
    cohort_version BIGINT,                            -- the rows as of this event
    arms_shown BOOLEAN,                               -- whether arms were visible then
    settings TEXT,                                    -- JSON: filter, visits, scorer, rules
    results TEXT,                                     -- JSON: the numbers
    digest TEXT,                                      -- of the numbers, to ten digits
    event BIGINT, superseded_by BIGINT);
