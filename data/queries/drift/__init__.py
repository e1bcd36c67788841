"""Images that a model read, with its agreement with readers, its output and what they were taken with."""
