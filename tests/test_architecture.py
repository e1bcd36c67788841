"""The floors of the house: who may import whom (docs/decisions/floors.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

FLOORS = ("core", "data", "models", "pages")
MAY_IMPORT = {
    "core": {"core"},
    "core/cli": {"core", "data", "models"},
    "data": {"core", "data"},
    "models": {"core", "data", "models"},
    "pages/common": {"core", "data", "models", "pages"},
    "pages": {"core", "pages"},
}
ONLY_IN = {
    "duckdb": "data",
    "torch": "models",
    "torchvision": "models",
    "ultralytics": "models",
    "streamlit": "pages",
}
SLOW = {"statsmodels", "sklearn", "torch", "torchvision", "ultralytics", "lifelines"}


def floor_of(path: Path) -> str:
    name = path.relative_to(ROOT).as_posix()
    for floor in ("core/cli", "pages/common"):
        if name.startswith(floor + "/"):
            return floor
    return "pages" if name == "app.py" else name.split("/")[0]


def sources() -> list[Path]:
    return [ROOT / "app.py"] + [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every imported module with its full name, and whether it is imported when the file is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) or is_type_checking(outer)
        for node in ast.walk(outer)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, id(node) not in inside))
    return found


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_stay_on_their_floor(path):
    floor = floor_of(path)
    for module, at_import in imports(path):
        top = module.split(".")[0]
        if top in FLOORS:
            assert top in MAY_IMPORT[floor], f"{floor} may not import {module}"
        if top in ONLY_IN:
            assert floor.split("/")[0] == ONLY_IN[top], f"only {ONLY_IN[top]}/ imports {top}"
        if top in SLOW and floor not in {"models"}:
            assert not at_import, f"{module} is slow: import it in the function that needs it"
    if floor != "core/cli":
        assert not any(module.startswith("core.cli") for module, _ in imports(path)), "the command is the top"


def test_command_imports_nothing_slow():
    code = "import sys, core.cli; print(sorted({m.split('.')[0] for m in sys.modules} & set(%r)))"
    heavy = sorted(SLOW | {"pandas", "numpy", "duckdb", "streamlit", "pydicom", "plotly"})
    out = subprocess.run(
        [sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert out.stdout.strip() == "[]"
