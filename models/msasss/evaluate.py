"""The validation of the mSASSS model: patients never trained on, beside simulated readers, in both
domains.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.domain import Abstained, Scored
from core.scores.engine.totals import compute
from core.scores.msasss import MSASSS
from models.msasss import measures
from models.msasss.labels import Corner, LabelledFilm, read_folder, stated_spacing
from models.msasss.scorer import TYPICAL_SPACING, MsasssScorer, build
from models.msasss.sites import SITES
from models.msasss.system import PAIRED_READING
from models.paired.reader import PairedReader

MODEL = "model"  # reads films one by one
PAIRED = "model paired"  # reads all films of a patient together, order blinded
DOMAINS = ("first", "second")
RULE = "seg_mean"
TEST_SEED = 31


@dataclass(frozen=True)
class TestSet:
    """Films with truth. truth, reads: subject, visit, (reader,) site, grade; films may lack sites that have
    one.
    """

    __test__ = False

    name: str
    films: Sequence[LabelledFilm]
    truth: pd.DataFrame
    reads: pd.DataFrame


@dataclass(frozen=True)
class Outcome:
    """What the model made of a test set: the tables of :mod:`models.msasss.measures`.

    together: corners as read with all films of the patient together; empty where the model cannot.
    """

    corners: pd.DataFrame
    films: pd.DataFrame
    totals: pd.DataFrame
    together: pd.DataFrame


def evaluate(
    sets: Sequence[TestSet],
    *,
    size: str = "demo",
    processes: int = 2,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """All validation tables of each test set."""
    note = "phantom data, research only"
    result: dict[str, Any] = {"system": "msasss", "size": size, "note": note, "sets": {}}
    for one in sets:
        tell(f"{one.name}: {len(one.films)} films")
        result["sets"][one.name] = figures(one, run(one, size=size, processes=processes))
    return result


def figures(one: TestSet, outcome: Outcome) -> dict[str, Any]:
    """The validation tables of one test set."""
    readers = [name for name in outcome.totals.columns if name not in ("subject", "visit", "truth")]
    has_change = outcome.totals["visit"].nunique() > 1
    return {
        "patients": len({film.patient for film in one.films}),
        "films": len(outcome.films),
        "abstention": measures.abstention(outcome.films),
        "detection": measures.detection(outcome.corners, outcome.films),
        "grading": measures.grading(outcome.corners),
        "readers_grading": reader_grading(one),
        "status": {name: measures.status(outcome.totals, name) for name in readers},
        "change": {name: measures.change(outcome.totals, name) for name in readers} if has_change else {},
        "corner_change": measures.corner_change(outcome.corners) if has_change else {},
        "together": together_figures(outcome.together, has_change),
        "abstained": outcome.films.loc[outcome.films["abstained"], ["film", "kind", "reason"]].to_dict(
            "records"
        ),
    }


def together_figures(corners: pd.DataFrame, has_change: bool) -> dict[str, Any]:
    """Grading and change of corners read with all films of a patient together; empty without such reads."""
    if corners.empty:
        return {}
    return {
        "grading": measures.grading(corners),
        "corner_change": measures.corner_change(corners) if has_change else {},
    }


def run(one: TestSet, *, size: str, processes: int) -> Outcome:
    """Score all films of a test set."""
    films = list(one.films)
    if processes > 1 and len(films) > 8:
        with get_context("spawn").Pool(processes, initializer=_start, initargs=(size,)) as pool:
            results = pool.map(_score, films, chunksize=4)
    else:
        _start(size)
        results = [_score(film) for film in films]
    corners, together = _table(films, results), pd.DataFrame()
    if PAIRED_READING.identify(size) is not None:
        together = _table(films, read_together(films, results, PAIRED_READING.build(size)))
    table = pd.DataFrame([_film(film, result) for film, result in zip(films, results, strict=True)])
    return Outcome(corners, table, totals(one, corners, together), together)


def _table(films: Sequence[LabelledFilm], results: Sequence[Scored | Abstained]) -> pd.DataFrame:
    return pd.DataFrame(
        [row for film, result in zip(films, results, strict=True) for row in _corners(film, result)]
    )


def read_together(
    films: Sequence[LabelledFilm], results: Sequence[Scored | Abstained], reader: PairedReader
) -> list[Scored | Abstained]:
    """The results of all films, each patient's read together."""
    places: dict[str, list[int]] = {}
    for place, film in enumerate(films):
        places.setdefault(film.patient, []).append(place)
    found = list(results)
    for of_patient in places.values():
        read = reader.read([results[place] for place in of_patient]).results
        for place, result in zip(of_patient, read, strict=True):
            found[place] = result
    return found


_scorer: dict[str, MsasssScorer] = {}


def _start(size: str) -> None:
    if size not in _scorer:
        _scorer.clear()
        _scorer[size] = build(size=size, threads=1)


def _score(film: LabelledFilm) -> Scored | Abstained:
    (scorer,) = _scorer.values()
    return scorer.score_one(film.as_film())


def _film(film: LabelledFilm, result: Scored | Abstained) -> dict[str, Any]:
    return {
        "subject": film.patient,
        "visit": film.visit,
        "view": film.region,
        "film": film.name,
        "kind": film.kind,
        "is_wrong": not film.corners,
        "abstained": isinstance(result, Abstained),
        "reason": result.reason if isinstance(result, Abstained) else "",
    }


def _corners(film: LabelledFilm, result: Scored | Abstained) -> list[dict[str, Any]]:
    """Labelled corners with what the model gave; a corner that it named elsewhere keeps its distance."""
    given = {} if isinstance(result, Abstained) else {finding.site: finding for finding in result.findings}
    rows = []
    for corner in film.corners:
        finding = given.get(corner.site)
        distance = float("nan")
        if finding is not None and finding.box is not None:
            x, y = finding.box.centre
            rows_mm, columns_mm = film.spacing_mm
            distance = float(np.hypot((x - corner.x) * columns_mm, (y - corner.y) * rows_mm))
        rows.append(
            {
                "subject": film.patient,
                "visit": film.visit,
                "view": film.region,
                "site": corner.site,
                "true": corner.grade,
                "visible": corner.visible,
                "given": float("nan") if finding is None else finding.grade,
                "distance_mm": distance,
            }
        )
    return rows


def totals(one: TestSet, corners: pd.DataFrame, together: pd.DataFrame) -> pd.DataFrame:
    """subject, visit, truth, model, model paired (where it reads so) and one column per reader: totals under
    the default rule.
    """
    reads = {MODEL: corners, PAIRED: together}
    model = [rows.assign(reader=name, grade=rows["given"]) for name, rows in reads.items() if len(rows)]
    parts = [one.truth.assign(reader="truth"), *model, one.reads]
    columns = ["subject", "visit", "reader", "site", "grade"]
    frame = pd.concat([part[columns] for part in parts if len(part)], ignore_index=True)
    frame["grade"] = frame["grade"].astype("Float64").astype("Int64")
    found = compute(frame, MSASSS, RULE).totals
    wide = found.pivot(index=["subject", "visit"], columns="reader", values="total")
    order = list(dict.fromkeys(frame["visit"]))
    wide = wide.reset_index().sort_values(
        ["subject", "visit"], key=lambda column: column.map(order.index) if column.name == "visit" else column
    )
    models = [MODEL, PAIRED] if len(together) else [MODEL]
    readers = sorted(set(frame["reader"]) - {"truth", *models})
    return wide.reindex(columns=["subject", "visit", "truth", *models, *readers]).reset_index(drop=True)


def reader_grading(one: TestSet) -> dict[str, Any]:
    """The same grading figures for each simulated reader, over the sites that the reader graded."""
    if one.reads.empty:
        return {}
    joined = one.reads.merge(
        one.truth.rename(columns={"grade": "true"})[["subject", "visit", "site", "true"]],
        on=["subject", "visit", "site"],
    ).rename(columns={"grade": "given"})
    joined["visible"] = True
    return {
        str(reader): measures.grading(rows.reset_index(drop=True))
        for reader, rows in joined.groupby("reader")
    }


def rendered_set(
    domain: str, patients: int, *, seed: int = TEST_SEED, processes: int = 2, folder: Path | None = None
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
    if folder is None:
        name = f"sharpline-msasss-test-{domain}-{seed}-{_renderer()}"
        folder = Path(tempfile.gettempdir()) / name
    write_coco(who, folder, processes=processes)
    films = [film for film in read_folder(folder) if film.patient in set(_codes(who))]
    truth, reads = read_by_people(who)
    return TestSet(f"{domain} domain", films, truth, reads)


def _codes(who: Any) -> list[str]:
    return [who.study.subject(number) for number in who.numbers]


def _renderer() -> str:
    """A short hash of what shapes a film: films of an older renderer are not used again."""
    import hashlib

    import data.phantom

    sources = sorted(Path(str(data.phantom.__file__)).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:10]


def read_by_people(who: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
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


def folder_set(folder: Path) -> TestSet:
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
    return TestSet(folder.name, films, truth, reads)


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
    return TestSet(folder.name, films, truth, pd.concat(first) if first else pd.DataFrame())


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
