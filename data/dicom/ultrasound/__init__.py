"""Ultrasound in DICOM: where the scan lies on the screen, and which joint it shows in which mode."""
