"""What images of ultrasound show, as the Import page lists it."""

import pandas as pd

from core.domain import Viewer
from data.queries.ultrasound.shown import shown
from tests.helpers.deliveries import take
from tests.helpers.drawn_ultrasound import Screen
from tests.helpers.small_films import film, save
from tests.helpers.ultrasound_files import scan_file

SCREEN = Screen(size=(120, 160), scan=(20, 24, 140, 110), mark="", text="", flow=16)


def test_images_are_listed_with_what_is_known_of_them_and_how_sure_it_is(store, tmp_path):
    folder = tmp_path / "delivery"
    folder.mkdir()
    save(scan_file(SCREEN, SOPInstanceUID="1.2.1"), folder / "one.dcm")
    unsure = {"SeriesDescription": "scan", "StudyDescription": "wrist R"}
    save(
        scan_file(Screen(**vars(SCREEN) | {"seed": 4}), SOPInstanceUID="1.2.2", **unsure), folder / "two.dcm"
    )
    save(film(), folder / "film.dcm")
    take(store, folder)
    rows = shown(store, Viewer())
    assert len(rows) == 2
    known = rows[rows["joint"].notna()].iloc[0]
    assert (known["joint"], known["side"], known["mode"], known["sure"]) == ("MCP2", "R", "PD", 0.75)
    assert "joint by SeriesDescription (0.80)" in known["found"] and "mode by pixels" in known["found"]
    guess = rows[rows["joint"].isna()].iloc[0]
    assert guess["sure"] == 0.0 and "joint perhaps WR (0.45)" in guess["found"]
    assert pd.isna(guess["view"])
