"""Patients per arm for a trial of change: t test, ANCOVA, MMRM, rank test and responders."""
