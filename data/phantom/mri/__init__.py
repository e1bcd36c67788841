"""Sagittal MRI of the spine, drawn from the same patients and bodies as the films of the spine."""
