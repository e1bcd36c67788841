-- Which slices a run read as one stack, and with which others: a visit whose slices are others now is read anew.
CREATE TABLE stack_slice (
    run TEXT, image TEXT,
    stack TEXT,                                       -- its name (data.queries.stacks)
    read_as TEXT,                                     -- digest of all stacks that were read together, slice by slice
    event BIGINT, superseded_by BIGINT);
