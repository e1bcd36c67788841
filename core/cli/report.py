"""``sharpline report``: the agreement evidence as one page, from the cohort to the file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.output import emit, json_option, note
from core.errors import CohortError, InputError

if TYPE_CHECKING:
    import pandas as pd

    from core.agreement.comparison import Readings
    from core.domain import CohortFilter
    from core.report.blocks import FilmPicture, Report
    from core.report.inputs import Case, MarginSet, Material, Origin
    from data.store.cohort import CohortStore

ENDINGS = (".html",)
TRIES = 3  # how often it begins again when somebody writes to the cohort meanwhile


@click.command(short_help="The agreement evidence as one page.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A file that ends in .html.")
@click.option("--system", default="msasss", show_default=True, help="Which score.")
@click.option("--campaign", default="", help="Campaign of the people; default: the one with most patients.")
@click.option(
    "--cases",
    default=4,
    show_default=True,
    type=click.IntRange(0, 20),
    help="Patients shown with their films.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, out: Path, system: str, campaign: str, cases: int, as_json: bool) -> int:
    """Write the agreement report: readers among themselves, and the model as a reader.

    One self-contained page: no server, no network; the same cohort gives the same bytes. Arms are left out
    while the study is blinded. A verdict on a model needs a margin that was set before it scored:
    'sharpline study --margin'.
    """
    from data.store.cohort import CohortStore

    _check(out)
    store = CohortStore(ctx.obj["cohort"])
    report, version = _steady(store, system, campaign, cases)
    content = _page(report).encode()
    _write(out, content)
    done = {
        "path": str(out),
        "cohort_version": version,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "numbers": report.numbers,
    }
    emit(done, as_json=as_json, text=lambda: f"{out}: {len(content) / 1e6:.1f} MB, cohort version {version}")
    return 0


def _check(out: Path) -> None:
    if out.suffix.lower() not in ENDINGS:
        raise InputError(
            f"--out {out.name}",
            f"reports exist as {', '.join(ENDINGS)} so far",
            f"write for example --out {out.stem or 'report'}.html",
        )
    if not out.parent.is_dir():
        raise InputError(f"--out {out}", "its folder does not exist", "make the folder, or choose another")


def _steady(store: CohortStore, system: str, campaign: str, cases: int) -> tuple[Report, int]:
    """The report of one version of the cohort: begun again where somebody writes meanwhile."""
    from core.report.compose import compose

    for _ in range(TRIES):
        before = store.version()
        material = _material(store, system, campaign, cases)
        if store.version() == before:
            note(f"cohort version {before}: working out agreement")
            return compose(material), before
        note("the cohort was written to meanwhile; beginning again")
    raise InputError(
        "a cohort that is being written to", "a report stands for one version of it", "run it again later"
    )


def _material(store: CohortStore, system: str, campaign: str, cases: int) -> Material:
    """Everything the report is made from, as an analyst may see it."""
    from dataclasses import replace

    from core import scores as systems
    from core.domain import CohortFilter, Viewer
    from core.reader_labels import people_campaigns, shown_readings
    from core.report.inputs import Material
    from data.queries import cohort, report, scores

    which = systems.get(system)
    viewer = Viewer()
    state = cohort.state(store)
    readers = scores.readers(store, viewer, which.name)
    chosen = CohortFilter(system=which.name, campaign=_campaign(readers, campaign, people_campaigns(readers)))
    totals = scores.totals(store, viewer, chosen)
    grades = scores.site_grades(store, viewer, chosen)
    came = report.visits(store, viewer, chosen)
    abstained = scores.abstentions(store, viewer, chosen)
    subjects = cohort.subjects(store, viewer, chosen)
    covariates = cohort.baseline(store, viewer, chosen)
    counts = cohort.counts(store, viewer)
    runs = scores.runs(store, viewer, which.name)
    frames = {
        "data.queries.scores.readers": readers,
        "data.queries.scores.totals": totals,
        "data.queries.scores.site_grades": grades,
        "data.queries.scores.abstentions": abstained,
        "data.queries.scores.runs": runs,
        "data.queries.report.visits": came,
        "data.queries.cohort.subjects": subjects,
        "data.queries.cohort.baseline": covariates,
        "data.queries.cohort.counts": counts,
    }
    shown = shown_readings(totals, chosen.campaign)
    readings = _readings(shown, which.title, [item.name for item in which.components], readers)
    _needs_two(store, which.title, readings.kinds)
    material = Material(
        system=which,
        rule=which.default_rule,
        study=state["study"],
        is_phantom=state["phantom"],
        is_blinded=state["blinded"],
        campaign=chosen.campaign,
        readings=readings,
        readers=readers,
        came=came,
        grades=shown_readings(grades, chosen.campaign),
        abstentions=abstained,
        counts={str(name): int(counts[name].iloc[0]) for name in counts},
        arms=_arms(subjects),
        margins=_margins(store, which.name),
        origin=_origin(store, chosen, frames),
        groups=_groups(subjects, covariates, readings, is_blinded=state["blinded"]),
        twice=_twice(totals, readers, chosen.campaign),
    )
    return replace(material, cases=_cases(store, material, chosen, cases))


def _groups(
    subjects: pd.DataFrame, covariates: pd.DataFrame, readings: Readings, *, is_blinded: bool
) -> pd.DataFrame:
    from core.agreement.subgroups import levels
    from core.report.statistics import baseline_damage

    known = subjects.drop(columns=["arm", "centre"]) if is_blinded else subjects
    return levels(known, covariates, baseline_damage(readings))


def _twice(totals: pd.DataFrame, readers: pd.DataFrame, campaign: str) -> pd.DataFrame:
    from core.agreement.rereads import repeats

    modes = readers["read_mode"].fillna("").astype(str)
    return repeats(totals, campaign, dict(zip(readers["campaign"].astype(str), modes, strict=True)))


def _campaign(readers: pd.DataFrame, asked: str, known: list[str]) -> str:
    if asked and asked not in known:
        raise InputError(
            f"--campaign {asked}",
            f"people read in {', '.join(known)}" if known else "no person has read",
            "name one of these" if known else "take reads in with 'sharpline reads'",
        )
    return asked or (known[0] if known else "")


def _readings(shown: pd.DataFrame, title: str, components: list[str], readers: pd.DataFrame) -> Any:
    from core.agreement.comparison import TOTAL, Readings

    places = shown.drop_duplicates("visit").sort_values(["visit_order", "visit"], na_position="last")
    there = set(shown["component"])
    modes = readers.set_index(["reader", "campaign"])["read_mode"].to_dict()
    of = shown.drop_duplicates("label")
    return Readings(
        totals=shown,
        visits=places["visit"].tolist(),
        components=[name for name in (TOTAL, *components) if name in there],
        unit=title,
        modes={str(row.label): str(modes.get((row.reader, row.campaign)) or "") for row in of.itertuples()},
    )


def _needs_two(store: CohortStore, title: str, kinds: dict[str, str]) -> None:
    from core.reader_labels import models, people

    if len(people(kinds)) + len(models(kinds)) < 2:
        raise InputError(
            f"{len(kinds)} reading(s) of {title} in {store.path.name}",
            "agreement needs two readers, or a reader and a model",
            "take reads in with 'sharpline reads', or run 'sharpline score'",
        )


def _arms(subjects: pd.DataFrame) -> dict[str, int]:
    """Patients by arm; empty while the study is blinded, since the query then gives no arm."""
    found = subjects["arm"].dropna().value_counts().sort_index()
    return {str(arm): int(n) for arm, n in found.items()}


def _margins(store: CohortStore, system: str) -> tuple[MarginSet, ...]:
    from core.report.inputs import MarginSet
    from data.study.settings import margins

    return tuple(
        MarginSet(one.value, one.unit, one.by, one.at, one.reason, one.is_preset)
        for one in margins(store, system)
    )


def _origin(store: CohortStore, chosen: CohortFilter, frames: dict[str, pd.DataFrame]) -> Origin:
    from core.domain import Viewer
    from core.report.inputs import Origin
    from data.queries import report
    from data.store.transaction import software_version
    from data.verify import verify

    note("checking the audit trail")
    last = report.last_event(store, Viewer()).iloc[0]
    checked = verify(store)
    runs = frames["data.queries.scores.runs"].drop_duplicates("reader")
    return Origin(
        cohort=store.path.name,
        version=store.version(),
        last_event=last["happened_at"].to_pydatetime(),
        head=checked.head,
        events=checked.events,
        faults=tuple(f"event {item['event'] or '-'}: {item['reason']}" for item in checked.broken),
        software=software_version(),
        queries={name: str(frame.attrs.get("sql", "")) for name, frame in frames.items()},
        weights=dict(zip(runs["reader"].astype(str), runs["weights_hash"].astype(str), strict=True)),
        chosen={"system": chosen.system, "campaign": chosen.campaign, "patients": "all", "read": "1"},
    )


def _cases(store: CohortStore, material: Material, chosen: CohortFilter, count: int) -> tuple[Case, ...]:
    from core.report.disagreements import worst_patients

    return tuple(_case(store, material, chosen, subject) for subject in worst_patients(material, count))


def _case(store: CohortStore, material: Material, chosen: CohortFilter, subject: str) -> Case:
    """The films of the region in which readings differ most, at the first and the last visit."""
    from core.domain import Viewer
    from core.report.disagreements import judged, shown_region
    from core.report.inputs import Case
    from data.queries import patient

    main = material.readings.main
    visits = [visit for visit in (main.first, main.last) if visit]
    model = judged(material.readings.models)
    grades = material.grades[material.grades["subject"] == subject]
    region = shown_region(grades, material.system, model, visits)
    films = patient.films(store, Viewer(), subject)
    findings = patient.findings(store, Viewer(), subject, chosen.system)
    material.origin.queries["data.queries.patient.films"] = str(films.attrs.get("sql", ""))
    material.origin.queries["data.queries.patient.findings"] = str(findings.attrs.get("sql", ""))
    shown = tuple(_film(store, material, films, findings, grades, visit, region) for visit in visits)
    return Case(subject, grades, region, shown)


def _film(
    store: CohortStore,
    material: Material,
    films: pd.DataFrame,
    findings: pd.DataFrame,
    grades: pd.DataFrame,
    visit: str,
    region: str,
) -> FilmPicture:
    from core.report.blocks import FilmPicture
    from core.report.films import film_picture
    from data.dicom.images import load_image

    part = films["body_part"].fillna("").str.startswith(region)
    here = films[(films["visit"] == visit) & part]
    if here.empty:
        return FilmPicture(visit, message=f"No {region} film at this visit.")
    image = str(here["image"].iloc[-1])
    seen = findings[findings["image"] == image]
    refused = seen["abstained"].dropna()
    title = visit if refused.empty else f"{visit}: the model abstained ({refused.iloc[0]})"
    try:
        film = load_image(store, image)
    except CohortError as error:
        return FilmPicture(title, message=f"{error.given}: {error.needed}.")
    return film_picture(
        film,
        title,
        seen[seen["site"].notna()],
        grades[grades["visit"] == visit],
        material.readings.kinds,
        material.system,
    )


def _page(report: Report) -> str:
    from plotly.offline import get_plotlyjs

    from core.report.html import page

    return page(report, plotly_js=get_plotlyjs())


def _write(out: Path, content: bytes) -> None:
    """The whole file or none of it."""
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(
            f"--out {out}", f"it cannot be written ({error.strerror})", "choose another place"
        ) from None
