"""Bone marrow oedema on STIR: from masks to decisions about a slice and about a segment of the spine."""
