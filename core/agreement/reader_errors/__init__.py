"""How large the errors of people are who grade the same sites, in grades, from their grades alone."""
