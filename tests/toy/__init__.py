"""A scoring system of a few lines, as another package would bring it: it proves that a fifth system needs one
file of scores and one folder of a model, and no other file of the product.
"""
