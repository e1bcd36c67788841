"""Images of joints on the Patient page."""
