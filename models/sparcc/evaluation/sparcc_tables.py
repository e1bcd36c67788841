"""The figures of ``evaluate sparcc`` as tables, those of the paper and of readers beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.evaluation.markdown import Block, Table, shown
from models.sparcc.evaluation import published

MODEL_FIRST = "model with truth"


def blocks(found: Mapping[str, Any]) -> list[Block]:
    """All of a test set."""
    parts: list[Block] = [_rules(found["rules"], "status")]
    if any("change" in one for one in found["rules"].values()):
        parts.append(_rules(found["rules"], "change"))
    parts.append(_units(found["units"]))
    if found["false_change"]:
        parts.append(_false_change(found["false_change"]))
    if found["masks"]:
        parts += [_masks(found["masks"]), _reasons(found["masks"])]
    parts.append(_unscorable(found["unscorable"]))
    return parts


def _bold(what: str) -> str:
    return f"**{what}**" if what.startswith("model") else what


def _rules(found: Mapping[str, Any], of: str) -> Table:
    rows = [
        [f"`{rule}`", _bold(what), str(one["n"]), shown(one["icc_a1"]), shown(one["icc_c1"]),
         shown(one["icc_11"]), shown(one["pearson"]), shown(one["bias"], 1), shown(one.get("sdc95"), 1)]
        for rule, entry in found.items()
        for what, one in entry.get(of, {}).items()
    ]  # fmt: skip
    if of == "status":
        paper = [published.SPARCC_ICC, "", "", published.SPARCC_PEARSON, "", ""]
        rows.append(["paper: rule not stated", "model with readers, ICC form not stated", "", *paper])
    head = ("rule", "", "n", "ICC(A,1)", "ICC(C,1)", "ICC(1,1)", "Pearson", "bias", "SDC95 of one reader")
    when = "every visit" if of == "status" else "change from the first to the last visit"
    title = f"SPARCC by rule, {when} (several pairs: mean over pairs, n of the smallest):"
    return Table(title, head, rows)


def _units(found: Mapping[str, Any]) -> Table:
    rows = [
        [_bold(what), str(one["n"]), shown(one["kappa"]), shown(one["agreement"], percent=True),
         shown(one.get("sensitivity")), shown(one.get("specificity"))]
        for what, one in found.items()
    ]  # fmt: skip
    rows.append(["paper: inflammation, of what not stated", "", "", "", *published.INFLAMMATION])
    rows.append(["published: experts", "", published.UNIT_KAPPA, published.UNIT_AGREEMENT, "", ""])
    head = ("", "n units", "kappa", "agreement", "sensitivity", "specificity")
    return Table("Any oedema in a unit:", head, rows)


def _false_change(found: Mapping[str, Any]) -> Table:
    titles = {
        "patients": "true change below 5: total said to change by 5 or more",
        "units": "true points the same: unit said to change",
        "units_by_three": "true points the same: unit said to change by 3 or more",
    }
    rows = [
        [title, _bold(reader), str(one["n"]), shown(one["false_change"], percent=True)]
        for key, title in titles.items()
        for reader, one in found[key].items()
    ]
    return Table("False change:", ("", "reader", "n", "false change"), rows)


def _masks(found: Mapping[str, Any]) -> Table:
    rows = []
    for view, one in found.items():
        bodies = one["bodies"]
        counts = ", ".join(str(bodies[name]) for name in ("right", "wrong", "unnamed", "missed"))
        dice = [shown(one["dice"][part]) for part in ("body", "disc", "oedema")]
        rows.append([view, f"{one['stacks']} ({one['patients']})", *dice, counts])
    rows.append(["paper", "", published.DICE["body"], published.DICE["disc"], "", ""])
    head = ("stacks", "n (patients)", "Dice of bodies", "of discs", "of oedema",
            "bodies named rightly, wrongly, not; not found")  # fmt: skip
    return Table("Masks of phantom stacks:", head, rows)


def _reasons(found: Mapping[str, Any]) -> str:
    whole = found["all"] if "all" in found else next(iter(found.values()))
    parts = [
        f"{said} {'; '.join(f'{count} x {reason}' for reason, count in whole[key].items())}."
        for key, said in (("abstained", "Stacks not looked at:"), ("without_names", "Stacks without names:"))
        if whole[key]
    ]
    return " ".join(parts)


def _unscorable(found: Mapping[str, Any]) -> str:
    many = f"{found['without_points']} of {found['units']} units of all visits have no points"
    counts = "; ".join(f"{count} x {reason}" for reason, count in found["reasons"].items())
    return f"{many}: {counts}." if counts else f"{many}."
