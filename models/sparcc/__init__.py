"""SPARCC of the spine: bodies and discs, oedema, and the score by rule."""
