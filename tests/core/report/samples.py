"""A study of ten made-up patients for tests of the report: the readings of ``domain.md`` F3 and a model."""

from datetime import datetime

import pandas as pd

from core import scores
from core.agreement.comparison import Readings
from core.report.inputs import Origin, ReportInputs

SYSTEM = scores.get("msasss")
MODEL, OTHER = "model:m", "model:n"
KINDS = {"R1": "human", "R2": "human", MODEL: "model", OTHER: "model", "truth": "consensus"}
TOTALS = {
    "R1": ([0, 4, 12, 22, 2, 35, 0, 8, 16, 5], [0, 6, 13, 22, 2, 41, 2, 8, 19, 5]),
    "R2": ([0, 5, 10, 24, 2, 33, 1, 7, 15, 6], [1, 6, 13, 23, 2, 37, 1, 8, 16, 6]),
    MODEL: ([0, 4, 11, 23, 2, 30, 1, 7, 15, 5], [1, 6, 13, 23, 2, 41, 1, 9, 17, 5]),
    OTHER: ([3, 4, 14, 23, 5, 30, 4, 7, 18, 5], [1, 9, 13, 26, 2, 44, 1, 12, 17, 8]),
    "truth": ([0, 4, 11, 23, 2, 34, 0, 8, 15, 5], [0, 6, 13, 23, 2, 39, 1, 8, 17, 5]),
}
PATIENTS = [f"P{number:02d}" for number in range(1, 11)]
MODES = {"R1": "paired", "R2": "paired", MODEL: "single", OTHER: "single", "truth": "paired"}


def totals(labels=("R1", "R2", MODEL), visits=("BL", "W104")):
    rows = [
        {
            "subject": subject, "visit": visit, "component": "total", "label": label, "kind": KINDS[label],
            "total": float(TOTALS[label][place][number]), "imputed_sites": 0, "missing_reason": None,
        }
        for label in labels
        for place, visit in enumerate(visits)
        for number, subject in enumerate(PATIENTS)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"missing_reason": object})


def thirty(labels=("R1", "R2", MODEL)):
    """The readings of three times as many patients: enough for a verdict."""
    once = totals(labels)
    return readings(pd.concat([once.assign(subject=once["subject"] + more) for more in ("", "b", "c")]))


def readings(frame=None, visits=("BL", "W104")):
    return Readings(
        totals=totals(visits=visits) if frame is None else frame,
        visits=list(visits),
        components=["total"],
        unit="mSASSS",
        modes=MODES,
    )


def grades(labels=("R1", "R2", MODEL), visits=("BL", "W104")):
    """Two sites; P06 gets a bridge at C5I between the visits, seen by R1 and the model."""
    rows = []
    for label in labels:
        for place, visit in enumerate(visits):
            for number, subject in enumerate(PATIENTS):
                grade = number % 3 if label != "R2" else (number + (number == 7)) % 3
                bridge = subject == "P06" and place == 1 and label != "R2"
                rows.append((subject, visit, "C5I", "corner", label, KINDS[label], 3 if bridge else grade))
                rows.append((subject, visit, "L2S", "corner", label, KINDS[label], number % 2))
    columns = ["subject", "visit", "site", "feature", "label", "kind", "grade"]
    return pd.DataFrame(rows, columns=columns).astype({"grade": "Int32"})


def attended(visits=("BL", "W104")):
    rows = [
        (subject, visit, 364 * 2 * place, 2) for subject in PATIENTS for place, visit in enumerate(visits)
    ]
    frame = pd.DataFrame(rows, columns=["subject", "visit", "planned_day", "films"])
    return frame.astype({"films": "Int64"})


def groups():
    """Six women and four men."""
    rows = [(subject, "sex", "F" if number < 6 else "M") for number, subject in enumerate(PATIENTS)]
    return pd.DataFrame(rows, columns=["subject", "group", "level"])


def rereads():
    """R1 read five patients again, a unit higher at the last visit of P01."""
    rows = []
    for read_as in ("first read", "read again"):
        for place, visit in enumerate(("BL", "W104")):
            for number, subject in enumerate(PATIENTS[:5]):
                more = 1.0 * (read_as == "read again" and subject == "P01" and place == 1)
                total = TOTALS["R1"][place][number] + more
                rows.append(("R1", "read 2", "total", subject, visit, read_as, total))
    columns = ["reader", "occasion", "component", "subject", "visit", "read_as", "total"]
    return pd.DataFrame(rows, columns=columns)


def inputs(**changes):
    read = changes.pop("readings", None) or readings()
    labels = list(read.kinds)
    origin = Origin(
        cohort="c.duckdb", version=7, last_event=datetime(2024, 5, 2, 10, 30), head="f" * 64, events=7,
        faults=(), software="0.1.0",
        queries={"data.queries.scores.totals": "SELECT 1 < 2"}, weights={MODEL: "abc123"},
        chosen={"system": "msasss"},
    )  # fmt: skip
    given = {
        "system": SYSTEM,
        "rule": SYSTEM.default_rule,
        "study": "TEST-1",
        "is_phantom": True,
        "is_blinded": False,
        "campaign": "main",
        "readings": read,
        "readers": pd.DataFrame(
            {"reader": labels, "kind": [KINDS[label] for label in labels], "campaign": "main",
             "read_mode": [MODES[label] for label in labels], "read": 1, "patients": 10, "weights_hash": None}
        ),
        "attended": attended(),
        "grades": grades([label for label in labels if label != "truth"]),
        "abstentions": pd.DataFrame(columns=["subject", "visit", "body_part", "image", "reader", "reason"]),
        "counts": {"images": 40, "unassigned": 0},
        "arms": {},
        "margins": (),
        "origin": origin,
    }  # fmt: skip
    return ReportInputs(**(given | changes))
