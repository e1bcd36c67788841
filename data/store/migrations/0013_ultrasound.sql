-- What a picture of ultrasound shows, worked out before the words of its header were taken out; how it was found, and how
-- sure that is, stands in classification. NULL for other images, where it is not known, and in rows written before.
ALTER TABLE image ADD COLUMN joint TEXT;                   -- MCP2, WR ... (core.imaging.ultrasound.terms)
ALTER TABLE image ADD COLUMN mode TEXT;                    -- B (grey scale) | PD (power Doppler)
ALTER TABLE image ADD COLUMN areas TEXT;                   -- JSON: regions of the screen, with box, mm a pixel and kind
