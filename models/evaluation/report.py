"""An evaluation as text for a terminal, as the tables of a model's page, and in short for its card.

sharpline evaluate SYSTEM --json > evaluation.json
python -m models.evaluation.report evaluation.json      # the tables of docs/SYSTEM-model.md, and the card
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from core.errors import InputError
from core.scores import get
from core.scores.system import ScoreSystem
from models import cards
from models.evaluation.agreement import MODEL, PAIRED
from models.evaluation.markdown import Block, Table, as_markdown, as_terminal, counted, into_page, shown
from models.evaluation.run import Evaluation, model_to_evaluate, no_blocks

MARK = "evaluation"
READERS = {MODEL: "model, single", PAIRED: "**model, paired**"}
ORIGIN = {False: "phantom images", True: "real images", None: "images of unknown origin"}
INTERVALS = (
    "Intervals: 95%, patients resampled (SDC: chi-square); a proportion of exactly 0 or 100% has Wilson's, "
    "with patients as cases."
)
SHORT = (
    "n", "left_out", "unchanged", "icc_a1", "mean_absolute_error", "bias", "sdc95_against_truth",
    "false_change", "false_improvement", "same_way",
)  # fmt: skip


def as_text(result: Mapping[str, Any]) -> str:
    """Everything for a terminal but long tables, set by set."""
    return as_terminal(_blocks(result))


def as_page(result: Mapping[str, Any]) -> str:
    """The tables as Markdown."""
    return as_markdown(_blocks(result))


def _blocks(result: Mapping[str, Any]) -> list[Block]:
    model, about = model_to_evaluate(result["system"])
    system = get(model.system)
    title = about.title or f"{system.title} model"
    head = f"{title}, size {result['size']}, weights {result['weights'][:12]}. {INTERVALS}"
    sets = (blocks_of_set(one, system, about.blocks, about.item) for one in result["sets"])
    return [head, *(block for blocks in sets for block in blocks)]


def blocks_of_set(
    one: Mapping[str, Any],
    system: ScoreSystem,
    own: Callable[[Mapping[str, Any]], list[Block]] = no_blocks,
    item: str = "image",
) -> list[Block]:
    """The tables of one test set; own: those of the sections that only this system has; item: what one
    labelled image is called.
    """
    name = one["set"][:1].upper() + one["set"][1:]
    many = f"{counted(one['patients'], 'patient')}, {counted(one['images'], item)}"
    origin = one.get("origin") or ORIGIN[one["real"]]
    totals = [_status(one["status"], system)] if one["status"] else []
    return [
        f"### {name}: {many} ({origin}, research only)",
        abstained_text(one["abstention"], item),
        *totals,
        *(_grades(one["grades"], system) if one["grades"] else []),
        *_changes(one, system),
        *own(one["sections"]),
    ]


def abstained_text(found: Mapping[str, Any], item: str = "image") -> str:
    """How many images were abstained on, of those to be scored and those to be refused, and why."""
    parts = [_abstained(found, "good", f"{item} to be scored", f"{item}s to be scored")]
    if found["wrong"]:
        parts.append(_abstained(found, "wrong", f"{item} to be refused", f"{item}s to be refused"))
    return " ".join(parts)


def _abstained(found: Mapping[str, Any], kind: str, word: str, plural: str) -> str:
    reasons = [row["reason"] for row in found["images"] if row["is_wrong"] == (kind == "wrong")]
    many = f"Abstained on {len(reasons)} of {counted(found[kind], word, plural)}"
    value = shown(found[f"{kind}_abstained"], percent=True)
    counts = "; ".join(f"{count} x {reason}" for reason, count in Counter(reasons).most_common())
    return f"{many}, {value}" + (f": {counts}." if counts else ".")


def reader_name(reader: str) -> str:
    """As it is shown: ``model, single``, ``**model, paired**``, ``reader R1``."""
    return READERS.get(reader, f"reader {reader}")


def part_name(name: str, system: ScoreSystem) -> str:
    """A component, block or feature in words: ``hand joint space narrowing`` of ``hand jsn``."""
    titles = {component.name: component.title.partition(" (")[0] for component in system.components}
    features = {feature.code: feature.name for feature in system.features}
    return titles.get(name) or " ".join(features.get(word, word) for word in name.split())


def _status(tables: Mapping[str, Any], system: ScoreSystem) -> Table:
    rows = [
        [part_name(component, system), reader_name(reader), str(row["n"]), shown(row["icc_a1"]),
         shown(row["mean_absolute_error"], 2), shown(row["bias"], 2),
         f"{shown(row.get('loa_lower'), 1)}; {shown(row.get('loa_upper'), 1)}"]
        for component, by_reader in tables.items()
        for reader, row in by_reader.items()
    ]  # fmt: skip
    title = f"Totals against the truth, every visit (rule `{system.rules[0].name}`):"
    head = ("component", "reader", "n", "ICC(A,1)", "mean absolute error", "bias", "limits of agreement")
    return Table(title, head, rows)


def _grades(tables: Mapping[str, Any], system: ScoreSystem) -> list[Block]:
    rows = [
        [part_name(name, system), reader_name(reader), *grade_rows(row)]
        for name, by_reader in tables.items()
        for reader, row in by_reader.items()
    ]
    head = ("scale", "reader", "n", "quadratic kappa", "exact", "within one grade")
    parts: list[Block] = [Table("Grades against the truth:", head, rows)]
    if len(tables) == 1:
        (by_reader,) = tables.values()
        parts.append(_classes(by_reader, system.features[0].grades))
    return parts


def grade_rows(row: Mapping[str, Any]) -> list[str]:
    """n, kappa, exact agreement and agreement within one grade, as cells."""
    return [
        str(row["n"]),
        shown(row["kappa_quadratic"]),
        shown(row["exact"], percent=True),
        shown(row["within_one"], percent=True),
    ]


def _classes(by_reader: Mapping[str, Any], names: Sequence[str]) -> Table:
    """Each grade against the rest, of the model's readings."""
    rows = [
        [f"{grade} {names[int(grade)]}", reader_name(reader), str(found["n"]),
         *(shown(found[key], percent=True) for key in ("sensitivity", "specificity", "accuracy"))]
        for reader, row in by_reader.items()
        if reader in READERS
        for grade, found in row["per_class"].items()
    ]  # fmt: skip
    head = ("grade", "reader", "n", "sensitivity", "specificity", "accuracy")
    return Table("Each grade against the rest:", head, rows)


def _changes(one: Mapping[str, Any], system: ScoreSystem) -> list[Block]:
    """Change of totals and of sites, and the readers' own SDC; nothing where there is one visit."""
    if not one["change"]:
        return []
    return [_change(one["change"], system), _sites(one["site_change"], system), _sdc(one["sdc_readers"])]


def _change(tables: Mapping[str, Any], system: ScoreSystem) -> Table:
    rows = [
        [part_name(component, system), reader_name(reader), f"{row['n']} ({row['unchanged']})",
         shown(row["icc_a1"], 2), shown(row.get("bias"), 2), shown(row["sdc95_against_truth"], 2),
         *(shown(row.get(key), percent=True) for key in ("false_change", "false_improvement", "same_way"))]
        for component, by_reader in tables.items()
        for reader, row in by_reader.items()
    ]  # fmt: skip
    head = ("component", "reader", "n (truly unchanged)", "ICC(A,1)", "bias", "SDC95 against truth",
            "false change", "false improvement", "true change in the same direction")  # fmt: skip
    return Table("Change from the first to the last visit against the true change:", head, rows)


def _sites(found: Mapping[str, Any], system: ScoreSystem) -> Table:
    rows = [
        [reader_name(reader), str(row["unchanged"]),
         *(shown(row[key], 2, percent=True) for key in ("false_change", "false_improvement")),
         str(row["changed"]), shown(row["same_way"], percent=True)]
        for reader, row in found.items()
    ]  # fmt: skip
    head = ("reader", "truly unchanged", "false change", "false improvement", "truly changed",
            "change in the same direction")  # fmt: skip
    return Table(f"Change of single {system.site_title}:", head, rows)


def _sdc(tables: Mapping[str, Any]) -> str:
    pairs = [
        f"{pair}: one reader {shown(row['one_reader'], 2)}, mean of two {shown(row['mean_of_two'], 2)}"
        for pair, row in tables.get("total", {}).items()
    ]
    return f"SDC95 of the total from the readers' own disagreement: {'; '.join(pairs)}." if pairs else ""


def summary(result: Mapping[str, Any]) -> dict[str, Any]:
    """The evaluation for the card: set -> domain, patients, images, counts of abstention, and the totals of
    each reader; an estimate as ``[value, lower, upper]`` to four digits.
    """
    _, about = model_to_evaluate(result["system"])
    return {_set_name(about, one["set"]): _summary_of_set(one, about) for one in result["sets"]}


def _set_name(about: Evaluation, name: str) -> str:
    """Under which name the card has a test set: those of a part of the model with the part's name."""
    return f"{about.name}: {name}" if about.name else name


def joined_card(card: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """The card's entry ``evaluation`` with these sets; other evaluations of the model stay, and figures
    that no evaluation made (``domain`` is what all of theirs have).
    """
    model, about = model_to_evaluate(result["system"])
    others = tuple(f"{name}: " for name in model.evaluations if name != about.name)

    def is_own(name: str, value: Mapping[str, Any]) -> bool:
        of_this = name.startswith(f"{about.name}: ") if about.name else not name.startswith(others)
        return "domain" in value and of_this

    known = card.get("evaluation", {}).items()
    return {name: value for name, value in known if not is_own(name, value)} | summary(result)


def _summary_of_set(one: Mapping[str, Any], about: Evaluation) -> dict[str, Any]:
    abstention = {name: _flat(value) for name, value in one["abstention"].items() if name != "images"}
    return {
        "domain": one["domain"],
        "patients": one["patients"],
        "images": one["images"],
        "abstention": abstention,
        "status": {reader: _short(row) for reader, row in one["status"].get("total", {}).items()},
        "change": {reader: _short(row) for reader, row in one["change"].get("total", {}).items()},
        **{name: _flat(value) for name, value in about.summary(one["sections"]).items()},
    }


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _flat(row[name]) for name in SHORT if name in row}


def _flat(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    numbers = (value["estimate"], *value["ci"])
    return [None if number is None else round(number, 4) for number in numbers]


def joined_results(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Test sets of several results as one. Raises InputError where they are not of one model."""
    first, *others = results
    for other in others:
        for name in ("system", "size", "weights"):
            if other[name] != first[name]:
                raise InputError(
                    f"results of {name} {first[name]} and {other[name]}",
                    "one page tells of one model",
                    "evaluate again with the same weights",
                )
    return dict(first) | {"sets": [one for result in results for one in result["sets"]]}


@click.command()
@click.argument("evaluation", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--page", type=click.Path(path_type=Path), help="docs/SYSTEM-model.md unless given.")
def main(evaluation: tuple[Path, ...], page: Path | None) -> None:
    """Write the results of ``sharpline evaluate SYSTEM --json``, with and without ``--data``, into the
    documentation and the card.
    """
    result = joined_results([json.loads(path.read_text(encoding="utf-8")) for path in evaluation])
    model, about = model_to_evaluate(result["system"])
    system, size = model.system, result["size"]
    card = cards.read_card(system, size)
    card["evaluation"] = joined_card(card, result)
    cards.write_card(card, system, size, cards.FOLDER)
    page = page or Path(f"docs/{system}-model.md")
    mark = f"{MARK} {about.name}" if about.name else MARK
    page.write_text(into_page(page.read_text(encoding="utf-8"), mark, as_page(result)), encoding="utf-8")


if __name__ == "__main__":
    main()
