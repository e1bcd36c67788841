"""Vertebral bodies and discs of a sagittal stack, and their levels."""
