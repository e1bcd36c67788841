"""A folder of phantom MRI as a test set: stacks come back from DICOM as they were drawn."""

import numpy as np
import pytest

from core.errors import InputError
from data.phantom.mri.files import MriPlan
from data.phantom.mri.patients import Patient
from data.phantom.seeds import StudyRole
from models.sparcc.evaluation import rendered
from models.sparcc.evaluation.files import stacks_in
from models.sparcc.evaluation.rendered import write_parts
from models.sparcc.evaluation.stir import read_folder

PLAN = MriPlan(1, 11, role=StudyRole.TEST, population="mixed", weeks=(0,), views=("cervical",))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The folder of one stack, and the stack itself."""
    made, kept, draw = tmp_path_factory.mktemp("mri") / "folder", [], Patient.stack
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Patient, "stack", lambda *given: kept.append(draw(*given)) or kept[0])
        write_parts(PLAN, made, processes=1)
    return made, kept[0]


def test_a_stack_read_from_its_files_is_the_one_that_was_drawn(drawn):
    folder, stack = drawn
    (found,) = stacks_in(folder)
    assert (found.subject, found.view) == (PLAN.people()[0].subject, "cervical")
    image = found.image()
    assert np.array_equal(image.frames, stack.stir)
    assert np.array_equal(found.mask("oedema"), stack.oedema)
    assert np.array_equal(found.mask("structures"), stack.structures)
    assert image.spacing_mm == pytest.approx(stack.spacing_mm)
    assert (image.modality, image.sequence, image.region) == ("MR", "STIR", "cervical")
    assert image.body_part == "cervical spine"
    assert len(found.called) == len(stack.stir)


def test_the_folder_is_a_test_set_of_phantoms(drawn):
    one = read_folder(drawn[0])
    assert (len(one.images), one.real) == (1, False)


def test_tables_of_patients_written_one_by_one_are_joined(tmp_path, monkeypatch):
    def write(plan, folder):
        for kind in ("mri", "masks"):
            (folder / kind / f"P{plan.first}").mkdir(parents=True)
            (folder / kind / f"P{plan.first}" / "file").write_text(kind)
        (folder / "slices.csv").write_text(f"subject,slice\nP{plan.first},\nP{plan.first},007\n")
        (folder / "levels.csv").write_text("name,label\nC2,1\n")

    monkeypatch.setattr(rendered, "write_mri", write)
    write_parts(MriPlan(2, 11, first=5), tmp_path / "folder", processes=1)
    assert (tmp_path / "folder" / "slices.csv").read_text() == "subject,slice\nP5,\nP5,007\nP6,\nP6,007\n"
    assert (tmp_path / "folder" / "levels.csv").read_text() == "name,label\nC2,1\n"
    assert (tmp_path / "folder" / "masks" / "P6" / "file").read_text() == "masks"
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_another_folder_is_refused_with_what_would_make_one(tmp_path):
    with pytest.raises(InputError, match=r"python -m data\.phantom\.mri FOLDER"):
        read_folder(tmp_path)
