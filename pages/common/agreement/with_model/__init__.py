"""Readers with and without the model over the same patients."""
