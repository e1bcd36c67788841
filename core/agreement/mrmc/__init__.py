"""Readers with and without the model over the same cases: multi-reader multi-case analysis."""
