"""The figures of ``evaluate synovitis`` as tables, the paper's beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.evaluation.markdown import Block, Table, shown
from models.evaluation.report import reader_name
from models.synovitis.evaluation import published
from models.synovitis.tasks import DIAGNOSES, GRADE

MEASURES = {"auc": "AUC, weighted", "balanced_accuracy": "balanced accuracy", "spearman": "Spearman"}
SCALES = {"all": "both scales", "gs": "grey scale", "pd": "power Doppler", "combined": "combined"}
CUTS = {"any": "any synovitis or flow (grade 1 or more)", "two": "grade 2 or more"}
TITLES = {GRADE: "grade given"} | {task: f"{one.first} v {one.second}" for task, one in DIAGNOSES.items()}
PAPER = "paper: 340 patients, mean (SD) of five folds"


def blocks(found: Mapping[str, Any]) -> list[Block]:
    """All of a test set."""
    parts: list[Block] = []
    if "held_out" in found:
        parts += _held_out(found["held_out"])
    if "test" in found:
        parts += _test(found["test"])
    if "heat" in found:
        parts += heat_blocks(found["heat"])
    return parts


def over_folds(value: Mapping[str, Any]) -> str:
    """``0.83 (0.02)``: mean (SD) over folds; of how many, where some have no value."""
    if value["mean"] is None:
        return "-"
    spread = f" ({value['sd']:.2f})" if value["sd"] is not None else ""
    lacking = value["folds"] < len(value["values"])
    return f"{value['mean']:.2f}{spread}" + (f" of {value['folds']} folds" if lacking else "")


def _held_out(found: Mapping[str, Any]) -> list[Block]:
    return [
        _paper(found),
        _pooled(found),
        _devices(found["devices"]),
        _cuts(found["cuts"]),
        _confusion(found),
    ]


def _paper(found: Mapping[str, Any]) -> Table:
    ours = [over_folds(found["by_fold"][name]) for name in MEASURES]
    zero, (accuracy, balanced) = found["always_zero"], published.always_zero()
    rows = [
        [PAPER, *(published.GRADE[name] for name in MEASURES), ""],
        ["**ours, mean (SD) of five folds**", *ours, over_folds(found["by_fold"]["accuracy"])],
        ["grade 0 always, of the paper's counts", "0.50", f"{balanced:.2f}", "", f"{accuracy:.3f}"],
        [
            "grade 0 always, of ours",
            "0.50",
            f"{zero['balanced_accuracy']:.2f}",
            "",
            f"{zero['accuracy']:.3f}",
        ],
    ]
    head = ("grades 0 to 3", *MEASURES.values(), "accuracy")
    total = sum(published.GRADE_COUNTS)
    title = (
        "Grades in the layout of the paper (AUC: each grade against the rest, weighed by its frequency). The "
        f"paper's counts of grades, {', '.join(map(str, published.GRADE_COUNTS))}, sum to {total}, not to "
        f"its {published.SCANS} scans:"
    )
    return Table(title, head, rows)


def _row(name: str, one: Mapping[str, Any]) -> list[str]:
    many = f"{one['n']} ({one['patients']})"
    return [name, many, *(shown(one[key], 2) for key in (*MEASURES, "accuracy"))]


HEAD = ("", "pictures (patients)", *MEASURES.values(), "accuracy")


def _pooled(found: Mapping[str, Any]) -> Table:
    rows = [_row("**all**", found["pooled"])]
    rows += [_row(SCALES[name], one) for name, one in found["scales"].items()]
    rows += [_row(f"{joint} joints", one) for joint, one in found["joints"].items()]
    return Table("The same, all folds together (intervals draw patients):", HEAD, rows)


def device_rows(found: Mapping[str, Any], row: Any) -> list[list[str]]:
    """A device with networks that learned from it, and with networks that never saw it."""
    rows = []
    for device, one in found.items():
        rows.append(row(f"{device}, mixed folds", one["mixed"]))
        if one["left_out"] is not None:
            rows.append(row(f"**{device}, left out**", one["left_out"]))
    return rows


def _devices(found: Mapping[str, Any]) -> Table:
    return Table(
        "By device: networks of the folds, which learned from both, and networks that never saw it:",
        HEAD, device_rows(found, _row),
    )  # fmt: skip


def _cuts(found: Mapping[str, Any]) -> Table:
    rows = [
        [CUTS[name], *decision_cells(one), *held_cells(one["calibration"])] for name, one in found.items()
    ]
    return Table("Two groups of grades:", ("", *DECISIONS, *HELD), rows)


DECISIONS = ("prevalence", "sensitivity", "specificity", "PPV", "NPV", "PPV at the paper's prevalence")
HELD = ("Brier", "calibration error", "slope")


def decision_cells(one: Mapping[str, Any]) -> list[str]:
    """Cells under ``DECISIONS``."""
    known = [shown(one[name], 2) for name in ("prevalence", "sensitivity", "specificity", "ppv", "npv")]
    return [*known, f"{shown(one['ppv_at_paper'], 2)} at {one['paper_prevalence']:.2f}"]


def held_cells(one: Mapping[str, Any]) -> list[str]:
    """Cells under ``HELD``: Brier score, expected calibration error, slope (1: as stated)."""
    return ["-" if one[name] is None else f"{one[name]:.3f}" for name in ("brier", "ece", "slope")]


def _confusion(found: Mapping[str, Any]) -> Table:
    table = found["pooled"]["table_given_by_true"]
    rows = [[f"answered {given}", *map(str, row)] for given, row in enumerate(table)]
    recall = found["pooled"]["sensitivity"]
    rows.append(["**sensitivity**", *("-" if one is None else f"{one:.2f}" for one in recall)])
    return Table(
        "Confusion matrix, all folds:", ("", *(f"true {grade}" for grade in range(len(table)))), rows
    )


def _test(found: Mapping[str, Any]) -> list[Block]:
    parts: list[Block] = [_against_truth(found["against_truth"])]
    if any("readers" in one for one in found["pairs"].values()):
        parts.append(_pairs(found["pairs"], found["daily"]))
    devices = {name: one["model"] for name, one in found["devices"].items() if "model" in one}
    if len(devices) > 1:
        parts.append(Table("The model by device:", HEAD, [_row(name, one) for name, one in devices.items()]))
    joints = found["joints"]
    parts.append(
        f"Sums count the same joints for everybody: {joints['counted']} of {joints['joints']} (the others "
        "were abstained on by the model, or somebody saw flow without synovium, which has no combined grade)."
    )
    return parts


def _against_truth(found: Mapping[str, Any]) -> Table:
    rows = [
        [SCALES[scale], *_row(reader_name(reader), one)]
        for scale, by_reader in found.items()
        for reader, one in by_reader.items()
    ]
    return Table("Grades against the truth in the paper's terms:", ("scale", "reader", *HEAD[1:]), rows)


def _pairs(found: Mapping[str, Any], daily: Mapping[str, Any]) -> Table:
    rows: list[Sequence[str]] = []
    for scale, one in found.items():
        rows += [_pair_row(scale, who, value) for who, value in one.items()]
        standard = f"{published.KAPPA[scale]} (weights not known)"
        rows.append([SCALES[scale], "published, standardised scans", "", standard, "", "", ""])
        if scale in daily:
            rows.append(_pair_row(scale, "readers in daily practice", daily[scale]))
        if scale in published.KAPPA_DAILY:
            usual = published.KAPPA_DAILY[scale]
            rows.append([SCALES[scale], "published, daily practice", "", usual, "", "", ""])
    head = ("scale", "", "joints", "linear kappa", "quadratic kappa", "exact", "within one grade")
    return Table("Agreement of pairs, mean over pairs (published: experts at MCP joints):", head, rows)


def _pair_row(scale: str, who: str, one: Mapping[str, Any]) -> list[str]:
    names = ("kappa_linear", "kappa", "exact", "within_one")
    cells = ["-" if one[name] is None else f"{one[name]:.2f}" for name in names]
    name = f"**{who}**" if who.startswith("model") else who
    return [SCALES[scale], name, str(one["n"]), *cells]


WARNING = (
    "Where the networks look, on phantoms, whose tissues are known to the pixel. Heat shows what raises a "
    "score in a network, not what is diseased; a network may have learned the machine. A share near 1 times "
    "chance says that a map does not prefer the tissue, one near 1 times random weights that training has no "
    "part in it:"
)


def heat_blocks(found: Mapping[str, Any]) -> list[Block]:
    """Where the heat lies, of grade and of diagnoses."""
    rows = [
        [TITLES.get(task, task), f"{one['maps'] - one['empty']} of {one['maps']} ({one['patients']})", part,
         shown(value["share"], 2), shown(value["area"], 2), shown(value["random"], 2),
         shown(value["times_chance"], 2), shown(value["times_random"], 2)]
        for task, one in found.items()
        for part, value in one["parts"].items()
    ]  # fmt: skip
    head = ("map of", "maps with heat (patients)", "tissue", "share of heat", "chance: its area",
            "random weights", "times chance", "times random weights")  # fmt: skip
    likeness = "; ".join(
        f"{TITLES.get(task, task)} {shown(one['likeness'], 2)}" for task, one in found.items()
    )
    return [
        Table(WARNING, head, rows),
        f"Likeness of the maps to those of random weights (rank correlation): {likeness}.",
    ]
