"""Scoring: two lean processes against the plain per-image loop of the same network (design 6: 2x, same
findings).

The plain loop is what one would write first: read a film's DICOM file, run the model with torch's default
threads, next film. ``sharpline score`` reads the decoded preview and scores whole films in processes of one
thread each.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENTS, VISITS = 4, 2
PLAIN_LOOP = """
import sys, time, json
from pathlib import Path
from core.domain import Film
from data.store import CohortStore
from data.ingest import stored_film, load_film
from models.msasss.infer import build
from models.msasss.labels import LabelledFilm
store = CohortStore(sys.argv[1])
images = store.query("SELECT image FROM main.image WHERE superseded_by IS NULL ORDER BY image")["image"]
scorer = build()
began = time.monotonic()
found = {}
for image in images:
    about = load_film(store, image)
    pixels = LabelledFilm(image, "", "", (1.0, 1.0), path=stored_film(store, image)).load()
    result = scorer.score_one(Film(image, pixels, about.spacing_mm, about.modality))
    found[image] = sorted((f.site, f.grade) for f in getattr(result, "findings", ()))
print(json.dumps({"seconds": time.monotonic() - began, "found": found}))
"""


def main() -> None:
    import json

    from data.store import CohortStore
    from models.score import score_cohort

    with tempfile.TemporaryDirectory() as folder:
        cohort = Path(folder) / "bench.duckdb"
        demo = ["--cohort", str(cohort), "demo", "--no-score", "--out", f"{folder}/study", "--json"]
        program = [sys.executable, "-c", "from core.cli import main; main()", *demo]
        subprocess.run(
            [*program, "--patients", str(PATIENTS), "--visits", str(VISITS)],
            check=True,
            capture_output=True,
        )
        plain = subprocess.run(
            [sys.executable, "-c", PLAIN_LOOP, str(cohort)], check=True, capture_output=True, text=True
        )
        slow = json.loads(plain.stdout.splitlines()[-1])
        store = CohortStore(cohort)
        first: list[float] = []
        began = time.monotonic()
        report = score_cohort(
            store, "msasss", processes=2, tell=lambda step: first.append(time.monotonic() - began)
        )
        whole = time.monotonic() - began
        rows = store.query("SELECT image, site, grade FROM main.finding WHERE grade IS NOT NULL")
        fast = {
            image: sorted(zip(part["site"], part["grade"].astype(int), strict=True))
            for image, part in rows.groupby("image")
        }
        wanted = {image: [tuple(pair) for pair in pairs] for image, pairs in slow["found"].items() if pairs}
        running = whole - first[0] if len(first) > 1 else whole
        per_film = running / max(report.images - first.count(first[0]), 1)
        print(f"{report.images} films, plain loop {slow['seconds'] / report.images * 1000:.0f} ms a film")
        print(
            f"two processes {whole / report.images * 1000:.0f} ms a film with their start, "
            f"{per_film * 1000:.0f} ms once they run: {slow['seconds'] / report.images / per_film:.1f}x"
        )
        print(f"findings equal: {fast == wanted}")
