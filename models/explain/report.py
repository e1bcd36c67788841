"""The tests of all maps of the shipped models: the tables of docs/explain.md, verdicts beside the weights.

python -m models.explain.report                      # test patients, both domains; writes page and verdicts
python -m models.explain.report --system SYSTEM      # of one system only; the page keeps other tables
python -m models.explain.report --system SYSTEM --network NETWORK   # of one network; other verdicts stand
python -m models.explain.report --compare            # tuning patients, every candidate; writes nothing
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import pandas as pd

from core import scores
from core.errors import InputError
from core.helper_process import end_with_parent
from core.scores.system import ScoreSystem
from models import cards
from models.explain import verdict
from models.registry import explained, explanations_of
from models.system import Method

MODELS = Path(__file__).resolve().parents[1]
FILMS = Path(__file__).resolve().parents[2] / "data" / "phantom"
LATER = {"report.py", "verdict.py", "stored.py", "picture.py", "dicom_out.py", "report"}  # change no figure
PAGE = Path("docs/explain.md")
MARK = "tests"
DRAWS = 1000  # of the bootstrap
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


Methods = Mapping[str, Sequence[Method]]  # by the name of a map
Figures = tuple[list[dict[str, Any]], dict[str, int]]


def methods_of(system: str) -> dict[str, tuple[Method, ...]]:
    """The method of each map of a system."""
    return {name: (method,) for name, method in explanations_of(system).methods.items()}


def rows_of_patient(
    number: int, *, system: str, domain: str, tuning: bool, methods: Methods, size: str
) -> Figures:
    """Figures of every case of one patient, and who was left out; kept in the temporary folder, and found
    again there while weights, methods and code are the same."""
    role = "tune" if tuning else "test"
    path = _folder(system, size, methods) / f"{role}-{domain}-{number}.json"
    if not path.exists():
        found = _measured(number, system, domain, tuning, methods, size)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(found), encoding="utf-8")
        part.rename(path)
    rows, left_out = json.loads(path.read_text(encoding="utf-8"))
    return rows, left_out


def _folder(system: str, size: str, methods: Methods) -> Path:
    """Where figures of these weights, methods and sources are kept; the system's own sources count too."""
    own = MODELS / system
    sources = (
        *sorted((MODELS / "explain").glob("*.py")),
        *sorted(own.rglob("*.py")),
        *sorted(FILMS.rglob("*.py")),
    )
    used = json.dumps({name: [method.name for method in chosen] for name, chosen in methods.items()})
    content = b"".join(path.read_bytes() for path in sources if path.name not in LATER)
    card = cards.read_card(system, size)
    rules = json.dumps([card.get("settings"), card.get("grading")])
    name = hashlib.sha256(content + (cards.weights_hash(card) + rules + used).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"sharpline-explain-{system}-{name}"


def _measured(number: int, system: str, domain: str, tuning: bool, methods: Methods, size: str) -> Figures:
    from models.explain.checks import check

    left_out: dict[str, int] = {}
    rows = []
    for module, tested in explanations_of(system).tests.items():
        if not any(verdict.of_network(name) in tested for name in methods):
            continue
        explainer, stages = _tools(module, size)
        made = import_module(module).cases_of_patient(explainer, number, domain, tuning, left_out)
        rows += [
            check(explainer, case, stages[case.question.network], method)
            for case in made
            for method in methods.get(case.question.network, ())
        ]
    return rows, left_out


_made: dict[tuple[str, str], Any] = {}


def _tools(module: str, size: str) -> Any:
    from models.explain.checks import randomised

    if (module, size) not in _made:
        explainer = import_module(module).tools(size)
        nets = {name: randomised(explainer, name, size) for name in explainer.networks}
        _made[module, size] = explainer, nets
    return _made[module, size]


def figures(rows: pd.DataFrame) -> dict[str, Any]:
    """Means over the cases of one network with intervals over patients, and how many of each there are."""
    from models.evaluation.intervals import mean_by_patient

    table = rows.assign(
        share_beyond_box=rows["share"] - rows["box_share"],
        point_beyond_box=rows["point"] - rows["box_point"],
    )
    counts = {"cases": len(rows), "patients": int(rows["patient"].nunique())}
    return (
        counts
        | {"empty_maps": int(rows["empty"].sum())}
        | {name: mean_by_patient(table[name], table["patient"], draws=DRAWS) for name in SHOWN}
    )


def run_tests(
    system: str,
    patients: int,
    domain: str,
    *,
    tuning: bool = False,
    methods: Methods | None = None,
    size: str = "demo",
    processes: int = 1,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """All cases of so many patients, one row a case and method, and counts of what was left out."""
    used = methods or methods_of(system)
    work = partial(rows_of_patient, system=system, domain=domain, tuning=tuning, methods=used, size=size)
    numbers = range(1, patients + 1)
    if processes > 1:
        with get_context("spawn").Pool(processes, end_with_parent) as pool:
            parts = pool.map(work, numbers, chunksize=1)
    else:
        parts = [work(number) for number in numbers]
    words = dict.fromkeys(word for _, left_out in parts for word in left_out)
    counts = {word: sum(left_out.get(word, 0) for _, left_out in parts) for word in words}
    return pd.DataFrame([row for rows, _ in parts for row in rows]), counts


def result(
    system: str, sets: Mapping[str, tuple[pd.DataFrame, dict[str, int]]], size: str = "demo"
) -> dict[str, Any]:
    """What is stored beside the weights: figures by network, domain and grade; the verdict is that of the
    first domain."""
    card = cards.read_card(system, size)
    found: dict[str, Any] = {
        "system": system,
        "size": size,
        "note": f"phantom {scores.get(system).image_title}s, research only",
        "weights_hash": cards.weights_hash(card),
        "limits": {
            "beyond_box": verdict.BEYOND_BOX,
            "most_random": verdict.MAX_RANDOM,
            "least_repeat": verdict.MIN_REPEAT,
        },
        "left_out": {name: left_out for name, (_, left_out) in sets.items()},
        "networks": {},
    }
    for network, method in explanations_of(system).methods.items():
        by_set = {name: rows[rows["network"] == network] for name, (rows, _) in sets.items()}
        tables = {name: figures(rows) for name, rows in by_set.items() if len(rows)}
        if not tables:
            continue
        judged = verdict.judge(next(iter(tables.values())))
        first = next(iter(by_set.values()))
        features = first["name"].map(_feature)
        several = features.nunique() > 1
        true = [] if several else sorted(set(first["true"]) - {0})
        found["networks"][network] = {
            "method": method.name,
            "sha256": card["networks"][verdict.of_network(network)]["sha256"],
            "passed": judged.passed,
            "reasons": list(judged.reasons),
            "sets": tables,
            "by_grade": {str(grade): figures(first[first["true"] == grade]) for grade in true}
            if len(true) > 1
            else {},
            "by_feature": {name: figures(part) for name, part in first.groupby(features)} if several else {},
        }
    return found


def _feature(name: str) -> str:
    """The feature of a site of the hands (``RH.J.MCP1``: jsn); none for what is named otherwise."""
    features = {site.code: site.feature for one in scores.systems().values() for site in one.sites}
    return features.get(name, "")


def kept(stored: Mapping[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """New results with those stored of networks that were not tested again."""
    if stored is None:
        return new
    every = {**stored["networks"], **new["networks"]}
    order = [name for name in explanations_of(new["system"]).methods if name in every]
    left_out = {
        name: {**stored["left_out"].get(name, {}), **new["left_out"].get(name, {})}
        for name in dict.fromkeys((*stored["left_out"], *new["left_out"]))
    }
    return {**new, "left_out": left_out, "networks": {name: every[name] for name in order}}


def overview(every: Sequence[Mapping[str, Any]]) -> str:
    """One line a network of every system: what the verdict rests on, in the first domain."""
    from models.evaluation.markdown import shown, table

    keys = ("share", "box_share", "point", "box_point", "random all", "repeat")
    rows = []
    for found in every:
        for network, about in found["networks"].items():
            first = next(iter(about["sets"].values()))
            count = f"{first['cases']} ({first['patients']})"
            rows.append(
                [scores.get(found["system"]).title, network.partition(",")[0], about["method"], _word(about),
                 count, *(shown(first[key]) for key in keys)]
            )  # fmt: skip
    head = ["system", "network", "map", "verdict", "cases (patients)", *(SHOWN[key] for key in keys)]
    return table(head, rows)


def _word(about: Mapping[str, Any]) -> str:
    return "passed" if about["passed"] else "**failed**: " + "; ".join(about["reasons"])


def as_text(found: Mapping[str, Any]) -> str:
    """The tables of one system as Markdown."""
    from models.evaluation.markdown import as_markdown

    system = scores.get(found["system"])
    parts = [
        f"## {system.title}",
        f"Weights {found['weights_hash'][:12]}, size {found['size']}; {found['note']}. Means over cases; 95% "
        "intervals resample patients.",
    ]
    for name, left in found["left_out"].items():
        counts = ", ".join(f"{count} {word}" for word, count in left.items())
        parts.append(f"Left out in the {name} domain: {counts or 'nothing'}.")
    for network, about in found["networks"].items():
        name = network.partition(",")[0].capitalize()
        parts += [f"### {name}: {about['method']}, {_word(about)}", _network(about, system)]
    return as_markdown(parts) + "\n"


def _network(about: Mapping[str, Any], system: ScoreSystem) -> str:
    """The figures of one network by domain, and in the first domain by true grade or by feature."""
    from models.evaluation.markdown import shown, table

    features = {feature.code: feature.name for feature in system.features}
    columns = {f"{name} domain": one for name, one in about["sets"].items()}
    columns |= {f"first, true grade {grade}": one for grade, one in about["by_grade"].items()}
    columns |= {
        f"first, {features.get(name, name)}": one for name, one in about.get("by_feature", {}).items()
    }
    rows = [
        ["cases (patients)", *(f"{one['cases']} ({one['patients']})" for one in columns.values())],
        ["maps without any heat", *(str(one["empty_maps"]) for one in columns.values())],
        *([label, *(shown(one[key]) for one in columns.values())] for key, label in SHOWN.items()),
    ]
    return table(["", *columns], rows)


def all_tables(size: str = "demo") -> str:
    """The tables of every system whose maps were tested, an overview first."""
    stored = [verdict.read_results(system, size) for system in explained()]
    every = [found for found in stored if found is not None]
    return "\n\n".join([overview(every), *(as_text(found) for found in every)])


def comparison(rows: pd.DataFrame) -> str:
    """One line a candidate: the figures that the verdict rests on."""
    lines = []
    for (network, method), part in rows.groupby(["network", "method"], sort=False):
        mean = part.mean(numeric_only=True)
        values = "  ".join(
            f"{key} {mean[key]:.3f}"
            for key in ("share", "area", "box_share", "point", "box_point", "centre_point", "random all",
                        "repeat", "empty")
        )  # fmt: skip
        lines.append(f"{network:7} {method:20} n={len(part):3}  {values}")
    return "\n".join(lines)


def _chosen(system: str, networks: Sequence[str], compare: bool) -> Methods:
    """The methods to test: all of a system, or of some networks. Raises InputError where there is none."""
    every: Methods = explanations_of(system).candidates if compare else methods_of(system)
    found = {n: m for n, m in every.items() if not networks or verdict.of_network(n) in networks}
    if not found:
        raise InputError(
            f"networks {', '.join(networks)} of {system}", "none has maps", f"of: {', '.join(every)}"
        )
    return found


@click.command()
@click.option("--system", "systems", multiple=True, help="All where left out.")
@click.option("--network", "networks", multiple=True, help="As the card names it; all where left out.")
@click.option("--patients", default=20, show_default=True, help="Of each domain and system.")
@click.option("--domain", type=click.Choice([*DOMAINS, "both"]), default="both", show_default=True)
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option("--processes", default=1, show_default=True)
@click.option("--page", type=click.Path(path_type=Path), default=PAGE, show_default=True)
@click.option("--compare", is_flag=True, help="Every candidate, on tuning patients; writes nothing.")
def main(
    systems: tuple[str, ...], networks: tuple[str, ...], patients: int, domain: str, size: str,
    processes: int, page: Path, compare: bool,
) -> None:  # fmt: skip
    """Test the maps of the shipped networks on phantom films."""
    from models.evaluation.markdown import into_page

    for system in systems or explained():
        methods = _chosen(system, networks, compare)
        run = partial(run_tests, system, patients, methods=methods, size=size, processes=processes)
        if compare:
            rows, _ = run("first", tuning=True)
            click.echo(comparison(rows))
            continue
        sets = {name: run(name) for name in (DOMAINS if domain == "both" else (domain,))}
        path, found = verdict.result_path(system, size), result(system, sets, size)
        if networks:
            found = kept(verdict.read_results(system, size), found)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if not compare:
        tables = all_tables(size)
        text = into_page(page.read_text(encoding="utf-8"), MARK, tables)
        page.write_text(text, encoding="utf-8")
        click.echo(tables)


if __name__ == "__main__":
    main()
