"""What breaks a rule of the house today. An entry that no longer does fails the test: take it out."""

OFFENDERS: dict[str, set[str]] = {
    "import circle": set(),
    "sibling import": set(),
    "framework import": set(),
    "named system": set(),
    "crowded folder": set(),
    "long function": set(),
    "internal document": set(),
}
