"""How well a score or a scorer shows change: standardised response means."""
