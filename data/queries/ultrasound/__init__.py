"""Queries about ultrasound."""
