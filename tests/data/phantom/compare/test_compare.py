import cv2
import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from data.phantom.compare.measures import AREAS, black_rows, edge_width, measures, noise, spectrum
from data.phantom.compare.table import as_markdown, compared
from data.phantom.compare.two_sample import random_filters, told_apart
from data.phantom.compare.wrists import SIDE, Wrist, phantom_wrists, real_wrists
from tests.helpers.paths import REAL

FOLDER = REAL / "wrist-radiographs"
here = pytest.mark.skipif(not FOLDER.exists(), reason="the real wrists are not here")


@here
def test_published_statistics_of_the_real_wrists_come_out_again():
    stated = pd.read_csv(FOLDER / "film_statistics.csv").set_index("file").iloc[::5]
    wrists = {f"{one.name}.png": one for one in real_wrists(FOLDER)}
    names = {
        "grey p50": "p50", "noise dark": "noise_dark", "noise middle": "noise_mid",
        "noise bright": "noise_bright", "gradient p95": "grad_p95",
        "gradient p99": "grad_p99", "black rows": "black_rows_top",
    }  # fmt: skip
    for file, row in stated.iterrows():
        found = measures(wrists[file].pixels)
        for ours, theirs in names.items():
            assert found[ours] == pytest.approx(row[theirs], abs=0.03), (file, ours)


@pytest.mark.parametrize("sd", [0.5, 2.0, 6.0])
def test_noise_that_was_added_is_found(sd):
    rng = np.random.default_rng(1)
    grey = np.full((400, 400), 120.0) + rng.normal(0, sd, (400, 400))
    assert noise(grey.astype(np.float32), *AREAS["middle"]) == pytest.approx(sd, rel=0.03)
    assert np.isnan(noise(grey.astype(np.float32), *AREAS["dark"]))


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_width_of_an_edge_is_that_of_its_blur(sigma):
    step = np.full((200, 200), 100.0, dtype=np.float32)
    step[:, 100:] = 200
    blurred = cv2.GaussianBlur(step, (0, 0), sigma)
    width = edge_width(blurred, np.hypot(*np.gradient(blurred)))
    assert width == pytest.approx(2.563 * sigma, abs=0.3)  # a tenth to nine tenths of a normal distribution


def test_edges_of_dark_ground_are_not_cortex():
    step = np.full((200, 200), 10.0, dtype=np.float32)
    step[:, 100:] = 200
    assert np.isnan(edge_width(step, np.hypot(*np.gradient(step))))


def test_waves_are_found_in_their_band():
    x = np.arange(300)
    for band, wavelength in (("coarse", 30), ("middle", 10), ("fine", 4)):
        waves = np.tile(128 + 40 * np.sin(2 * np.pi * x / wavelength), (300, 1))
        power = spectrum(waves)
        assert max(power, key=lambda name: power[name]) == band


def test_black_rows_are_those_without_light():
    grey = np.zeros((50, 60))
    assert black_rows(grey) == 50
    grey[7, 3] = 30
    assert black_rows(grey) == 7


def _features(shift: float, patients: int = 20) -> tuple[np.ndarray, list[bool], list[str]]:
    rng = np.random.default_rng(3)
    is_real = [False, False] * patients + [True, True] * patients  # two pictures a patient
    values = rng.normal(size=(4 * patients, 3)) + shift * np.array(is_real)[:, None]
    return values, is_real, [f"{kind}{n // 2}" for n, kind in enumerate(is_real)]


def test_what_is_alike_is_not_told_apart_and_what_differs_is():
    alike, apart = told_apart(*_features(0)), told_apart(*_features(3))
    assert alike["estimate"] < 0.6 and alike["ci"][0] < 0.5
    assert apart["estimate"] > 0.95


def test_pictures_of_a_patient_do_not_betray_each_other():
    rng = np.random.default_rng(0)
    own = rng.normal(size=(24, 40))  # a mark of each patient, on all its pictures
    values, patients = np.repeat(own, 4, axis=0), [str(n // 4) for n in range(96)]
    is_real = [n // 4 % 2 == 0 for n in range(96)]
    assert told_apart(values, is_real, patients)["ci"][0] < 0.5


def test_few_patients_are_no_test():
    with pytest.raises(ValueError, match="3 patients"):
        told_apart(np.zeros((20, 2)), [False] * 17 + [True] * 3, [str(n) for n in range(20)])


def test_random_filters_see_texture_and_not_the_mean_grey():
    rng = np.random.default_rng(2)
    fine = rng.integers(100, 110, (128, 128)).astype(np.uint8)
    assert np.allclose(random_filters(fine), random_filters(fine + 60), atol=1e-3)
    assert not np.allclose(random_filters(fine), random_filters(cv2.blur(fine, (5, 5))), atol=0.1)


def test_phantom_wrist_shows_the_carpus_and_is_its_patients_own():
    first, again = (next(phantom_wrists(1)) for _ in range(2))
    assert first.name.startswith("TE00001") and first.pixels.shape == (SIDE, SIDE)
    assert np.array_equal(first.pixels, again.pixels)
    middle = first.pixels[200:400, 200:400].mean()
    assert middle > first.pixels[:, :40].mean() + 30, "bone in the middle, skin and air at the side"


def test_table_holds_every_measure_and_what_is_inside(tmp_path):
    rng = np.random.default_rng(4)

    def wrists(kind: str, mean: int) -> list[Wrist]:
        pictures = [rng.normal(mean, 20, (80, 80)).clip(0, 255).astype(np.uint8) for _ in range(12)]
        return [Wrist(one, f"{kind}{n}", "") for n, one in enumerate(pictures)]

    found = compared(wrists("p", 120), wrists("r", 140))
    rows = {row["measure"]: row for row in found["measures"]}
    assert rows["grey p50"]["inside"] == 0 and rows["grey p50"]["real"][1] == pytest.approx(140, abs=2)
    assert found["told_apart"]["eight plain numbers"]["estimate"] == 1
    text = as_markdown(found)
    assert "12 phantoms" in text and "| grey p50 |" in text and "| 0% |" in text


def test_folder_without_wrists_is_named(tmp_path):
    with pytest.raises(InputError, match="name the folder"):
        real_wrists(tmp_path)
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "1_1_L.png"), np.zeros((10, 10), np.uint8))
    with pytest.raises(InputError, match=r"1_1_L\.png"):
        real_wrists(tmp_path)
