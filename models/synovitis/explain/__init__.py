"""Where the ultrasound networks look: maps of grades and diagnoses, and tissues that the heat lies in."""
