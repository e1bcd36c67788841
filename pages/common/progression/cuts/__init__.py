"""Published cuts on the Progression page."""
