"""``sharpline plan``: patients per arm for a trial of change, no cohort needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.cli.options.table import range_options, table_options
from core.cli.output import emit, json_option, note, reference_option, where_option
from core.cli.plan.text import lines_of
from core.errors import InputError

if TYPE_CHECKING:
    from core.progression.planning.plan import Design
    from core.progression.planning.start import Start

POSITIVE = click.FloatRange(min=0, min_open=True)
SHARE = click.FloatRange(0, 1, max_open=True)
TESTS = ("t", "ancova", "mmrm", "rank", "responders")
EFFECTS = ("fewer", "smaller", "shift")


@click.command()
@click.option("--from", "file", type=click.Path(), metavar="FILE", help="Totals, as progression reads them.")
@click.option("--from-days", type=float, help="Day of the first visit in FILE; day 0 if left out.")
@click.option("--to-days", type=float, help="Day of the second visit; the last day in FILE if left out.")
@click.option("--window", type=click.FloatRange(min=0), default=90, show_default=True)
@click.option("--readers-of-file", "readers", metavar="R,R...", help="Only these readers of FILE.")
@click.option("--difference", type=POSITIVE, help="Mean change of controls minus treated to be found.")
@click.option("--reduction", type=POSITIVE, help="The same as a share of the controls' mean, such as 0.5.")
@click.option("--mean", type=float, help="Mean change of controls.")
@click.option("--sd", type=POSITIVE, help="SD of change.")
@click.option("--sd-readers", type=click.IntRange(1), help="Readers whose mean the SD is of.  [1]")
@click.option("--sdc", type=POSITIVE, help="SDC95 of one reader: 1.96 times the SD of his error of change.")
@click.option("--readers", "planned_readers", type=click.IntRange(1), help="Readers of the trial.")
@click.option("--correlation", type=float, help="Of change with baseline, within arms.")
@click.option("--visits", type=click.IntRange(2), help="Visits after baseline (mmrm).")
@click.option("--visit-correlation", type=SHARE, help="Of changes at two visits, given baseline (mmrm).")
@click.option("--zeros", type=SHARE, help="Share without change, the others lognormal (rank, responders).")
@click.option(
    "--effect",
    type=click.Choice(EFFECTS),
    default="fewer",
    show_default=True,
    help="Treated: fewer progress; all progress less by the same share; all change less by the same number.",
)
@click.option(
    "--are", type=POSITIVE, help="Efficiency of the rank test where no distribution is known.  [3/pi]"
)
@click.option("--cutoff", type=float, help="Progressors change by more than this (with FILE or --zeros).")
@click.option("--progressors", type=SHARE, help="Share of progressors among controls.")
@click.option("--progressors-treated", type=SHARE, help="Among treated; from --reduction if left out.")
@click.option("--dropout", type=SHARE, help="Share without a result; that of FILE if left out, else 0.")
@click.option("--allocation", type=POSITIVE, default=1.0, show_default=True, help="Treated per control.")
@click.option("--alpha", type=POSITIVE, default=0.05, show_default=True, help="Two-sided.")
@click.option("--power", type=POSITIVE, default=0.9, show_default=True)
@click.option("--test", "tests", multiple=True, type=click.Choice(TESTS), help="Only these (repeatable).")
@range_options
@table_options
@reference_option
@where_option
@json_option
def command(file: str | None, **options: Any) -> int:
    """Patients per arm for a trial, under every test that the given numbers allow.

    With --from a table of totals gives the numbers that are left out: mean, SD, SDC, readers, correlation
    with baseline, retention and correlations by visit, dropout, and the distribution of changes for the rank
    test and the progressors. What is given wins. Every assumption is printed.
    """
    from core.progression.planning.plan import plan

    begun = _start(file, options) if file else None
    design = _design(begun, options)
    result = plan(design, options["tests"] or TESTS)
    result["start"] = None if begun is None else _facts(begun)
    emit(result, as_json=options["as_json"], text=lambda: lines_of(result))
    return 0


def _start(file: str, options: dict[str, Any]) -> Start:
    from core.cli.progression import readings_of
    from core.progression.pairing import interval_of
    from core.progression.planning.start import start

    readings = readings_of(file, options)
    interval = interval_of(readings.rows, options["from_days"], options["to_days"], options["window"])
    found = start(readings, interval)
    if not found.patients:
        raise InputError(f"{file}", "no patient has a change between these visits", "choose other days")
    if len(readings.refused):
        note(f"{len(readings.refused)} rows of {file} are refused; sharpline progression lists them")
    for text in found.notes:
        note(text)
    return found


def _facts(begun: Start) -> dict[str, Any]:
    """What the table said, also where another number was given."""
    names = ("patients", "controls", "readers", "mean", "sd", "sdc", "correlation", "lost", "visits")
    facts = {name: getattr(begun, name) for name in names}
    matrix = begun.between_visits
    return facts | {
        "retention": None if begun.retention is None else begun.retention.tolist(),
        "between_visits": None if matrix is None else matrix.tolist(),
    }


def _design(begun: Start | None, options: dict[str, Any]) -> Design:
    """Given numbers first, then those of the table."""
    from core.progression.planning.plan import Design
    from core.progression.planning.ranks import ARE_NORMAL

    sources = {}

    def number(option: str, found: Any) -> Any:
        value = options[option]
        sources[option] = "given" if value is not None else "table" if found is not None else "not known"
        return found if value is None else value

    has_table = begun is not None
    dropout = number("dropout", begun.lost if begun else None) or 0.0
    between, retention = _visits(begun, options, dropout)
    return Design(
        sd=number("sd", begun.sd if begun else None),
        sd_readers=number("sd_readers", begun.readers if begun and options["sd"] is None else None) or 1,
        sdc=number("sdc", begun.sdc if begun else None),
        readers=options["planned_readers"],
        difference=options["difference"],
        mean=number("mean", begun.mean if begun else None),
        reduction=options["reduction"],
        changes=begun.changes if begun and options["zeros"] is None else None,
        zeros=options["zeros"],
        effect=options["effect"],
        cutoff=0.0 if options["cutoff"] is None and has_table else options["cutoff"],
        progressors=options["progressors"],
        progressors_treated=options["progressors_treated"],
        correlation=number("correlation", begun.correlation if begun else None),
        between_visits=between,
        retention=retention,
        are=options["are"] or ARE_NORMAL,
        alpha=options["alpha"],
        power=options["power"],
        allocation=options["allocation"],
        dropout=dropout,
        sources=sources,
    )


def _visits(begun: Start | None, options: dict[str, Any], dropout: float) -> tuple[Any, Any]:
    """Correlations between visits and retention: as given, else of the table."""
    from core.progression.planning.means import exchangeable, steady_loss

    count, correlation = options["visits"], options["visit_correlation"]
    if (count is None) != (correlation is None):
        raise click.UsageError("--visits and --visit-correlation belong together")
    if count is not None:
        return exchangeable(count, correlation), steady_loss(count, dropout)
    if begun is None or begun.between_visits is None:
        return None, None
    is_given = options["dropout"] is not None
    return begun.between_visits, steady_loss(len(begun.visits), dropout) if is_given else begun.retention
