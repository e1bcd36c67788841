"""The figures of ``evaluate diagnosis`` as tables, the paper's beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.evaluation.markdown import Block, Table, shown
from models.synovitis.evaluation import published
from models.synovitis.evaluation.grade_tables import DECISIONS, HELD, decision_cells, held_cells, over_folds

MEASURES = ("auc", "balanced_accuracy")
WEAK = (
    "A diagnosis from one picture is near chance by design here, as it is in the paper: the disease leaves a "
    "weak trace in a joint, and machines are not spread evenly over diseases. What knowing the machine alone "
    "would reach stands beside."
)


def blocks(found: Mapping[str, Any]) -> list[Block]:
    """All of a test set."""
    own = found["diagnosis"]
    return [WEAK, _paper(own), _patients(own), _devices(own), _decisions(own)]


def _name(one: Mapping[str, Any]) -> str:
    return f"{one['first']} v {one['second']}"


def _paper(found: Mapping[str, Any]) -> Table:
    rows = [["paper, range of the four", "", *(published.DIAGNOSIS[name] for name in MEASURES), "", "", ""]]
    for one in found.values():
        folds, pooled = one["by_fold"], one["pooled"]
        is_folds = folds["auc"]["folds"] > 1
        rows.append(
            [f"**{_name(one)}**", f"{pooled['n']} ({pooled['patients']})",
             *(over_folds(folds[name]) if is_folds else "" for name in MEASURES),
             *(shown(pooled[name], 2) for name in MEASURES), shown(one["device_alone"]["auc"], 2)]
        )  # fmt: skip
    head = ("pictures", "n (patients)", "AUC, mean (SD) of folds", "balanced accuracy, mean (SD)", "AUC, all",
            "balanced accuracy, all", "AUC of the device alone")  # fmt: skip
    return Table("Diagnosis of single pictures in the layout of the paper:", head, rows)


def _patients(found: Mapping[str, Any]) -> Table:
    rows = [
        [_name(one), f"{one['patients']['patients']}, {one['patients']['pictures_a_patient']:.1f} each",
         *(shown(one["patients"][name], 2) for name in MEASURES),
         *decision_cells(one["patients"]["decisions"])]
        for one in found.values()
    ]  # fmt: skip
    head = ("patients", "patients, pictures", "AUC", "balanced accuracy", *DECISIONS)
    return Table(
        "Diagnosis of patients, from the mean chance of all pictures (no figure in the paper):", head, rows
    )


def _devices(found: Mapping[str, Any]) -> Table:
    rows = []
    for one in found.values():
        for device, figures in one["devices"].items():
            for name, key in (("mixed", "mixed"), ("**left out**", "left_out")):
                if figures[key] is not None:
                    own = figures[key]
                    many = f"{own['n']} ({own['patients']})"
                    rows.append(
                        [_name(one), device, name, many, *(shown(own[name_], 2) for name_ in MEASURES)]
                    )
    head = ("pictures", "device", "networks", "n (patients)", "AUC", "balanced accuracy")
    return Table("By device: networks that learned from it, and networks that never saw it:", head, rows)


def _decisions(found: Mapping[str, Any]) -> Table:
    rows = [
        [_name(one), *decision_cells(one["decisions"]), *held_cells(one["calibration"])]
        for one in found.values()
    ]
    return Table(
        "Answers of single pictures, and whether the chances hold:", ("pictures", *DECISIONS, *HELD), rows
    )
