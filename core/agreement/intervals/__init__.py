"""Intervals that hold on change scores: many zeros, a long right tail, patients without disagreement.

The textbook forms (F, Satterthwaite, chi-square) stand beside the statistics they belong to. How often either
holds was counted by ``python -m tests.bench.simulate_coverage``; the table is in docs/statistics-coverage.md.
"""
