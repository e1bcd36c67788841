"""Named queries of the pages: one function, one statement, as a viewer may see it.

Each takes ``(store, viewer, chosen)`` and returns a frame whose ``attrs["sql"]`` is the statement that made
it, for the "How was this made" note of the page.
"""
