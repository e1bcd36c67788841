"""The rules of the house: who imports whom, where a system may be named, how large things are."""

import statistics
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.helpers import architecture
from tests.helpers.architecture import FLOORS, imports, name_of, sources
from tests.helpers.paths import ROOT

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
RULES: dict[str, Callable[[], set[str]]] = {
    "import circle": architecture.in_circles,
    "sibling import": architecture.sibling_imports,
    "framework import": architecture.framework_imports,
    "named system": architecture.named_systems,
    "crowded folder": architecture.crowded_folders,
    "long function": architecture.long_functions,
    "internal document": architecture.internal_documents,
}


def floor_of(name: str) -> str:
    for floor in ("core/cli", "pages/common"):
        if name.startswith(floor + "/"):
            return floor
    return "pages" if name == "app.py" else name.split("/")[0]


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_imports_stay_on_their_floor(path):
    floor = floor_of(name_of(path))
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


@pytest.mark.parametrize("rule", RULES)
def test_nothing_breaks_the_rule(rule):
    assert sorted(RULES[rule]()) == []


def test_nine_functions_in_ten_are_short():
    lines = list(architecture.function_lines().values())
    assert statistics.quantiles(lines, n=10)[-1] <= 23


def test_public_functions_classes_and_modules_are_documented():
    documented = architecture.public_things()
    missing = [name for name, has_docstring in documented.items() if not has_docstring]
    assert len(missing) <= 0.05 * len(documented), "\n".join(missing)
