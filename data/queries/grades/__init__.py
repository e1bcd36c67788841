"""Grades of several readers at the same sites."""
