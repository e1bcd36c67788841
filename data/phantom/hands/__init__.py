"""Phantom hands and feet: radiographs rendered from 3D bones in a known state, with boxes and grades."""
