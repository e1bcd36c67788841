"""A short run of the damage, and of what damages: the long one is ``python -m tests.fuzz``."""

import random
import subprocess
import sys

import pytest

from tests.fuzz import seeds
from tests.fuzz.__main__ import one_batch
from tests.fuzz.batches import KINDS
from tests.fuzz.mutations import ANY, DICOM, mutated
from tests.helpers.paths import ROOT

SHORT = {"films": 150, "archives": 20, "discs": 12, "tables": 25}


@pytest.mark.parametrize("kind", SHORT)
def test_damaged_files_cost_themselves_alone(kind):
    batch = one_batch(kind, 5, SHORT[kind])  # in a process of its own, whose memory is its own too
    assert batch["notes"] == [] or batch["crashes"] + batch["unforeseen"] > 0, batch["notes"]
    assert batch["files"] == SHORT[kind]
    assert {name: batch[name] for name in ("wrong", "tracebacks", "alarms", "hangs")} == {
        "wrong": 0, "tracebacks": 0, "alarms": 0, "hangs": 0,
    }  # fmt: skip
    assert batch["peak_mb"] < 2048
    if kind != "tables":
        assert batch["found"] == batch["taken"] + batch["there"] + batch["refused"] > 0
        assert batch["taken"] > 0, "not everything is damaged beyond use"


def test_memory_of_a_batch_is_its_own_and_not_that_of_who_started_it():
    code = (
        "import numpy; from tests.fuzz.__main__ import one_batch; "
        "held = numpy.ones(600 * 2**20, numpy.uint8); print(one_batch('tables', 1, 1)['peak_mb'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert 50 < int(done.stdout) < 500


def test_every_kind_has_a_short_run():
    assert set(SHORT) == set(KINDS)


@pytest.mark.parametrize("mutation", sorted(set(DICOM), key=lambda one: one.__name__))
def test_damage_is_made_again_from_its_seed_and_changes_something(mutation):
    changed = 0
    for number, whole in enumerate(seeds.films()):
        first, again = (mutation(random.Random(number), whole) for _ in range(2))
        assert first == again
        changed += first != whole
    assert changed > len(seeds.films()) // 3


def test_damage_of_small_files_never_fails():
    for number in range(300):
        dice = random.Random(number)
        assert isinstance(mutated(dice, dice.randbytes(dice.randrange(40)), DICOM + ANY), bytes)
    whole = seeds.films()[0]
    for number in range(0, len(whole) // 2, 23):
        for mutation in set(DICOM):
            assert isinstance(mutation(random.Random(number), whole[: number + 2]), bytes)
