"""Estimands as lines for a person."""

from __future__ import annotations

from typing import Any


def estimand_lines(found: dict[str, Any]) -> list[str]:
    """Who is affected, then the result under every strategy."""
    lines = [f"Estimands (ICH E9(R1)), change from day {found['from_days']:g} to day {found['to_days']:g}"]
    if found["event"]:
        lines += [_affected(found["event"], row) for row in found["affected"]]
    lines += [f"not in any estimand: {row['subject']}, {row['reason']}" for row in found["excluded"]]
    for row in found["results"]:
        lines += ["", f"{row['title']}: {row['estimand']}", *_result(row)]
    if any("assumptions" in row for row in found["results"]):
        lines += ["", f"variance: {found['variance']}"]
    return lines


def _affected(event: str, row: dict[str, Any]) -> str:
    from core.progression.estimands.events import named

    who = named([f"{one['subject']} (day {one['day']:g})" for one in row["subjects"]])
    after = sum(one["films_after"] for one in row["subjects"])
    return (
        f"{event} before the visit, {row['arm']}: {row['affected']} of {row['patients']}, "
        f"{after} films after it{': ' if who else ''}{who}"
    )


def _result(row: dict[str, Any]) -> list[str]:
    if "failed" in row:
        return [f"  not possible: {row['failed']}"]
    if row["strategy"] == "composite":
        return _composite(row)
    if row["strategy"] == "while-on-treatment":
        return _while(row)
    gaps = ", ".join(f"{arm} {count} of {row['patients'][arm]}" for arm, count in row["missing"].items())
    lines = [f"  {row['films_set_aside']} films set aside; without a film at the visit: {gaps}"]
    for one in row["assumptions"]:
        lines.append(f"  {one['title']}: {one['text']}")
        for part in one["arms"]:
            lines.append(f"    {part['arm']:<24} {_both(part)}")
        for part in one["differences"]:
            lines.append(f"    {part['a'] + ' minus ' + part['b']:<24} {_both(part)}")
    return lines + [f"  {_tipping(one)}" for one in row["tipping"]]


def _both(part: dict[str, Any]) -> str:
    rubin = "" if part["rubin"] is None else f"Rubin's rules {_value(part['rubin'])}"
    return f"{_value(part):<28} {rubin}".rstrip()


def _tipping(row: dict[str, Any]) -> str:
    verdict = "differs" if row["is_different"] else "no difference shown"
    pair = f"tipping point ({row['assumption']}), {row['a']} minus {row['b']}: {verdict}"
    if not row["missing"][0]:
        return f"{pair}; {row['a']} has no missing film, so that nothing can be shifted"
    if row["delta"] is None:
        return f"{pair}; no shift of the {row['missing'][0]} missing changes of {row['a']} turns this"
    sides = [f"{row[side]:+.3g}" for side in ("up", "down") if row[side] is not None]
    return (
        f"{pair}; turns when {row['missing'][0]} missing changes of {row['a']} are shifted by "
        f"{' or '.join(sides)} (observed there: mean {row['observed_mean']:.3g}, SD {row['observed_sd']:.3g})"
    )


def _composite(row: dict[str, Any]) -> list[str]:
    lines = [
        f"  progressors ({row['definition']}, or the event); without a change: {len(row['without_change'])}"
    ]
    for part in row["progressors"]:
        lines.append(
            f"    {part['arm']:<24} {part['count']} of {part['n']}, {part['events']} by the event  "
            f"{_value(part, percent=True)}"
        )
    for part in row["differences"]:
        lines.append(f"    {part['a'] + ' minus ' + part['b']:<24} {_value(part, percent=True)}")
    for part in row["ranks"]:
        lines.append(f"    {part['a']} does worse than {part['b']} in {_value(part, percent=True)} of pairs")
    return lines


def _while(row: dict[str, Any]) -> list[str]:
    lines = [f"  without a change before the event: {len(row['without_change'])}"]
    for part in row["arms"]:
        rate = part["per_year"]
        days = "-" if part["days"] is None else f"{part['days']:.0f}"
        lines.append(
            f"    {part['arm']:<24} {_value(part)}  n {part['n']}, {days} days on average; "
            f"per year {_value(rate)}  n {rate['n']}"
        )
    for part in row["differences"]:
        lines.append(
            f"    {part['a'] + ' minus ' + part['b']:<24} {_value(part)}; per year {_value(part['per_year'])}"
        )
    return lines


def _value(part: dict[str, Any], *, percent: bool = False) -> str:
    low, high = part["ci"]
    shape = "{:.0%}" if percent else "{:.3g}"
    value = "-" if part["estimate"] is None else shape.format(part["estimate"])
    return value if low is None or high is None else f"{value} ({shape.format(low)} to {shape.format(high)})"
