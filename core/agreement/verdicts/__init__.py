"""Verdicts against a margin set in advance, each with its power, and drift of a reader over rounds."""
