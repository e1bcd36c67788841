"""Generalisability: what scores vary by, and how many readers a study needs (G study and D study)."""
