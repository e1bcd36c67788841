"""Scoring: two lean processes against the plain per-image loop of the same network (design 6: 2x, same
findings).

The plain loop is what one would write first: read a film's DICOM file, run the model with torch's default
threads, next film. ``sharpline score`` reads the decoded preview and scores whole films in processes of one
thread each.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.store.cohort import CohortStore

PATIENTS, VISITS, ROUNDS = 4, 2, 4
PLAIN_LOOP = """
import sys, time, json
from pathlib import Path
from core.domain import Film
from data.store.cohort import CohortStore
from data.ingest.run import stored_film, load_image
from models.msasss.scorer import build
from models.msasss.labels import LabelledFilm
store = CohortStore(sys.argv[1])
images = store.query("SELECT image FROM main.image WHERE superseded_by IS NULL ORDER BY image")["image"]
scorer = build()
began = time.monotonic()
found = {}
for image in images:
    about = load_image(store, image)
    pixels = LabelledFilm(image, "", "", (1.0, 1.0), path=stored_film(store, image)).load()
    result = scorer.score_one(Film(image, pixels, about.spacing_mm, about.modality))
    found[image] = sorted((f.site, f.grade) for f in getattr(result, "findings", ()))
print(json.dumps({"seconds": time.monotonic() - began, "found": found}))
"""


def main() -> None:
    from data.store.cohort import CohortStore

    with tempfile.TemporaryDirectory() as folder:
        cohort = Path(folder) / "bench.duckdb"
        demo = ["--cohort", str(cohort), "demo", "--systems", "msasss", "--no-score", "--json"]
        demo += ["--out", f"{folder}/study"]
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
        fast, per_film, start = lean(CohortStore(cohort))
    films = len(slow["found"])
    plain_film = slow["seconds"] / films
    print(f"{films} films, plain loop {plain_film * 1000:.0f} ms a film (its start not counted)")
    print(
        f"two lean processes {per_film * 1000:.0f} ms a film: {plain_film / per_film:.1f}x; "
        f"start {start:.1f} s"
    )
    wanted = {image: [tuple(pair) for pair in pairs] for image, pairs in slow["found"].items()}
    print(f"findings equal: {fast == wanted}")


def lean(store: CohortStore) -> tuple[dict[str, list[tuple[str, int]]], float, float]:
    """Findings, seconds a film once both processes run, and seconds until the first film, over ``ROUNDS``
    rounds.
    """
    import pandas as pd

    from models.registry import model_of
    from models.scoring.single import stored_film
    from models.scoring.workers import score_in_processes

    films = store.query("SELECT image FROM main.image WHERE superseded_by IS NULL ORDER BY image")
    again = pd.concat([films] * ROUNDS, ignore_index=True)
    found, times = {}, [time.monotonic()]
    for image, result in score_in_processes(store, model_of("msasss"), "demo", "cpu", stored_film, again, 2):
        times.append(time.monotonic())
        found[image] = sorted((f.site, f.grade) for f in getattr(result, "findings", ()))
    begun = 4  # both processes have had their first films by then
    return found, (times[-1] - times[begun]) / (len(times) - 1 - begun), times[1] - times[0]
