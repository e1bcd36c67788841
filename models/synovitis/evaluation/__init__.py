"""How the ultrasound networks are measured: grades (``synovitis``) and diagnoses."""
