"""Damaged input of every kind against the program: ``python -m tests.fuzz --minutes N``."""
