"""``train``, ``evaluate`` and ``score`` as commands: what they refuse, and a training from a labelled
folder.
"""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from core.cli import main
from models.msasss.sites import SITES


def sharpline(*arguments):
    code = "from core.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=250
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "gout", "--data", "x", "--out", "y"), "msasss and mtss and sparcc and synovitis can be"),
        (("train", "msasss", "--out", "y"), "exactly one of them is needed"),
        (("train", "msasss", "--data", "nowhere", "--out", "y"), "a folder of labelled films is needed"),
        (("train", "mtss", "--phantom", 1, "--finder-epochs", 3, "--out", "y"), "mtss has no such option"),
        (("train", "mtss", "--phantom", 1, "--loss", "ordinal", "--out", "y"), "--loss; mtss has no such"),
        (
            ("train", "synovitis", "--phantom", 1, "--imagenet", "none.pth", "--out", "y"),
            "none.pth; there is no such file",
        ),
        (
            ("train", "mtss", "--phantom", 1, "--learning-rate", 1, "--out", "y"),
            "--learning-rate; mtss has no",
        ),
        (("train", "msasss", "--data", "x", "--first-patient", 3, "--out", "y"), "it goes with --phantom"),
        (("evaluate", "gout"), "msasss and mtss and sparcc and stir and synovitis and diagnosis can be"),
        (("--cohort", "nowhere.duckdb", "score"), "there is no such file"),
        (("--cohort", "nowhere.duckdb", "score", "--system", "gout"), "a model exists for msasss"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    complaint = capsys.readouterr().err
    assert end.value.code == 2
    assert complaint.startswith("sharpline: ")
    assert message in complaint
    assert len(complaint.splitlines()) == 1


def labelled_folder(folder):
    """Four patients, one film each: noise with twelve boxes down the middle."""
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(4):
        film = rng.integers(0, 4000, (500, 250), dtype=np.uint16)
        cv2.imwrite(str(folder / "images" / f"S{number}.png"), film)
        about = {"patient": f"S{number}", "view": "lumbar", "spacing_mm": [0.8, 0.8]}
        images.append({"id": number, "file_name": f"S{number}.png"} | about)
        for place, _ in enumerate(SITES["lumbar"]):
            y = 60 + 17 * place + 16 * (place // 2)
            box = {"image_id": number, "category_id": place % 4, "bbox": [100, y, 15, 15]}
            annotations.append(box)
    names = ("normal", "erosion", "syndesmophyte", "ankylosis")
    categories = [{"id": grade, "name": name} for grade, name in enumerate(names)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "labels.json").write_text(json.dumps(content))
    return folder


@pytest.mark.slow
def test_training_from_a_labelled_folder_writes_weights_and_card(tmp_path):
    data = labelled_folder(tmp_path / "data")
    out = tmp_path / "out"
    done = sharpline(
        "train", "msasss", "--data", data, "--out", out, "--epochs", 1, "--finder-epochs", 1, "--json"
    )
    assert done.returncode == 0, done.stderr
    card = json.loads(done.stdout)
    assert card["training"]["patients"] + card["training"]["tuning_patients"] == 4
    assert card["training"]["tuning_patients"] >= 1
    on_disk = json.loads((out / "msasss-demo.json").read_text())
    assert not set(on_disk["training"]["patients"]) & set(on_disk["training"]["tuning_patients"])
    assert "phantom" not in on_disk["note"]
    assert sorted(path.name for path in out.glob("*.safetensors")) == [
        "msasss-demo-finder.safetensors",
        "msasss-demo-grader.safetensors",
    ]
    again = sharpline(
        "train", "msasss", "--data", data, "--out", out, "--epochs", 1, "--finder-epochs", 1, "--json"
    )
    assert json.loads(again.stdout)["networks"] == card["networks"]
    assert "is there already" in again.stderr
