"""The figures of ``evaluate stir`` as tables, the paper's beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.agreement.diagnostics.two_by_two import diagnostic
from models.evaluation.markdown import Block, Table, counted, shown
from models.sparcc.evaluation import published

WHO = {
    "any_pixel": "model, `any_pixel`",
    "overlap": "**model, `overlap`**",
    "radiologist": "simulated radiologist",
}
SHARES = ("sensitivity", "specificity", "accuracy", "ppv", "npv")
HEAD = ("", "n (with oedema)", "TP, FN, FP, TN", "sensitivity", "specificity", "accuracy", "PPV", "NPV")
PAPER = "paper (60 patients)"


def blocks(sections: Mapping[str, Any]) -> list[Block]:
    """All of a test set."""
    parts: list[Block] = []
    if "stir" in sections:
        parts += _figures(sections["stir"])
    if "false_alarms" in sections:
        parts += _alarms(sections["false_alarms"])
    return parts or ["No stack was read."]


def _alarms(found: Mapping[str, Any]) -> list[Block]:
    """Stacks that nothing was drawn into."""
    rows = [
        [name, f"{one['stacks']} ({one['patients']})", str(one["slices"]),
         shown(one["slices_alarmed"], percent=True), shown(one["slices_alarmed_in_bodies"], percent=True),
         shown(one["stacks_alarmed"], percent=True),
         shown(one["marks_a_stack"], 2), str(one["left_out"] or "")]
        for name, one in found["groups"].items()
    ]  # fmt: skip
    head = ("volumes", "n (patients)", "slices", "slices with a false alarm", "with one in a labelled body",
            "volumes with one", "false marks a volume", "abstained on")  # fmt: skip
    reasons = [f"{len(files)} x {reason}" for reason, files in found["not_drawn"].items()]
    said = f"Nothing was drawn into: {'; '.join(reasons)}." if reasons else ""
    return [Table("False alarms on real volumes without any drawn lesion:", head, rows), said]


def _figures(found: Mapping[str, Any]) -> list[Block]:
    parts: list[Block] = []
    if left := found["left_out"]["stacks"]:
        parts.append(f"{counted(left, 'stack')} that the model abstains on: in none of the tables.")
    parts += [_images(found["images"]), _segments(found["segments"]), _regions(found["regions"])]
    parts += [_areas(found), _free_response(found["free_response"]), _worth(found["ppv"])]
    return parts


def _row(name: str, one: Mapping[str, Any]) -> list[str]:
    counts = one["counts"]
    matrix = ", ".join(str(counts[key]) for key in ("tp", "fn", "fp", "tn"))
    positive = counts["tp"] + counts["fn"]
    return [name, f"{one['n']} ({positive})", matrix, *(shown(one[key]) for key in SHARES)]


def _images(found: Mapping[str, Any]) -> Table:
    """Slices; of the paper what follows from its confusion matrix."""
    rows = [_row(WHO[name], one) for name, one in found.items()]
    paper = diagnostic(**published.IMAGE_COUNTS)
    plain = {key: {"estimate": paper[key]["estimate"], "ci": (None, None)} for key in SHARES}
    rows.append(_row(f"{PAPER}, from its counts", plain | {"counts": paper["counts"], "n": paper["n"]}))
    printed = (published.IMAGES["sensitivity"], published.IMAGES["specificity"])
    rows.append([f"{PAPER}, as printed", "", "", *printed, "", "", ""])
    rows.append(["radiologist of the paper", "", "", *published.IMAGE_READER, "", "", ""])
    return Table("Slices:", HEAD, rows)


def _segments(found: Mapping[str, Any]) -> Table:
    rows = [_row(WHO[name], one) for name, one in found.items()]
    rows.append([PAPER, "180 (53)", "", *published.SEGMENTS["all"], "", "", ""])
    rows.append(["radiologist of the paper", "180 (53)", "", *published.SEGMENT_READER, "", "", ""])
    return Table("Segments, positive from two positive slices on:", HEAD, rows)


def _regions(found: Mapping[str, Any]) -> Table:
    rows = []
    for region, one in found.items():
        for name in ("overlap", "radiologist"):
            if name in one["images"]:
                rows.append([region, WHO[name], *_pair(one["images"][name]), *_pair(one["segments"][name])])
        if region in published.SEGMENTS:
            rows.append([region, "paper", "", "", "", "", *published.SEGMENTS[region]])
    head = (
        "segment", "", "slices (with oedema)", "sensitivity", "specificity",
        "segments (positive)", "sensitivity, segments", "specificity, segments",
    )  # fmt: skip
    return Table("By segment of the spine:", head, rows)


def _pair(one: Mapping[str, Any]) -> list[str]:
    counts = one["counts"]
    many = f"{one['n']} ({counts['tp'] + counts['fn']})"
    return [many, shown(one["sensitivity"], 2), shown(one["specificity"], 2)]


def _areas(found: Mapping[str, Any]) -> str:
    area, dice = found["auc"], found["dice"]
    spread = "" if dice["sd"] is None else f", SD over slices {dice['sd']:.2f}"
    return (
        f"AUC of slices {shown(area['images'])} (paper {published.IMAGES['auc']}), of segments "
        f"{shown(area['segments'])}. Dice of true positive slices {shown(dice, 2)}{spread}, n {dice['n']} "
        f"(paper {published.IMAGES['dice']})."
    )


def _free_response(found: Mapping[str, Any]) -> Table:
    rows = [
        [f"at most {one['false_marks']:g}", shown(one["sensitivity"]), shown(one["false_marks_a_stack"], 2)]
        for one in found["at_false_marks"]
    ]
    own = found["operating_point"]
    rows.append(["**the masks given**", shown(own["sensitivity"]), shown(own["false_marks_a_stack"], 2)])
    title = (
        f"Free response: {counted(found['lesions'], 'lesion')} in {counted(found['stacks'], 'stack')} of "
        f"{counted(found['patients'], 'patient')}; what hangs together over slices is one lesion or one mark:"
    )
    return Table(title, ("false marks a stack", "lesions hit", "false marks found"), rows)


def _worth(found: list[dict[str, Any]]) -> Table:
    rows = [[_where(one), *(shown(one.get(name)) for name in WHO)] for one in found]
    head = ("where", *(name.replace("**", "") for name in WHO.values()))
    return Table("Positive predictive value of a slice:", head, rows)


def _where(one: Mapping[str, Any]) -> str:
    if one["inflamed_patients"] is None:
        return f"{100 * one['images']:.1f}% of slices with oedema, as in the paper's test set"
    return f"{100 * one['inflamed_patients']:.0f}% of patients inflamed"
