"""A scoring run: every film that the model has not seen yet, findings and site scores into the cohort.

What is written depends only on the films and the weights: the run's name comes from the weights, a finding's
name from run, film and site, and films are committed visit by visit. A run that was stopped anywhere and
started again therefore ends in the same rows as one that was not.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from core.domain import Abstained, Film, Scored
from core.errors import CohortError, ModelError
from core.scores import get
from data.store import CohortStore, Transaction
from models.base import REGISTRY, ModelEntry, Scorer, entry, foreign_body_parts

BATCH_FILMS = 8  # films a transaction, in whole visits
FEW_FILMS = 6  # up to this many are scored without helper processes, which take seconds to start
ABSTAINED_SITE = "the model abstained: "
NOT_SEEN = "hidden or off the film"

Load = Callable[[CohortStore, str], Film]
Result = Scored | Abstained


@dataclass(frozen=True)
class Progress:
    """How far a run is. image: the film just done, by the model of ``system``."""

    done: int
    total: int
    abstained: int
    image: str = ""
    system: str = ""


@dataclass
class Report:
    """What a run did. abstained: image and reason. read_together: patients whose films were read together."""

    images: int = 0
    scored: int = 0
    abstained: list[dict[str, str]] = field(default_factory=list)
    read_together: int = 0


@dataclass
class Reports:
    """What the runs of several systems did. left_out: system -> why its model did not run."""

    by_system: dict[str, Report] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def images(self) -> int:
        return sum(report.images for report in self.by_system.values())

    @property
    def scored(self) -> int:
        return sum(report.scored for report in self.by_system.values())

    @property
    def abstained(self) -> list[dict[str, str]]:
        """Image, reason and system."""
        return [
            row | {"system": system} for system, report in self.by_system.items() for row in report.abstained
        ]

    @property
    def read_together(self) -> int:
        return sum(report.read_together for report in self.by_system.values())


@dataclass(frozen=True)
class Run:
    """The identity of a run: same weights, same settings, same run."""

    run: str
    system: str
    reader: str
    campaign: str
    read_mode: str
    weights_hash: str
    settings: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """system, reader, campaign, read of its site scores."""
        return self.system, self.reader, self.campaign, 1


def score_systems(
    store: CohortStore,
    systems: Sequence[str] = (),
    *,
    size: str = "demo",
    device: str = "cpu",
    processes: int = 2,
    tell: Callable[[Progress], None] = lambda progress: None,
    load: Load | None = None,
) -> Reports:
    """Score what is not scored yet, system after system, every one that has a model where none is named.

    Progress counts the films of all systems, a film that two models look at twice. A system whose weights are
    absent is left out with the reason; raises ModelError where that leaves none, StoreError without a cohort.
    """
    models = [entry(system) for system in systems or REGISTRY]
    store.meta()  # says so where there is no cohort
    store = CohortStore.open(store.path)
    reports, waiting = Reports(), {}
    errors: list[ModelError] = []
    for model in models:
        try:
            run = identify(model, size)
        except ModelError as error:
            reports.left_out[model.system] = str(error)
            errors.append(error)
            continue
        waiting[model.system] = len(pending_films(store, run, foreign_body_parts(model)))
    if not waiting:
        raise errors[0]
    total = sum(waiting.values())
    for system in waiting:
        before = Progress(reports.images, total, len(reports.abstained))

        def shifted(step: Progress, before: Progress = before) -> None:
            done, abstained = before.done + step.done, before.abstained + step.abstained
            tell(Progress(done, max(total, done), abstained, step.image, step.system))

        reports.by_system[system] = score_cohort(
            store, system, size=size, device=device, processes=processes, tell=shifted, load=load
        )
    return reports


def score_cohort(
    store: CohortStore,
    system: str,
    *,
    size: str = "demo",
    device: str = "cpu",
    processes: int = 2,
    tell: Callable[[Progress], None] = lambda progress: None,
    load: Load | None = None,
    model: ModelEntry | None = None,
) -> Report:
    """Score what is not scored yet. Raises ModelError where weights are absent, StoreError without a cohort.

    load: how a film is read, ``data.ingest.load_film`` unless given. Interrupted, it leaves whole visits
    only.
    """
    known = model or entry(system)
    store.meta()  # says so where there is no cohort, before networks are loaded
    store = CohortStore.open(store.path)  # tables of an older cohort are brought up to date
    run = identify(known, size)
    begin(store, run)
    store_visits(store, run, waiting_visits(store, run), {})
    report = _score_films(store, known, run, size, device, processes, tell, load or stored_film)
    if known.paired is not None:
        from models.score_together import read_cohort_together

        report.read_together = read_cohort_together(store, known.paired, run, size)
    return report


def _score_films(
    store: CohortStore,
    known: ModelEntry,
    run: Run,
    size: str,
    device: str,
    processes: int,
    tell: Callable[[Progress], None],
    loader: Load,
) -> Report:
    """Every film that this run has not seen, one by one."""
    films = pending_films(store, run, foreign_body_parts(known))
    report = Report(images=len(films))
    if not len(films):
        return report
    few = processes <= 1 or len(films) <= FEW_FILMS
    results = (
        _alone(store, known.build(size=size, device=device), loader, films)
        if few
        else _in_processes(store, known, size, device, loader, films, processes)
    )
    for visit in _by_visit(films, results):
        store_visits(store, run, *visit)
        for image, result in visit[1].items():
            if isinstance(result, Abstained):
                report.abstained.append({"image": image, "reason": result.reason})
            else:
                report.scored += 1
            abstained = len(report.abstained)
            tell(Progress(report.scored + abstained, len(films), abstained, image, known.system))
    return report


def stored_film(store: CohortStore, image: str) -> Film:
    """A film of the cohort as a scorer sees it."""
    from data.ingest import load_film

    return load_film(store, image)


def identify(model: ModelEntry, size: str) -> Run:
    """The run of these weights."""
    reader, weights_hash = model.identify(size)
    settings = json.dumps({"size": size, "read_mode": model.read_mode}, sort_keys=True)
    parts = (model.system, reader, model.campaign, weights_hash, settings)
    name = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
    return Run(name, model.system, reader, model.campaign, model.read_mode, weights_hash, settings)


def begin(store: CohortStore, run: Run) -> None:
    """Make reader, campaign and run known to the cohort, once."""
    with store.write("sharpline score", "scoring run", details={"run": run.run}) as tx:
        if tx.value("SELECT 1 FROM main.run WHERE run = ? AND superseded_by IS NULL", [run.run]):
            return
        old = tx.value(
            "SELECT weights_hash FROM main.reader WHERE reader = ? AND superseded_by IS NULL", [run.reader]
        )
        if old != run.weights_hash:
            tx.supersede("reader", pd.DataFrame({"reader": [run.reader]}))
            tx.insert("reader", _reader(run))
        if not tx.value(
            "SELECT 1 FROM main.campaign WHERE campaign = ? AND system = ? AND superseded_by IS NULL",
            [run.campaign, run.system],
        ):
            tx.insert("campaign", _campaign(run))
        tx.insert("run", _run_row(run))


def _reader(run: Run) -> pd.DataFrame:
    text = f"{run.system} model; research only"
    return pd.DataFrame(
        [{"reader": run.reader, "kind": "model", "description": text, "weights_hash": run.weights_hash}]
    )


def _campaign(run: Run) -> pd.DataFrame:
    row = {"campaign": run.campaign, "system": run.system, "read_mode": run.read_mode}
    how = "one film at a time" if run.read_mode == "single" else "all films of a patient, order blinded"
    return pd.DataFrame([row | {"description": f"reads of the scoring model, {how}"}])


def _run_row(run: Run) -> pd.DataFrame:
    from importlib.metadata import version

    row = {key: value for key, value in asdict(run).items() if key != "read_mode"}
    return pd.DataFrame([row | {"software": f"sharpline {version('sharpline')}"}])


def pending_films(store: CohortStore, run: Run, foreign: Sequence[str] = ()) -> pd.DataFrame:
    """Films without a finding of this run: image, subject, visit, body_part; whole visits together.

    foreign: body parts whose films are not looked at.
    """
    return store.query(
        "SELECT image, subject, visit, body_part FROM main.image i WHERE superseded_by IS NULL "
        "AND NOT list_contains($foreign::TEXT[], coalesce(body_part, '')) "
        "AND NOT EXISTS (FROM main.finding f WHERE f.image = i.image AND f.run = $run "
        "AND f.superseded_by IS NULL) ORDER BY subject NULLS LAST, visit NULLS LAST, image",
        {"run": run.run, "foreign": list(foreign)},
    )


def waiting_visits(store: CohortStore, run: Run) -> list[tuple[str, str]]:
    """Visits with findings of this run that have no site scores of it: films assigned since they were
    scored.
    """
    frame = store.query(
        "SELECT DISTINCT i.subject, i.visit FROM main.finding f JOIN main.image i ON i.image = f.image "
        "AND i.superseded_by IS NULL WHERE f.run = $run AND f.superseded_by IS NULL AND f.site IS NOT NULL "
        "AND i.subject IS NOT NULL AND i.visit IS NOT NULL AND NOT EXISTS (FROM main.site_score s "
        "WHERE s.subject = i.subject AND s.visit = i.visit AND s.run = f.run AND s.image = f.image "
        "AND s.superseded_by IS NULL) ORDER BY ALL",
        {"run": run.run},
    )
    return list(zip(frame["subject"], frame["visit"], strict=True))


def _by_visit(
    films: pd.DataFrame, results: Iterable[tuple[str, Result]]
) -> Iterator[tuple[list[tuple[str, str]], dict[str, Result]]]:
    """Results in groups of whole visits, at least ``BATCH_FILMS`` films each but for the last."""
    visits: list[tuple[str, str]] = []
    group: dict[str, Result] = {}
    rows = list(zip(films["image"], films["subject"], films["visit"], strict=True))
    for place, (image, result) in enumerate(results):
        _, subject, visit = rows[place]
        known = not (pd.isna(subject) or pd.isna(visit))
        group[image] = result
        if known and (subject, visit) not in visits:
            visits.append((subject, visit))
        following = rows[place + 1][1:] if place + 1 < len(rows) else None
        if following is None or (len(group) >= BATCH_FILMS and not (known and following == (subject, visit))):
            yield visits, group
            visits, group = [], {}


def store_visits(
    store: CohortStore, run: Run, visits: Sequence[tuple[str, str]], results: dict[str, Result]
) -> None:
    """Findings of these films and the site scores of these visits, in one transaction.

    A film that another process has scored meanwhile is left as that one stored it.
    """
    if not visits and not results:
        return
    with store.write("sharpline score", "score", details={"run": run.run, "images": len(results)}) as tx:
        there = set(
            tx.query(
                "SELECT DISTINCT image FROM main.finding WHERE run = ? AND superseded_by IS NULL", [run.run]
            )["image"]
        )
        new = {image: result for image, result in results.items() if image not in there}
        tx.insert("finding", finding_rows(run, new))
        tx.insert("unscorable", unscorable_rows(run, new))
        for subject, visit in visits:
            file_visit(tx, run, subject, visit)


FINDING_COLUMNS = (
    "finding", "run", "image", "system", "site", "feature", "grade", "grade_probabilities", "confidence",
    "geometry", "abstained", "compared",
)  # fmt: skip


def finding_rows(
    run: Run, results: dict[str, Result], compared: Mapping[tuple[str, str], dict[str, float]] | None = None
) -> pd.DataFrame:
    """Rows of ``finding``: the graded sites, and for a film on which the model abstained one row without a
    site.

    compared: for films that were read together, (image, site) -> other film -> probability that the grade
    differs there.
    """
    rows: list[dict[str, Any]] = []
    for image, result in results.items():
        if isinstance(result, Abstained):
            rows.append(_finding_row(run, image, None, abstained=result.reason))
            continue
        for finding in result.findings:
            box = finding.box
            shape: dict[str, Any] = (
                {"box": [round(v, 2) for v in (box.x0, box.y0, box.x1, box.y1)]} if box else {}
            )
            if finding.polygon:
                shape = {"polygon": [[round(v, 2) for v in point] for point in finding.polygon]}
            rows.append(
                _finding_row(
                    run,
                    image,
                    finding.site,
                    finding.feature,
                    grade=finding.grade,
                    grade_probabilities=list(finding.grade_probabilities),
                    confidence=finding.confidence,
                    geometry=json.dumps(shape) if shape else None,
                    compared=None if compared is None else _as_text(compared[image, finding.site]),
                )
            )
    return pd.DataFrame(rows, columns=list(FINDING_COLUMNS), dtype=object)


def _as_text(compared: dict[str, float]) -> str:
    return json.dumps({image: round(value, 4) for image, value in sorted(compared.items())})


def _finding_row(
    run: Run, image: str, site: str | None, feature: str | None = None, **values: Any
) -> dict[str, Any]:
    """A row with its name, in which a finding beside the site's grade names its feature as well."""
    special = [feature] if site and feature and feature != get(run.system).by_code[site].feature else []
    parts = (run.run, image, site or "", *special)
    name = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]
    keys = {"finding": name, "run": run.run, "image": image, "system": run.system, "site": site}
    return keys | ({"feature": feature} if feature else {}) | values


def unscorable_rows(run: Run, results: Mapping[str, Result]) -> pd.DataFrame:
    """Rows of ``unscorable``: run, image, site and reason."""
    rows = [
        (run.run, image, site, reason)
        for image, result in results.items()
        if isinstance(result, Scored)
        for site, reason in result.unscorable.items()
    ]
    return pd.DataFrame(rows, columns=["run", "image", "site", "reason"], dtype=object)


def file_visit(tx: Transaction, run: Run, subject: str, visit: str) -> None:
    """The visit's site scores from all findings of this run on its films; older rows of this reader give
    way.
    """
    found = tx.query(
        "SELECT f.image, i.body_part, f.site, f.feature, f.grade, f.abstained FROM main.finding f "
        "JOIN main.image i ON i.image = f.image AND i.superseded_by IS NULL WHERE i.subject = ? "
        "AND i.visit = ? AND f.run = ? AND f.superseded_by IS NULL ORDER BY f.image, f.site",
        [subject, visit, run.run],
    )
    rows = visit_scores(found, run.system, _unscorable(tx, run, subject, visit))
    if not rows:
        return
    frame = pd.DataFrame(rows, dtype=object)
    system, reader, campaign, read = run.key
    frame = frame.assign(
        subject=subject, visit=visit, system=system, reader=reader, campaign=campaign, read=read, run=run.run
    )
    old = tx.query(
        "SELECT site, feature, grade, reason, image, run FROM main.site_score WHERE subject = ? "
        "AND visit = ? AND system = ? AND reader = ? AND campaign = ? AND read = ? AND superseded_by IS NULL",
        [subject, visit, system, reader, campaign, read],
    )
    if _same_rows(frame, old):
        return
    tx.supersede("site_score", frame[["subject", "visit", "system", "reader", "campaign", "read"]])
    tx.insert("site_score", frame)


def _unscorable(tx: Transaction, run: Run, subject: str, visit: str) -> dict[tuple[str, str], str]:
    """(image, site) -> why this run could not grade it, of the films of a visit."""
    rows = tx.query(
        "SELECT u.image, u.site, u.reason FROM main.unscorable u JOIN main.image i ON i.image = u.image "
        "AND i.superseded_by IS NULL WHERE i.subject = ? AND i.visit = ? AND u.run = ? "
        "AND u.superseded_by IS NULL",
        [subject, visit, run.run],
    )
    return {(str(row.image), str(row.site)): str(row.reason) for row in rows.itertuples(index=False)}


def _same_rows(new: pd.DataFrame, old: pd.DataFrame) -> bool:
    columns = ["site", "feature", "grade", "reason", "image", "run"]

    def as_set(frame: pd.DataFrame) -> set[tuple[str, ...]]:
        plain = frame[columns].astype(object).where(frame[columns].notna(), "")
        return {tuple(str(value) for value in row) for row in plain.itertuples(index=False)}

    return as_set(new) == as_set(old)


def visit_scores(
    found: pd.DataFrame, system: str, unscorable: Mapping[tuple[str, str], str] | None = None
) -> list[dict[str, Any]]:
    """One row per site and finding there: site, feature, grade, reason, image.

    found: the findings of one visit (image, body_part, site, feature, grade, abstained). Where two films
    show the same region, each site is taken from the film with more graded sites, then from the first by
    name, with what that film shows there beside the grade (an ankylosis). A site of a shown region that no
    film has gets no grade, with its reason in ``unscorable`` ((image, site) -> reason), else ``NOT_SEEN``. A
    film on which the model abstained gives its region empty grades with the reason, unless another film shows
    that region.
    """
    regions = {site.code: site.region for site in get(system).sites}
    features = {site.code: site.feature for site in get(system).sites}
    best = _best(found, features)
    rows: list[dict[str, Any]] = [
        {
            "site": row["site"],
            "feature": row["feature"],
            "grade": int(row["grade"]),
            "reason": None,
            "image": row["image"],
        }
        for row in best.to_dict("records")
    ]
    film_of = {regions[str(row["site"])]: row["image"] for row in rows}
    seen = {str(row["site"]) for row in rows if row["feature"] == features[str(row["site"])]}
    why = unscorable or {}
    rows += [
        _no_grade(site, features[site], film_of[region], why.get((film_of[region], site), NOT_SEEN))
        for site, region in regions.items()
        if region in film_of and site not in seen
    ]
    shown = set(film_of)
    for film in found[found["site"].isna()].itertuples():
        open_regions = [region for region in dict.fromkeys(regions.values()) if region not in shown]
        stated = [region for region in open_regions if region and region in str(film.body_part)]
        region = stated[0] if stated else (open_regions[0] if len(open_regions) == 1 else None)
        if region is None:
            continue
        shown.add(region)
        rows += [
            _no_grade(site, features[site], str(film.image), ABSTAINED_SITE + str(film.abstained))
            for site, of in regions.items()
            if of == region
        ]
    return rows


def _best(found: pd.DataFrame, features: Mapping[str, str]) -> pd.DataFrame:
    """The findings with which each site counts, those of one film; the strength of a film is its graded
    sites.
    """
    graded = found[found["grade"].notna()].copy()
    is_grade = graded["feature"] == graded["site"].map(features)
    sites = graded["image"].map(graded[is_grade].groupby("image").size())
    graded["strength"] = -sites.astype("float64").fillna(0)  # of no film at all, the column would be text
    graded = graded.sort_values(["site", "strength", "image", "feature"])
    return graded[graded["image"] == graded.groupby("site")["image"].transform("first")]


def _no_grade(site: str, feature: str, image: str, reason: str) -> dict[str, Any]:
    return {"site": site, "feature": feature, "grade": None, "reason": reason, "image": image}


def score_image(store: CohortStore, scorer: Scorer, load: Load, image: str) -> Result:
    """The result of one film; a film that cannot be read is abstained on with the reason."""
    try:
        return scorer.score([load(store, image)])[0]
    except CohortError as error:
        return Abstained(f"the film cannot be read: {error}")


def _alone(
    store: CohortStore, scorer: Scorer, load: Load, films: pd.DataFrame
) -> Iterator[tuple[str, Result]]:
    for image in films["image"]:
        yield image, score_image(store, scorer, load, image)


_worker: dict[str, Any] = {}


def _in_processes(
    store: CohortStore,
    model: ModelEntry,
    size: str,
    device: str,
    load: Load,
    films: pd.DataFrame,
    processes: int,
) -> Iterator[tuple[str, Result]]:
    """Results in order, from lean processes that each read and score whole films with one thread.

    One film's decoding overlaps with another one's network, and no thread waits for another.
    """
    context = multiprocessing.get_context("spawn")
    setup = (str(store.path), model, size, device, load)
    with context.Pool(processes, initializer=_start_worker, initargs=setup) as pool:
        yield from pool.imap(_score_in_worker, list(films["image"]), chunksize=1)


def _start_worker(path: str, model: ModelEntry, size: str, device: str, load: Load) -> None:
    """The parent alone answers signals, and ends its helpers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _worker["store"], _worker["load"] = CohortStore(path), load
    _worker["scorer"] = model.build(size=size, device=device, threads=1)


def _score_in_worker(image: str) -> tuple[str, Result]:
    return image, score_image(_worker["store"], _worker["scorer"], _worker["load"], image)
