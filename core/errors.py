"""Errors that a person can act on: what was given, what is needed, what to do."""


class CohortError(Exception):
    """A problem that a person can fix.

    given: what was given, naming the file, row, subject or option.
    needed: what is needed instead.
    todo: what to do now.
    Shown as one line, ``WHAT was given; WHAT is needed; WHAT to do``.
    """

    def __init__(self, given: str, needed: str, todo: str) -> None:
        super().__init__(f"{given}; {needed}; {todo}")
        self.given, self.needed, self.todo = given, needed, todo


class InputError(CohortError):
    """A file, table or option that cannot be used as it is."""


class StoreError(CohortError):
    """The cohort store cannot do what was asked of it."""


class NotAllowed(CohortError):
    """The viewer may not see or do this (blinded study, other reader)."""


class ModelError(CohortError):
    """Weights are missing, damaged or do not fit the network."""
