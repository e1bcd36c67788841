"""The toy's model: one folder, as models/<system>/ would be."""
