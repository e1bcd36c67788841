"""How probable it is that a patient truly worsened."""
