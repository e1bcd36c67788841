-- Sites that a film should show and that a run could not grade, each with why.
CREATE TABLE unscorable (
    run TEXT, image TEXT, site TEXT,
    reason TEXT,
    event BIGINT, superseded_by BIGINT);
