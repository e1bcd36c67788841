"""``python -m tests.bench [NAME ...]``: run every ``bench_*.py`` of this folder, or those named.

A bench module has ``main() -> None`` and prints its own lines; it measures, it never asserts a time.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def names() -> list[str]:
    """The benches there are: ``bench_agreement.py`` is ``agreement``."""
    return sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def run(chosen: list[str]) -> int:
    """Run the benches; status 2 for a name that is not there."""
    unknown = [name for name in chosen if name not in names()]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    for name in chosen or names():
        print(f"== {name}", flush=True)
        import_module(f"tests.bench.bench_{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
