-- What the preview of an image was written with: SHA-256 of its file. NULL in rows that were written before.
ALTER TABLE image ADD COLUMN preview_hash TEXT;
