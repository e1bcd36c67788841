"""Phantom stacks that are rendered once and kept."""

from dataclasses import replace

import numpy as np

from core.imaging.sequences import STIR, T1
from data.phantom.mri.patients import Patient
from data.phantom.seeds import StudyRole
from models.sparcc import rendered as made
from models.sparcc.rendered import Patients, Stack, read, rendered, visits
from tests.helpers.small_stacks import small_stack


def kept(monkeypatch, tmp_path, who):
    """The stacks of patients, each drawn as a small one; and how often any was drawn."""
    drawn = []

    def small(patient, view, stack):
        drawn.append((patient.subject, view))
        return small_stack(patient.subject, view)

    monkeypatch.setattr(Patient, "stack", lambda self, week, view: None)
    monkeypatch.setattr(made, "_stack", small)
    return list(rendered(who, tmp_path)), drawn


def test_stacks_are_rendered_once_and_read_as_they_were(monkeypatch, tmp_path):
    who = Patients(3, whole=2)
    first, drawn = kept(monkeypatch, tmp_path, who)
    assert len(drawn) == 3 * 3 + 1
    damaged = next(tmp_path.glob("*thoracic*"))
    damaged.write_bytes(damaged.read_bytes()[:200])
    again, drawn_again = kept(monkeypatch, tmp_path, who)
    assert len(drawn_again) == 1
    for one, two in zip(first, again, strict=True):
        assert one.name == two.name
        assert np.array_equal(one.stir, two.stir)
        assert np.array_equal(one.oedema, two.oedema)
        assert (one.orientation, one.positions_mm, one.spacing_mm) == (
            two.orientation, two.positions_mm, two.spacing_mm,
        )  # fmt: skip
    assert {stack.name for stack in read(tmp_path)} == {stack.name for stack in first}
    assert [len(visit) for visit in visits(again)] == [3, 4, 3]


def test_roles_share_no_patient_and_populations_come_in_turn():
    train, tune = (list(Patients(6, role=role).people()) for role in (StudyRole.TRAIN, StudyRole.TUNE))
    assert not {one.subject for one in train} & {one.subject for one in tune}
    assert {one.population.name for one in train} == {"mixed", "clinic", "trial"}
    assert len({one.body.seed for one in [*train, *tune]}) == 12


def test_a_phantom_stack_is_one_that_a_scorer_may_read():
    stack: Stack = small_stack()
    image = stack.image()
    assert (image.sequence, image.region, image.body_part) == (STIR, "lumbar", "lumbar spine")
    assert stack.image("T1").sequence == T1
    assert np.array_equal(stack.image("T1").frames, stack.t1)
    assert replace(stack, kind="DIXON", view="whole").image().sequence == "Dixon water"
    assert replace(stack, view="whole").image().region == "whole spine"
