"""Simulated readers and patients of phantom ultrasound beside published figures. Nothing is rendered.

``python -m data.phantom.ultrasound.validation [PATIENTS]`` prints what docs/phantom-ultrasound.md shows, as
Markdown.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from core.agreement.grades.kappa import kappa
from core.scores import get
from data.phantom.mri.validation import markdown
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.course import arm_of
from data.phantom.spine.validation.estimates import bootstrap, icc_text, mean
from data.phantom.ultrasound.patients import DISEASES, SIDES, Patient, make_patient
from data.phantom.ultrasound.readers import DAILY, READERS, Reader, read_visits, true_grades
from data.phantom.ultrasound.scans import Body, body_of

STUDY = StudySeed(StudyRole.TEST, 2026)
GRADES = np.arange(4)
SETTINGS = {"standardised": READERS, "daily practice": DAILY}
MCP = tuple((side, joint) for side in SIDES for joint in ("MCP2", "MCP3", "MCP4", "MCP5"))
PUBLISHED = {
    ("standardised", "gs"): "0.87", ("standardised", "pd"): "0.79", ("standardised", "combined"): "0.86",
    ("daily practice", "gs"): "0.30-0.70", ("daily practice", "pd"): "0.53-1.0",
    ("daily practice", "combined"): "",
}  # fmt: skip
Bodies = dict[float, dict[tuple[str, str], Body]]


@dataclass(frozen=True)
class Reads:
    """Grades of patients by scale (gs, pd, combined). read: (patients, readers, joints); true: (patients,
    joints). NaN where GS 0 stands beside flow and the table gives no combined grade."""

    read: dict[str, np.ndarray]
    true: dict[str, np.ndarray]


def combined(gs: np.ndarray, pd_: np.ndarray) -> np.ndarray:
    """Combined grade by the table of the score, NaN for its query cells."""
    rule = get("synovitis").combination
    assert rule is not None
    table = np.array([[np.nan if cell is None else cell for cell in row] for row in rule.table], float)
    return np.asarray(table[gs.astype(int), pd_.astype(int)])


def bodies_of(patient: Patient, weeks: Sequence[float]) -> Bodies:
    """Every joint of a patient at each of these weeks."""
    return {week: {one: body_of(patient, *one, week) for one in patient.joints} for week in weeks}


def read_joints(
    study: StudySeed, patients: int, readers: Sequence[Reader], joints: tuple[tuple[str, str], ...] = MCP
) -> Reads:
    """Baseline of patients 1 to ``patients``, the same joints of each, by all readers."""
    read, true = [], []
    for number in range(1, patients + 1):
        patient = make_patient(study, number, joints=joints)
        bodies = bodies_of(patient, (0.0,))
        read.append([_by_scale(read_visits(patient, bodies, reader)) for reader in readers])
        true.append(_by_scale(true_grades(bodies[0.0].items())))
    grades, truth = np.array(read, float), np.array(true, float)
    return Reads(_scales(grades[:, :, 0], grades[:, :, 1]), _scales(truth[:, 0], truth[:, 1]))


def _scales(gs: np.ndarray, pd_: np.ndarray) -> dict[str, np.ndarray]:
    return {"gs": gs, "pd": pd_, "combined": combined(gs, pd_)}


def _by_scale(frame: pd.DataFrame) -> list[np.ndarray]:
    return [frame.loc[frame["feature"] == name, "grade"].to_numpy(float) for name in ("gs", "pd")]


def pair_kappas(read: np.ndarray, weights: str = "linear") -> np.ndarray:
    """Kappa of each pair of readers over all joints; read: (patients, readers, joints)."""
    found = [kappa(_table(one, two), GRADES, weights)["estimate"] for one, two in _pairs(read)]
    return np.array(found, float)


def pair_agreement(read: np.ndarray, within: int = 0) -> float:
    """Share of joints on which two readers differ by no more than ``within`` grades, mean over pairs."""
    shares = []
    for one, two in _pairs(read):
        both = np.isfinite(one) & np.isfinite(two)
        shares.append((np.abs(one - two)[both] <= within).mean())
    return float(np.mean(shares))


def _pairs(read: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(read[:, i], read[:, j]) for i, j in combinations(range(read.shape[1]), 2)]


def _table(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    both = np.isfinite(one) & np.isfinite(two)
    table = np.zeros((4, 4))
    np.add.at(table, (one[both].astype(int), two[both].astype(int)), 1)
    return table


def reader_table(reads: Reads, setting: str) -> list[tuple[str, str, str]]:
    """Figure, phantom, published: agreement of the three readers."""
    rows = []
    for scale, read in reads.read.items():
        value = float(pair_kappas(read).mean())
        limits = _kappa_limits(read)
        text = f"{value:.2f} ({limits[0]:.2f} to {limits[1]:.2f}), n {len(read)}"
        rows.append((f"{scale}: kappa, linear weights, mean of pairs", text, PUBLISHED[setting, scale]))
    for scale, figures in (("gs", ("73.1%", "98.1%", "0.95")), ("pd", ("83.7%", "98.0%", "0.97"))):
        read = reads.read[scale]
        atlas = figures if setting == "standardised" else ("", "", "")
        exact, near = (f"{100 * pair_agreement(read, within):.1f}%" for within in (0, 1))
        sums = icc_text(read.sum(axis=2)[:, :2])
        rows += [
            (f"{scale}: same grade", exact, atlas[0] and f"{atlas[0]} (atlas-trained)"),
            (f"{scale}: within one grade", near, atlas[1] and f"{atlas[1]} (atlas-trained)"),
            (
                f"{scale}: sum of 8 joints, two readers: ICC(A,1)",
                sums,
                atlas[2] and f"{atlas[2]} (16 joints)",
            ),
        ]
    return rows


def _kappa_limits(read: np.ndarray) -> tuple[float, float]:
    """Limits of the mean kappa over draws of patients."""

    def drawn(chosen: np.ndarray) -> np.ndarray:
        return np.array([pair_kappas(read[patients]).mean() for patients in chosen[:10]])

    return bootstrap(len(read), drawn)


# -- grades, diagnoses, course -----------------------------------------------------------------------------


def scanned(study: StudySeed, patients: int, first: int = 1) -> pd.DataFrame:
    """A row a scanned joint at baseline: patient, disease, kind, device, gs, pd, erosions, sheath."""
    rows = []
    for number in range(first, first + patients):
        patient = make_patient(study, number)
        for one, body in bodies_of(patient, (0.0,))[0.0].items():
            state = body.state
            rows.append(
                (number, patient.disease, body.joint.kind, patient.machine.name, one[1], body.gs, body.pd,
                 state.erosions, state.sheath > 0)
            )  # fmt: skip
    columns = ["patient", "disease", "kind", "device", "joint", "gs", "pd", "erosions", "sheath"]
    return pd.DataFrame(rows, columns=columns)


def grade_table(joints: pd.DataFrame) -> list[tuple[str, ...]]:
    """Share of grades of both scales beside the paper's."""
    rows = []
    both = pd.concat([joints["gs"], joints["pd"]])
    for name, grades in (("gs", joints["gs"]), ("pd", joints["pd"]), ("both", both)):
        share = np.bincount(grades, minlength=4) / len(grades)
        rows.append((name, *(f"{100 * one:.1f}%" for one in share)))
    return [*rows, ("published, 2966 grades", "70.2%", "14.6%", "12.6%", "2.6%")]


FACTS = ("kind", "device", "gs", "pd", "erosions", "sheath")


def diagnosis_auc(
    train: pd.DataFrame, test: pd.DataFrame, positive: Sequence[str], negative: Sequence[str]
) -> float:
    """AUC over joints of the best that the facts of a joint can say: naive Bayes on what was drawn."""
    parts = [frame[frame["disease"].isin([*positive, *negative])] for frame in (train, test)]
    fitted, asked = (part.assign(is_one=part["disease"].isin(positive)) for part in parts)
    score = np.zeros(len(asked))
    for fact in FACTS:
        counts = pd.crosstab(fitted[fact], fitted["is_one"]) + 0.5
        odds = np.log(counts[True] / counts[True].sum()) - np.log(counts[False] / counts[False].sum())
        score += asked[fact].map(odds).fillna(0.0).to_numpy(float)
    return _auc(score, asked["is_one"].to_numpy(bool))


def _auc(score: np.ndarray, is_one: np.ndarray) -> float:
    ranks = pd.Series(score).rank().to_numpy()
    ones = int(is_one.sum())
    return float((ranks[is_one].sum() - ones * (ones + 1) / 2) / (ones * (len(score) - ones)))


TASKS = {
    "RA v SpA/PsA": (("RA+", "RA-"), ("PsA", "SpA")), "RA+ v RA-": (("RA+",), ("RA-",)),
    "RA+ v SpA/PsA": (("RA+",), ("PsA", "SpA")), "RA- v SpA/PsA": (("RA-",), ("PsA", "SpA")),
}  # fmt: skip


def diagnosis_table(train: pd.DataFrame, test: pd.DataFrame) -> list[tuple[str, str, str]]:
    """AUC of each task from the facts of a joint: what a network can reach at best."""
    return [(name, f"{diagnosis_auc(train, test, *task):.2f}", "0.65-0.67") for name, task in TASKS.items()]


def course_table(study: StudySeed, patients: int, weeks: Sequence[float]) -> list[tuple[str, ...]]:
    """Sum of combined grades of eight MCP joints by arm and week."""
    sums: dict[bool, list[list[float]]] = {False: [], True: []}
    for number in range(1, patients + 1):
        bodies = bodies_of(make_patient(study, number, joints=MCP), weeks)
        sums[arm_of(study, number) == 1].append([gloess(bodies[week]) for week in weeks])
    return [
        (name, *(mean(np.array(sums[active])[:, at]) for at in range(len(weeks))))
        for name, active in (("placebo", False), ("active", True))
    ]


def gloess(bodies: dict[tuple[str, str], Body]) -> float:
    """Sum of combined grades."""
    grades = np.array([(body.gs, body.pd) for body in bodies.values()])
    return float(np.nansum(combined(grades[:, 0], grades[:, 1])))


def report(patients: int) -> str:
    """All tables, from ``patients`` patients."""
    head, weeks = ("figure", "phantom", "published"), (0.0, 12.0, 24.0, 52.0)
    joints, more = scanned(STUDY, 340), scanned(STUDY, 1020, first=341)
    sizes = "; ".join(f"{name} {joints[joints.disease == name].patient.nunique()}" for name in DISEASES)
    kinds = [
        (str(name), *(f"{100 * value:.0f}%" for value in row))
        for name, row in pd.crosstab(joints["disease"], joints["kind"], normalize="index").iterrows()
    ]
    parts = {
        f"Readers, {setting}, MCP2-5 of both sides": markdown(
            head, reader_table(read_joints(STUDY, patients, readers), setting)
        )
        for setting, readers in SETTINGS.items()
    } | {
        f"Grades of {len(joints)} joints of 340 patients ({sizes})": markdown(
            ("scale", "0", "1", "2", "3"), grade_table(joints)
        ),
        "Joints scanned": markdown(("diagnosis", *sorted(joints["kind"].unique())), kinds),
        "Diagnosis from the facts of one joint (AUC)": markdown(
            ("task", "phantom, from truth", "published, networks"), diagnosis_table(more, joints)
        ),
        "Course under treatment, sum of combined grades of 8 MCP joints": markdown(
            ("arm", *(f"week {week:.0f}" for week in weeks)), course_table(STUDY, patients, weeks)
        ),
    }
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in parts.items()) + "\n"


if __name__ == "__main__":
    sys.stdout.write(report(int(sys.argv[1]) if len(sys.argv) > 1 else 120))
