-- What a model drew on the slices that it read: bodies, discs and oedema, as outlines of few points.
CREATE TABLE outline (
    run TEXT, image TEXT, frame INTEGER,              -- frame: within that image, 0 for a file of one slice
    structure TEXT,                                   -- body | disc | oedema
    name TEXT,                                        -- level or unit, '' where it has none
    part INTEGER,                                     -- 1, 2 ...: pieces of one structure on a slice
    polygon TEXT,                                     -- JSON [[x, y], ...], pixels of the slice
    event BIGINT, superseded_by BIGINT);
