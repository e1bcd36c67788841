"""Test patients of phantom MRI, rendered once and kept in a temporary folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from core.helper_process import end_with_parent
from data.phantom.mri.files import MriPlan, write_mri
from data.phantom.seeds import StudyRole
from models.evaluation.run import Tell
from models.evaluation.test_set import phantom_folder

SEED = 2026
FIRST = {"first": 1, "second": 2001}  # number of the first test patient of each domain


def test_folder(
    domain: str, patients: int, population: str, weeks: tuple[int, ...], *, processes: int, tell: Tell
) -> Path:
    """The folder of test patients of a domain, rendered where it is not there yet."""
    plan = MriPlan(
        patients,
        SEED,
        role=StudyRole.TEST,
        domain=domain,
        population=population,
        weeks=weeks,
        first=FIRST[domain],
    )
    parts = ("-".join(map(str, weeks)), plan.first, patients)
    folder = phantom_folder("mri", domain, population, *parts)
    if not folder.is_dir():
        tell(f"rendering MRI of {patients} test patients, {domain} domain, population {population}")
        write_parts(plan, folder, processes)
    return folder


test_folder.__test__ = False  # type: ignore[attr-defined]


def write_parts(plan: MriPlan, folder: Path, processes: int) -> None:
    """As ``write_mri``, patient by patient in a few processes; the folder is there only when it is whole."""
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as made:
        whole, numbers = Path(made) / "whole", range(plan.first, plan.first + plan.patients)
        jobs = [(replace(plan, patients=1, first=number), Path(made) / str(number)) for number in numbers]
        if processes <= 1 or len(jobs) < 2:
            for job in jobs:
                _write(job)
        else:
            with ProcessPoolExecutor(
                processes, mp_context=get_context("spawn"), initializer=end_with_parent
            ) as pool:
                list(pool.map(_write, jobs))
        _join([part for _, part in jobs], whole)
        try:
            os.replace(whole, folder)
        except OSError:  # another run was first
            if not folder.is_dir():
                raise


def _write(job: tuple[MriPlan, Path]) -> None:
    write_mri(*job)


def _join(parts: list[Path], whole: Path) -> None:
    """Folders of one patient each as one."""
    for kind in ("mri", "masks"):
        for part in parts:
            shutil.copytree(part / kind, whole / kind, dirs_exist_ok=True, copy_function=os.replace)
    for table in sorted(parts[0].glob("*.csv")):
        if table.name == "levels.csv":
            shutil.copy(table, whole / table.name)
            continue
        frames = [pd.read_csv(part / table.name, dtype=str, keep_default_na=False) for part in parts]
        pd.concat(frames, ignore_index=True).to_csv(whole / table.name, index=False, lineterminator="\n")
