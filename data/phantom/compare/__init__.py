"""Phantoms held against real films by numbers: what a picture of each is like, and whether they are told
apart.
"""
