"""Phantom ultrasound of finger joints and wrists: body, machine, patients, readers, files."""
