"""SPARCC by rule, from masks of bodies and of oedema: every point keeps the pixels and the limit that made
it.
"""
