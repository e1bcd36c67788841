"""What other installed packages add to Sharpline: objects under an entry-point group of ours."""

from __future__ import annotations

from typing import TypeVar

from core.errors import InputError

T = TypeVar("T")


def installed(group: str, kind: type[T]) -> list[tuple[str, T]]:
    """Objects that packages give under this group, each with what names it in messages, sorted by name.

    An entry is ``name = "module:OBJECT"``. Raises InputError where one cannot be imported or is not a
    ``kind``.
    """
    from importlib.metadata import entry_points

    found = []
    for entry in sorted(entry_points(group=group), key=lambda one: (one.name, one.value)):
        package = f"the package {entry.dist.name}" if entry.dist else f"the entry point {entry.name}"
        try:
            value = entry.load()
        except (ImportError, AttributeError) as error:
            raise InputError(
                f"{entry.value} of {package}", f"it cannot be imported ({error})", "update or uninstall it"
            ) from error
        if not isinstance(value, kind):
            raise InputError(
                f"{entry.value} of {package}", f"a {kind.__name__} is needed", "update or uninstall it"
            )
        found.append((package, value))
    return found
