"""The tests of all maps of a shipped model: the table of docs/explain.md, verdicts beside the weights.

python -m models.explain.report                      # test patients, both domains; writes both files
python -m models.explain.report --compare            # tuning patients, every candidate; writes nothing
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from models import weights
from models.explain import verdict
from models.explain.method import CANDIDATES, METHODS, Method

FILMS = Path(__file__).resolve().parents[2] / "data" / "phantom"
LATER = {"report.py", "verdict.py", "stored.py", "picture.py", "dicom_out.py", "report"}  # change no figure
PAGE = Path("docs/explain.md")
BEGIN, END = "<!-- tests: begin -->", "<!-- tests: end -->"
DOMAINS = ("first", "second")
SHOWN = {
    "share": "heat inside the finding",
    "area": "by chance",
    "box_share": "the box itself",
    "share_beyond_box": "heat beyond the box",
    "point": "hottest point on the finding",
    "chance_point": "by chance (point)",
    "box_point": "a random point of the box",
    "centre_point": "middle of the box",
    "point_beyond_box": "hits beyond the box",
    "random last layer": "likeness, last layer random",
    "random head": "likeness, head random",
    "random deep half": "likeness, deep half random",
    "random all": "likeness, all random",
    "repeat": "likeness after small shifts",
}


def rows_of_patient(
    number: int, *, domain: str, tuning: bool, methods: Mapping[str, Sequence[Method]], size: str
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Figures of every case of one patient, and who was left out; kept in the temporary folder, and found
    again there while weights, methods and code are the same."""
    role = "tune" if tuning else "test"
    path = _folder(size, methods) / f"{role}-{domain}-{number}.json"
    if not path.exists():
        found = _measured(number, domain, tuning, methods, size)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(found), encoding="utf-8")
        part.rename(path)
    rows, left_out = json.loads(path.read_text(encoding="utf-8"))
    return rows, left_out


def _folder(size: str, methods: Mapping[str, Sequence[Method]]) -> Path:
    """Where figures of these weights, methods and sources are kept."""
    sources = (*sorted(Path(__file__).parent.glob("*.py")), *sorted(FILMS.glob("*.py")))
    used = json.dumps({name: [method.name for method in chosen] for name, chosen in methods.items()})
    content = b"".join(path.read_bytes() for path in sources if path.name not in LATER)
    card = weights.read_card("msasss", size)
    text = weights.weights_hash(card) + json.dumps([card["settings"], card["grading"]]) + used
    name = hashlib.sha256(content + text.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"sharpline-explain-{name}"


def _measured(
    number: int, domain: str, tuning: bool, methods: Mapping[str, Sequence[Method]], size: str
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    from models.explain.cases import LeftOut, cases, test_patients
    from models.explain.checks import check

    explainer, stages = _tools(size)
    left_out = LeftOut()
    who = test_patients(1, domain, first=number, tuning=tuning)
    rows = [
        check(explainer, case, stages[case.question.network], method)
        for case in cases(explainer, who, number, left_out)
        for method in methods[case.question.network]
    ]
    return rows, asdict(left_out)


_made: dict[str, Any] = {}


def _tools(size: str) -> Any:
    from models.explain.checks import randomised
    from models.explain.msasss import MsasssExplainer
    from models.msasss.infer import build

    if size not in _made:
        explainer = MsasssExplainer(build(size=size, threads=1))
        nets = {name: randomised(net, name, size) for name, net in explainer.networks.items()}
        _made[size] = explainer, nets
    return _made[size]


def figures(rows: pd.DataFrame) -> dict[str, Any]:
    """Means over the cases of one network with intervals over patients, and how many of each there are."""
    from models.msasss.measures import resampled

    table = rows.assign(
        share_beyond_box=rows["share"] - rows["box_share"],
        point_beyond_box=rows["point"] - rows["box_point"],
    )
    values = {name: table[name].to_numpy(float) for name in SHOWN}

    def means(chosen: np.ndarray) -> dict[str, float]:
        return {name: float(value[chosen].mean()) for name, value in values.items()}

    counts = {"cases": len(rows), "patients": int(rows["patient"].nunique())}
    return counts | {"empty_maps": int(rows["empty"].sum())} | resampled(table["patient"], means)


def run_tests(
    patients: int,
    domain: str,
    *,
    tuning: bool = False,
    methods: Mapping[str, Sequence[Method]] | None = None,
    size: str = "demo",
    processes: int = 1,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """All cases of so many patients, one row a case and method, and counts of what was left out."""
    used = methods or {name: (method,) for name, method in METHODS["msasss"].items()}
    work = partial(rows_of_patient, domain=domain, tuning=tuning, methods=used, size=size)
    numbers = range(1, patients + 1)
    if processes > 1:
        with get_context("spawn").Pool(processes) as pool:
            parts = pool.map(work, numbers, chunksize=1)
    else:
        parts = [work(number) for number in numbers]
    left_out = {name: sum(part[1][name] for part in parts) for name in parts[0][1]}
    return pd.DataFrame([row for part in parts for row in part[0]]), left_out


def result(sets: Mapping[str, tuple[pd.DataFrame, dict[str, int]]], size: str = "demo") -> dict[str, Any]:
    """What is stored beside the weights: figures by network, domain and grade; the verdict is that of the
    first domain."""
    card = weights.read_card("msasss", size)
    found: dict[str, Any] = {
        "system": "msasss",
        "size": size,
        "note": "phantom films, research only",
        "weights_hash": weights.weights_hash(card),
        "limits": {
            "beyond_box": verdict.BEYOND_BOX,
            "most_random": verdict.MOST_RANDOM,
            "least_repeat": verdict.LEAST_REPEAT,
        },
        "left_out": {name: left_out for name, (_, left_out) in sets.items()},
        "networks": {},
    }
    for network, method in METHODS["msasss"].items():
        by_set = {name: rows[rows["network"] == network] for name, (rows, _) in sets.items()}
        tables = {name: figures(rows) for name, rows in by_set.items() if len(rows)}
        judged = verdict.judge(next(iter(tables.values())))
        grades = next(iter(by_set.values()))
        found["networks"][network] = {
            "method": method.name,
            "passed": judged.passed,
            "reasons": list(judged.reasons),
            "sets": tables,
            "by_grade": {
                str(grade): figures(grades[grades["true"] == grade])
                for grade in sorted(set(grades["true"]) - {0})
            },
        }
    return found


def as_text(found: Mapping[str, Any]) -> str:
    """The tables as Markdown."""
    from models.msasss.report import shown

    parts = [
        f"Weights {found['weights_hash'][:12]}, size {found['size']}; {found['note']}. Means over cases, 95% "
        "intervals over patients drawn with replacement."
    ]
    for name, left in found["left_out"].items():
        parts.append(
            f"Left out in the {name} domain: {left['abstained']} films that the model would not score, "
            f"{left['missed']} damaged corners that it missed or called normal, {left['traceless']} corners "
            "whose finding leaves no trace inside the tile."
        )
    for network, about in found["networks"].items():
        word = "**passed**" if about["passed"] else "**failed**: " + "; ".join(about["reasons"])
        columns = {f"{name} domain": table for name, table in about["sets"].items()}
        columns |= {f"first, true grade {grade}": table for grade, table in about["by_grade"].items()}
        head = ["", *columns]
        lines = [["cases (patients)", *(f"{t['cases']} ({t['patients']})" for t in columns.values())]]
        lines += [["maps without any heat", *(str(t["empty_maps"]) for t in columns.values())]]
        lines += [[label, *(shown(t[key]) for t in columns.values())] for key, label in SHOWN.items()]
        rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        rows += ["| " + " | ".join(line) + " |" for line in lines]
        parts.append(f"### {network}: {about['method']}, {word}\n\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def comparison(rows: pd.DataFrame) -> str:
    """One line a candidate: the figures that the verdict rests on."""
    lines = []
    for (network, method), part in rows.groupby(["network", "method"], sort=False):
        mean = part.mean(numeric_only=True)
        told = "  ".join(
            f"{key} {mean[key]:.3f}"
            for key in ("share", "area", "box_share", "point", "box_point", "centre_point", "random all",
                        "repeat", "empty")
        )  # fmt: skip
        lines.append(f"{network:7} {method:20} n={len(part):3}  {told}")
    return "\n".join(lines)


def into_page(page: str, tables: str) -> str:
    """The page with the tables between its two markers."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{tables}{END}{rest.partition(END)[2]}"


@click.command()
@click.option("--patients", default=20, show_default=True, help="Of each domain, two films each.")
@click.option("--domain", type=click.Choice([*DOMAINS, "both"]), default="both", show_default=True)
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option("--processes", default=1, show_default=True)
@click.option("--page", type=click.Path(path_type=Path), default=PAGE, show_default=True)
@click.option("--compare", is_flag=True, help="Every candidate, on tuning patients; writes nothing.")
def main(patients: int, domain: str, size: str, processes: int, page: Path, compare: bool) -> None:
    """Test the maps of the shipped mSASSS networks on phantom films."""
    if compare:
        rows, _ = run_tests(
            patients, "first", tuning=True, methods=CANDIDATES["msasss"], size=size, processes=processes
        )
        click.echo(comparison(rows))
        return
    chosen = DOMAINS if domain == "both" else (domain,)
    sets = {name: run_tests(patients, name, size=size, processes=processes) for name in chosen}
    found = result(sets, size)
    path = verdict.result_path("msasss", size)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    page.write_text(into_page(page.read_text(encoding="utf-8"), as_text(found)), encoding="utf-8")
    click.echo(as_text(found))


if __name__ == "__main__":
    main()
