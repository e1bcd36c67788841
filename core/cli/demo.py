"""``sharpline demo``: a phantom study, rendered, imported and scored."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from core.cli.output import CountLine, emit, json_option, note
from core.errors import InputError, ModelError

if TYPE_CHECKING:
    from data.store.cohort import CohortStore

SEED = 119  # chosen: with 24 patients, its figures lie close to those of 2,000 (docs/phantom-study.md)
PHANTOM_NOTE = "Phantom study: simulated patients and images. For research only; not a medical device."


class _Systems(click.Option):
    """An option whose help names the systems that can be drawn, looked up when help is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from data.phantom.generators import generators

        shown = ", ".join(f"{name} ({one.shows})" for name, one in generators().items())
        self.help = f"Images for these scores: {shown} [default: {','.join(generators())}]."
        return super().get_help_record(ctx)


@click.command(short_help="Render the phantom study as DICOM + reader tables, ingest it, score it.")
@click.option("--patients", type=click.IntRange(1, 999), default=24, show_default=True)
@click.option("--visits", type=click.IntRange(1, 20), default=3, show_default=True, help="52 weeks apart.")
@click.option("--seed", type=click.IntRange(0), default=SEED, show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for images and tables [default: beside the cohort].",
)
@click.option("--blinded", is_flag=True, help="Leave the arms hidden.")
@click.option("--no-score", is_flag=True, help="Do not run the model.")
@click.option(
    "--domain",
    type=click.Choice(["first", "second"]),
    default="first",
    show_default=True,
    help="second: other devices, patients and cut-off films, for testing only.",
)
@click.option("--systems", cls=_Systems, default="", metavar="LIST")
@click.option(
    "--readers",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Simulated readers that 'sharpline readers' has fitted, in place of the shipped ones (repeatable).",
)
@click.option(
    "--processes", type=click.IntRange(1), default=2, show_default=True, help="Images at the same time."
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    patients: int,
    visits: int,
    seed: int,
    out: Path | None,
    blinded: bool,
    no_score: bool,
    domain: str,
    systems: str,
    readers: tuple[Path, ...],
    processes: int,
    as_json: bool,
) -> int:
    """Make a phantom study and import it into a new cohort: films, MRI, ultrasound, reader tables, truth.

    The same options give the same files to the byte. Interrupted, it continues where it stopped when it is
    run again. No real patient is in it.
    """
    from data.phantom.generators import systems as drawn
    from data.phantom.load import import_films, import_scans, import_stacks, import_tables, mark
    from data.phantom.study import Study, StudyPlan, claim, known_plan, write_study
    from data.store.cohort import CohortStore

    signal.signal(signal.SIGTERM, _stop)
    began = time.monotonic()
    note(PHANTOM_NOTE)
    cohort = Path(ctx.obj["cohort"])
    folder = out or cohort.with_name(f"{cohort.stem}.study")
    wanted = _systems(systems, drawn())
    plan = StudyPlan(patients, visits, seed, domain, systems=wanted, readers=_readers(readers, wanted))
    if not systems:
        plan = known_plan(plan, folder)
    claim(plan, folder)
    store = CohortStore.open(cohort)
    mark(store, plan, blinded=blinded)
    study: Study = write_study(plan, folder, processes=processes, progress=CountLine("images rendered").show)
    imported = import_tables(store, folder)
    import_films(store, study, folder, imported, workers=processes, progress=CountLine("films imported").show)
    import_stacks(
        store, study, folder, imported, workers=processes, progress=CountLine("slices imported").show
    )
    import_scans(store, study, folder, imported, workers=processes, progress=CountLine("scans imported").show)
    result: dict[str, Any] = {
        "patients": patients,
        "visits": int(study.conduct.came.sum()),
        "films": len(study.films),
        "reads": imported.reads,
        "ingested": imported.ingested,
        "already_there": imported.already_there,
        "stacks": imported.stacks,
        "slices": {"ingested": imported.slices_ingested, "already_there": imported.slices_already_there},
        "scans": len(study.scans),
        "ultrasound": {
            "ingested": imported.scans_ingested,
            "already_there": imported.scans_already_there,
            "released": imported.released,
        },
        "refused": imported.refused,
        "held": imported.held,
        "systems": list(plan.systems),
        **_score(store, plan.systems, processes, wanted=not no_score),
        "out": str(folder),
        "cohort": str(store.path),
        "seconds": round(time.monotonic() - began, 1),
    }
    emit(result, as_json=as_json, text=lambda: _text(result))
    return 1 if imported.refused else 0


def _systems(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """The systems named, in the order of ``known``; all where none is. Raises InputError for another one."""
    wanted = [name.strip() for name in text.split(",") if name.strip()] or list(known)
    strange = [name for name in wanted if name not in known]
    if strange:
        raise InputError(
            f"--systems {strange[0]}",
            f"there are phantom images for {', '.join(known)}",
            "name some of these",
        )
    return tuple(name for name in known if name in wanted)


def _readers(files: Sequence[Path], drawn: Sequence[str]) -> tuple[tuple[str, Any], ...]:
    """System and errors of the readers of each file.

    Raises InputError where two files are of one system, or a file is of one that is not drawn.
    """
    from data.phantom.fitted_readers import read_readers

    found = [read_readers(path) for path in files]
    systems = [system for system, _ in found]
    if twice := [system for system in systems if systems.count(system) > 1]:
        raise InputError("--readers", f"two files are of {twice[0]}", "give one a system")
    if other := [system for system in systems if system not in drawn]:
        raise InputError("--readers", f"no films of {other[0]} are asked for", "add it to --systems")
    return tuple(sorted(found))


def _stop(number: int, frame: FrameType | None) -> None:
    """A polite end on SIGTERM, as on Ctrl-C: films under way are finished, nothing is left half written."""
    raise KeyboardInterrupt


def _score(store: CohortStore, systems: Sequence[str], processes: int, *, wanted: bool) -> dict[str, Any]:
    """Counts of the models' runs, ``None`` with the reason where none ran."""
    if not wanted:
        return {"scored": None, "abstained": None, "not_scored": "--no-score was given"}
    from models.registry import models
    from models.scoring.run import score_systems

    line = CountLine("images scored")
    modelled = [system for system in systems if system in models()]
    if not modelled:
        reason = f"there is no model for {', '.join(systems)}"
        return {"scored": None, "abstained": None, "not_scored": reason}
    try:
        report = score_systems(
            store, modelled, processes=processes, tell=lambda step: line.show(step.done, step.total)
        )
    except ModelError as error:
        note(f"not scored: {error}")
        return {"scored": None, "abstained": None, "not_scored": str(error)}
    for system, reason in report.left_out.items():
        note(f"{system} is not scored: {reason}")
    return {"scored": report.scored, "abstained": len(report.abstained), "not_scored": None}


def _text(result: dict[str, Any]) -> str:
    scored = (
        f"{result['scored']} scored, {result['abstained']} not (the model abstained)"
        if result["not_scored"] is None
        else f"none scored: {result['not_scored']}"
    )
    lines = [
        f"{result['patients']} phantom patients, {result['visits']} visits, {result['films']} films: "
        f"{result['ingested']} imported, {result['already_there']} already there; {scored}",
        f"{result['reads']} site reads of readers; images, tables and truth are in {result['out']}",
    ]
    if result["stacks"]:
        slices = result["slices"]
        lines[1:1] = [
            f"{result['stacks']} stacks: {slices['ingested']} slices imported, "
            f"{slices['already_there']} already there"
        ]
    if result["scans"]:
        scans = result["ultrasound"]
        lines[-1:-1] = [
            f"{result['scans']} ultrasound scans: {scans['ingested']} imported, "
            f"{scans['already_there']} already there"
        ]
    lines += [f"  held back until released: {row['file']}: {row['reason']}" for row in result["held"]]
    lines += [f"  refused: {row['file']}: {row['reason']}" for row in result["refused"]]
    return "\n".join(lines)
