"""What the evaluation of the mSASSS model has of its own: its test patients, its labelled folders, and how
well corners are found and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.domain import Abstained, Finding, Scored
from models.evaluation.intervals import mean_by_patient, proportion
from models.evaluation.markdown import Block, Table, shown
from models.evaluation.run import Evaluation, Outcome, Tell
from models.evaluation.test_set import TestImage, TestSet, is_real, phantom_folder
from models.msasss.labels import Corner, LabelledFilm, read_folder, stated_spacing
from models.msasss.scorer import TYPICAL_SPACING
from models.msasss.sites import SITES

TEST_SEED = 31
NEAR_MM = 3.0
DRAWS = 1000


def test_image(film: LabelledFilm) -> TestImage:
    """A labelled film as a test image; one without corners is to be refused."""
    return TestImage(
        film,
        film.name,
        film.patient,
        film.visit,
        film.kind,
        not film.corners,
        frozenset(corner.site for corner in film.corners),
        frozenset(corner.site for corner in film.corners if not corner.visible),
    )


test_image.__test__ = False  # type: ignore[attr-defined]


def render(
    domain: str,
    patients: int,
    *,
    processes: int = 2,
    tell: Tell = print,
    seed: int = TEST_SEED,
    folder: Path | None = None,
) -> TestSet:
    """Test patients rendered: two views at baseline and at week 104 of each, and one film to be refused.

    Simulated readers read the same films. folder: where films are kept, and found again; in the temporary
    folder unless given.
    """
    from data.phantom.schedule import POOR
    from data.phantom.seeds import StudyRole
    from models.msasss.phantom import PLAIN, Patients, write_coco

    who = Patients(
        StudyRole.TEST,
        1,
        patients,
        seed,
        PLAIN,
        visits=(0, 2),
        wrong=0.0,
        extra_wrong=True,
        poor=POOR,
        domain=domain,
    )
    folder = folder or phantom_folder("msasss", domain, seed)
    tell(f"films of {patients} test patients at two visits, {domain} domain")
    write_coco(who, folder, processes=processes)
    subjects = {who.study.subject(number) for number in who.numbers}
    images = [test_image(film) for film in read_folder(folder) if film.patient in subjects]
    truth, reads = read_by_simulated_readers(who)
    return TestSet(f"{domain} domain", images, truth, reads, domain, real=False)


def read_by_simulated_readers(who: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Truth of all sites of these patients and the grades of the simulated readers (paired, order
    blinded).
    """
    from data.phantom.spine.course import visit_codes
    from data.phantom.spine.films import film_conditions
    from data.phantom.spine.placement import visibility
    from data.phantom.spine.population import SITES as ORDER
    from data.phantom.spine.readers import READERS, read_films, reads_frame

    codes = visit_codes(max(who.visits) + 1)
    truths, reads = [], []
    for number in who.numbers:
        course = who.course(number)
        subject = who.study.subject(number)
        seen = np.full(course.severity.shape, np.nan)
        for order in who.visits:
            for view in SITES:
                body, conditions = film_conditions(
                    who.study.film_seed(), subject, codes[order], view, who.domain, poor=who.poor
                )
                for site, value in visibility(conditions, body).items():
                    if site in ORDER:
                        seen[0, order, ORDER.index(site)] = value
        filmed = [codes[order] for order in who.visits]
        truths.append(course.truth[course.truth["visit"].isin(filmed)])
        for reader in READERS:
            grades = read_films(course.severity, seen, who.study, reader, first=number)
            reads.append(reads_frame([subject], codes, grades, seen).assign(reader=reader.name))
    return pd.concat(truths, ignore_index=True), pd.concat(reads, ignore_index=True)


def read_test_folder(folder: Path) -> TestSet:
    """A folder written by ``sharpline demo``, or any labelled folder: then the films' own labels are the
    truth, and ``reads.csv`` beside them, where there is one, holds subject, visit, reader, site, grade."""
    if (folder / "films.csv").is_file() and (folder / "corners.csv").is_file():
        return study_set(folder)
    films = [replace(film, visit=film.visit or "1") for film in read_folder(folder)]
    truth = pd.DataFrame(
        [
            {"subject": film.patient, "visit": film.visit, "site": corner.site, "grade": corner.grade}
            for film in films
            for corner in film.corners
        ]
    )
    path = folder / "reads.csv"
    reads = pd.read_csv(path, dtype={"subject": str, "visit": str}) if path.is_file() else pd.DataFrame()
    return TestSet(folder.name, list(map(test_image, films)), truth, reads, real=is_real(folder))


def study_set(folder: Path) -> TestSet:
    """The spine films, truth and reads of a phantom study as ``sharpline demo`` writes it."""
    from data.phantom.spine.readers import READERS

    text = {"subject": str, "visit": str}
    corners = pd.read_csv(folder / "corners.csv", dtype=text)
    of_film = dict(iter(corners.groupby("file")))
    films = [
        _study_film(folder, row, of_film.get(row["file"]))
        for row in pd.read_csv(folder / "films.csv", dtype=text).to_dict("records")
        if row["view"] in TYPICAL_SPACING
    ]
    truth = pd.read_csv(folder / "truth.csv", dtype=text)
    filmed = {(film.patient, film.visit) for film in films}
    truth = truth[[key in filmed for key in zip(truth["subject"], truth["visit"], strict=True)]]
    paths = [folder / f"reads_{reader.name}.csv" for reader in READERS]
    reads = [pd.read_csv(path, dtype=text) for path in paths if path.is_file()]
    first = [part[part["read"] == 1] for part in reads]
    images = list(map(test_image, films))
    return TestSet(folder.name, images, truth, pd.concat(first) if first else pd.DataFrame(), real=False)


def _study_film(folder: Path, about: dict[Any, Any], corners: pd.DataFrame | None) -> LabelledFilm:
    """One film of a phantom study. Where the file hides its spacing, millimetres come from the spine's
    size.
    """
    path, view = folder / str(about["file"]), str(about["view"])
    rows = [] if corners is None else corners.to_dict("records")
    stated = stated_spacing(path)
    spacing = stated
    if spacing is None and rows:
        middle = np.array([[row["x"], row["y"]] for row in rows]).reshape(-1, 2, 2).mean(axis=1)
        apart = float(np.median(np.linalg.norm(np.diff(middle, axis=0), axis=1)))
        spacing = (TYPICAL_SPACING[view] / apart,) * 2
    return LabelledFilm(
        path.name,
        str(about["subject"]),
        view,
        spacing or (0.175, 0.175),
        tuple(
            Corner(
                str(row["site"]),
                row["x"],
                row["y"],
                row["x1"] - row["x0"],
                row["y1"] - row["y0"],
                int(row["grade"]),
                bool(row["visible"]),
            )
            for row in rows
        ),
        path,
        visit=str(about["visit"]),
        kind=str(about["kind"]),
        hides_spacing=stated is None,
    )


def sections(images: Sequence[TestImage], outcomes: Sequence[Outcome], grades: pd.DataFrame) -> dict:
    """How well visible corners are found."""
    rows = [row for image, one in zip(images, outcomes, strict=True) for row in corner_rows(image, one)]
    return {"corners": corners_found(pd.DataFrame(rows, columns=["subject", "scored", "distance_mm"]))}


def corner_rows(image: TestImage, outcome: Outcome) -> Iterator[dict[str, Any]]:
    """Visible corners of a film: whether it was scored, and how far from its place the model puts the corner
    of that name; NaN where it names none.
    """
    film, result = image.label, outcome.result
    given = {} if isinstance(result, Abstained) else {finding.site: finding for finding in result.findings}
    for corner in film.corners:
        if corner.visible:
            off = _distance_mm(film, corner, given.get(corner.site))
            yield {"subject": film.patient, "scored": isinstance(result, Scored), "distance_mm": off}


def _distance_mm(film: LabelledFilm, corner: Corner, finding: Finding | None) -> float:
    if finding is None or finding.box is None:
        return float("nan")
    x, y = finding.box.centre
    rows_mm, columns_mm = film.spacing_mm
    return float(np.hypot((x - corner.x) * columns_mm, (y - corner.y) * rows_mm))


def corners_found(corners: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Visible corners found within 3 mm under their own name: on films that were scored, and on all films (a
    film on which the model abstained counts as not found). corners: rows of :func:`corner_rows`.
    """
    distance, scored = corners["distance_mm"].to_numpy(float), corners["scored"].to_numpy(bool)
    found = distance <= NEAR_MM
    return {
        "visible": len(corners),
        "found_scored_images": proportion(found, scored, corners["subject"], draws=draws),
        "found_all_images": mean_by_patient(found, corners["subject"], is_proportion=True, draws=draws),
        "median_distance_mm": float(np.nanmedian(distance)) if np.isfinite(distance).any() else None,
    }


def blocks(found: Mapping[str, Any]) -> list[Block]:
    """Corners found, as a table."""
    about = found["corners"]
    rows = [
        ["on images that were scored", shown(about["found_scored_images"], percent=True)],
        ["on all images to be scored", shown(about["found_all_images"], percent=True)],
    ]
    return [Table("", [f"{about['visible']} visible corners", "found within 3 mm, correctly named"], rows)]


EVALUATION = Evaluation(render, read_test_folder, sections=sections, blocks=blocks, draws=DRAWS)
