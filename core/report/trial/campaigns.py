"""Section on two campaigns of the same readers, such as without and with the model, against the consensus."""

from __future__ import annotations

from typing import Any

from core.agreement.mrmc.analysis import analyse
from core.agreement.mrmc.figures_of_merit import ERROR
from core.agreement.plain_words import FEW_PATIENTS, too_few
from core.errors import CohortError
from core.report import formatting
from core.report.blocks import Block, Section, Table, Text
from core.report.inputs import ReportInputs

SOURCES = ("data.queries.scores.totals", "core.agreement.mrmc.analysis.analyse")
TITLE = "Two campaigns of the same readers"
LACK = (
    "Readers with and without the model are not compared: two campaigns of the same readers and a consensus "
    "are needed ('sharpline reads FILE --campaign with-model')."
)


def two_campaigns(inputs: ReportInputs) -> dict[str, Any] | None:
    """``core.agreement.mrmc`` of the absolute error of the totals; None without two campaigns."""
    study = inputs.trial.campaigns
    if study is None:
        return None
    try:
        return analyse(study, ERROR)
    except CohortError as error:
        return {"failed": f"{error.given}: {error.needed}"}


def with_model(inputs: ReportInputs, found: dict[str, Any] | None) -> Section:
    """What two campaigns differ by, for readers and patients like these and for these alone."""
    if found is None:
        return Section("campaigns", TITLE, (Text(LACK),), SOURCES)
    if "failed" in found:
        said = f"The campaigns are not compared: {found['failed']}."
        return Section("campaigns", TITLE, (Text(said),), SOURCES)
    if found["patients"] < FEW_PATIENTS:
        said = f"{too_few(found['patients'])} to compare campaigns."
        return Section("campaigns", TITLE, (Text(said),), SOURCES)
    rows = tuple(
        (
            one["says"], f"{row['a']} minus {row['b']}", f"{found['patients']:,}",
            formatting.estimated(row, 3, signed=True), formatting.p_value(row["p"]),
        )
        for one in found["analyses"]
        for row in one["differences"]
    )  # fmt: skip
    blocks: tuple[Block, ...] = (
        Table(
            ("Holds for", "Difference", "n", "estimate, 95% interval", "p"),
            rows,
            _how(inputs, found),
            words=2,
        ),
        _by_reader(found),
        *(Text(f"{text[0].upper()}{text[1:]}.", "note") for text in found["notes"].values()),
    )
    return Section("campaigns", TITLE, blocks, SOURCES)


def _how(inputs: ReportInputs, found: dict[str, Any]) -> str:
    panel = inputs.readings.panels[-1]
    return (
        f"{found['title']} of {inputs.readings.main.what(panel)} ({inputs.system.title}) against the "
        "consensus, "
        f"{formatting.listed(found['readers'])}; {found['better']} is better. Obuchowski and Rockette's "
        "analysis "
        f"with Hillis' degrees of freedom, covariances by {found['covariance']}. Whether the campaigns "
        "differ in "
        "the model alone, and not in films, order or time, this cohort does not know."
    )


def _by_reader(found: dict[str, Any]) -> Table:
    cells = {(cell["reader"], cell["modality"]): cell["estimate"] for cell in found["cells"]}
    first, second = found["modalities"][:2]
    rows = tuple(
        (
            row["reader"],
            *(formatting.number(cells[row["reader"], name], 3) for name in (first, second)),
            formatting.estimated(row, 3, signed=True),
        )
        for row in found["by_reader"]
    )
    return Table(
        ("Reader", first, second, "difference, 95% interval"), rows, "Each reader in both campaigns."
    )
