"""Where things lie: the project, the shared material beside it, reference tables, documents."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
REAL = SHARED / "real"
REFERENCE = ROOT / "tests" / "reference"
DOCS = ROOT / "docs"
