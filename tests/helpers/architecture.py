"""What the files of the product say about the house: imports, names, sizes, docstrings. Read, never run."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

from core.scores import systems
from tests.helpers.paths import ROOT

FLOORS = ("core", "data", "models", "pages")
REGISTRIES = ("core/scores/__init__.py", "models/registry.py")  # the two lists that name every system
INTERNAL = re.compile(r"\b(?:domain|contract)\.md\b")
MAX_FILES = 22  # of a folder
MAX_LINES = 70  # of a function
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def sources() -> tuple[Path, ...]:
    """Every Python file of the product."""
    return (ROOT / "app.py", *(path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))))


def name_of(path: Path) -> str:
    """The path from the project's folder, with slashes."""
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


# -- imports -----------------------------------------------------------------------------------


@cache
def modules() -> dict[str, Path]:
    """Dotted name and file of every module of the product."""
    names = (name_of(path).removesuffix(".py").removesuffix("/__init__") for path in sources())
    return dict(zip((name.replace("/", ".") for name in names), sources(), strict=True))


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every imported module with its full name, and whether it is imported when the file is."""
    tree = tree_of(path)
    inside = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, Function) or _is_type_checking(outer)
        for node in ast.walk(outer)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, id(node) not in inside))
    return found


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@cache
def needs(path: Path) -> frozenset[str]:
    """Modules of the product that a file imports, anywhere in it; of ``from a import b`` b, if it is one."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            inner = members & set(modules())
            found |= inner if inner == members else inner | {node.module}
    return frozenset(found & set(modules()))


def in_circles() -> set[str]:
    """Modules that import themselves by way of others, at whatever moment."""
    reach: dict[str, set[str]] = {name: set(needs(path)) - {name} for name, path in modules().items()}
    while True:
        wider = {name: there.union(*(reach[other] for other in there)) for name, there in reach.items()}
        if wider == reach:
            return {name for name, there in reach.items() if name in there}
        reach = wider


# -- systems -----------------------------------------------------------------------------------


def spellings() -> dict[str, tuple[str, ...]]:
    """Every name that a score system goes by, in small letters."""
    return {name: (name, *system.aliases) for name, system in systems().items()}


def model_of(place: str) -> str | None:
    """The system in whose model a file (``models/x/...``) or module (``models.x...``) is, else None."""
    parts = re.split(r"[./]", place)
    return parts[1] if parts[0] == "models" and len(parts) > 1 and parts[1] in systems() else None


def _imports_of_models() -> list[tuple[str, str | None, str, str | None]]:
    edges = [(name_of(path), other) for path in sources() for other in sorted(needs(path))]
    return [(here, model_of(here), other, model_of(other)) for here, other in edges]


def sibling_imports() -> set[str]:
    """A system's model that imports another system's."""
    return {
        f"{here}: {other}"
        for here, mine, other, its in _imports_of_models()
        if mine and its not in (None, mine)
    }


def framework_imports() -> set[str]:
    """Files outside the systems' folders that import a system's model."""
    return {f"{here}: {other}" for here, mine, other, its in _imports_of_models() if its and not mine}


def named_systems() -> set[str]:
    """Files that name a system, in code, strings or docstrings, outside the places that are the system's own.

    Its own places: ``core/scores/<x>.py``, ``models/<x>/``, and a folder of ``data/phantom`` that names no
    second system. The registries name them all.
    """
    found = {}
    for path in sources():
        text = text_of(path).casefold()
        names = {system for system, words in spellings().items() if any(word in text for word in words)}
        found[name_of(path)] = names
    in_folder: defaultdict[str, set[str]] = defaultdict(set)
    for place, names in found.items():
        in_folder[place.rsplit("/", 1)[0]] |= names
    offending = set()
    for place, names in found.items():
        folder = place.rsplit("/", 1)[0]
        own = {name for name in names if place == f"core/scores/{name}.py" or model_of(place) == name}
        if folder.startswith("data/phantom/") and len(in_folder[folder]) == 1:
            own = names
        if place not in REGISTRIES:
            offending |= {f"{place}: {name}" for name in names - own}
    return offending


# -- sizes -------------------------------------------------------------------------------------


def crowded_folders() -> set[str]:
    """Folders of more than 22 Python files."""
    count = Counter(name_of(path.parent) for path in sources())
    return {folder for folder, files in count.items() if files > MAX_FILES}


def _code_lines(path: Path) -> set[int]:
    """Numbers of the lines with code on them: no blank line, comment or docstring."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text_of(path)).readline):
        if token.type not in skipped:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree_of(path)):
        if isinstance(node, Function | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return lines


@cache
def function_lines() -> dict[str, int]:
    """Lines of code of every function and method, its docstring left out: ``core/errors.py: Class.name``."""
    sizes: dict[str, int] = {}

    def measure(node: ast.AST, prefix: str, code: set[int]) -> None:
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, Function):
                size = len(code & set(range(child.lineno, (child.end_lineno or 0) + 1)))
                sizes[f"{prefix}{child.name}"] = max(size, sizes.get(f"{prefix}{child.name}", 0))
            if isinstance(child, Function | ast.ClassDef):
                inner = f"{prefix}{child.name}."
            measure(child, inner, code)

    for path in sources():
        measure(tree_of(path), f"{name_of(path)}: ", _code_lines(path))
    return sizes


def long_functions() -> set[str]:
    """Functions of more than 70 lines."""
    return {name for name, lines in function_lines().items() if lines > MAX_LINES}


# -- docstrings --------------------------------------------------------------------------------


def public_things() -> dict[str, bool]:
    """Public modules, classes and functions (no methods), and whether each has a docstring."""
    documented: dict[str, bool] = {}
    for path in sources():
        if not tree_of(path).body:
            continue
        documented[name_of(path)] = ast.get_docstring(tree_of(path)) is not None
        for node in tree_of(path).body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                documented[f"{name_of(path)}: {node.name}"] = ast.get_docstring(node) is not None
    return documented


def internal_documents() -> set[str]:
    """Product files that point to a document that no reader of the project has."""
    return {name_of(path) for path in sources() if INTERNAL.search(text_of(path))}
