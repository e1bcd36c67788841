"""Grading ultrasound scans: two lean processes against the plain loop, one image and one network at a time.

The plain loop is what one would write first: cut the scan out, ask each of the five networks about it as it
was trained, next image, with torch's default threads. The runner reads the scans of a visit together, in
processes of one thread each: networks with normalisation folded in, laid out for the processor, over all
pictures at once. Both with the same weights; the clock is that of the wall, so nothing else may be running.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.domain import Image

PATIENTS = 24
AIM = 20.0  # images a second on two cores
_worker: dict[str, Any] = {}


def main() -> None:
    visits = _visits()
    images = [image for visit in visits for image in visit]
    slow, plain = _plain(images)
    fast, lean = _lean(visits)
    print(f"{len(images)} images of {len(visits)} visits")
    print(
        f"plain loop {len(images) / plain:.1f} images a second, two lean processes {len(images) / lean:.1f}"
    )
    print(f"{plain / lean:.1f}x; at least {AIM:g} a second: {len(images) / lean >= AIM}")
    same = sum(one == other for one, other in zip(slow, fast, strict=True))
    print(f"grades equal: {same} of {len(images)}")


def _visits() -> list[list[Image]]:
    from data.phantom.seeds import StudyRole, StudySeed
    from data.phantom.ultrasound.cases import cases_of_patient

    study = StudySeed(StudyRole.TEST, 0)
    return [
        [case.image for case in cases_of_patient(study, "first", number)] for number in range(1, PATIENTS + 1)
    ]


def _plain(images: Sequence[Image]) -> tuple[list[int], float]:
    import torch

    from core.imaging.ultrasound import for_network
    from models.synovitis.networks import TASKS, load

    networks = {task: load(task) for task in TASKS}
    for one in networks.values():
        one.network.to(memory_format=torch.contiguous_format)
    grades = []
    began = time.monotonic()
    for image in images:
        picture = for_network(image)[None]
        said = {task: one.predict(picture) for task, one in networks.items()}
        grades.append(int(networks["grade"].answers(said["grade"])[0]))
    return grades, time.monotonic() - began


def _lean(visits: Sequence[Sequence[Image]]) -> tuple[list[int], float]:
    with get_context("spawn").Pool(2, initializer=_start) as pool:
        pool.map(_grades, visits[:4], chunksize=1)  # both processes have their networks
        began = time.monotonic()
        found = pool.map(_grades, visits, chunksize=1)
        return [grade for grades in found for grade in grades], time.monotonic() - began


def _start() -> None:
    from models.synovitis.scorer import build

    _worker["scorer"] = build(threads=1)


def _grades(images: Sequence[Image]) -> list[int]:
    return [reading.grade for reading in _worker["scorer"].read_visit(images)]


if __name__ == "__main__":
    main()
