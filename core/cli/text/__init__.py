"""Plain text of results that are too long for the module of their command."""
