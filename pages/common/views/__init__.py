"""The question that is kept: what was chosen on a page, links to it, and views that are saved by name."""
