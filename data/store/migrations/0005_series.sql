-- Images with frames, and series: number in the series, and where and when each frame was taken. frame_count and
-- series_uid are there since the first version; what only the files' headers say stays NULL (unknown) in rows that
-- were written before. Positions and directions are in mm and cosines of patient coordinates, three numbers each.
ALTER TABLE image ADD COLUMN instance_number INTEGER;
ALTER TABLE image ADD COLUMN spacing_slice_mm DOUBLE;      -- between the centres of neighbouring frames
ALTER TABLE image ADD COLUMN orientation DOUBLE[];         -- direction of a row, direction of a column
ALTER TABLE image ADD COLUMN positions_mm DOUBLE[];        -- upper left pixel of each frame
ALTER TABLE image ADD COLUMN frame_times_ms DOUBLE[];      -- of each frame of a cine, from the first
