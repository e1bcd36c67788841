"""A package that seems to be installed: its modules and entry points on the path, and nothing more."""

from __future__ import annotations

from pathlib import Path


def make_package(folder: Path, name: str, module: str, entries: dict[str, str]) -> None:
    """Writes ``name.py`` and its entry points (group -> object in it) below a folder that is on the path."""
    (folder / f"{name}.py").write_text(module, encoding="utf-8")
    about = folder / f"{name}-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n", encoding="utf-8")
    lines = "".join(f"[{group}]\n{name} = {name}:{what}\n" for group, what in entries.items())
    (about / "entry_points.txt").write_text(lines, encoding="utf-8")
