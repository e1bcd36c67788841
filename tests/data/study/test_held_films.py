"""A film with text in its pixels waits for a person: unseen, unscored, not exported until it is released."""

import cv2
import numpy as np
import pandas as pd
import pytest

from core.domain import Role, Viewer
from core.errors import InputError
from data.ingest.run import ingest
from data.queries import cohort as queries
from data.scoring.filing import pending_films
from data.store.cohort import CohortStore
from data.study.held_films import held_films, release
from data.tables.export import export
from data.verify import verify
from tests.helpers.small_films import save, set_pixels, trial_film

ANALYST = Viewer()
REASON = "side marker and room number only"


class Run:
    run = "r1"


def pixels(text: str, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).integers(900, 1000, (300, 400)).astype(np.uint16)
    mask = np.zeros(values.shape, np.uint8)
    cv2.putText(mask, text, (20, 150), cv2.FONT_HERSHEY_DUPLEX, 1.2, 255, 2)
    values[mask > 0] = 4000
    return values


@pytest.fixture
def store(tmp_path):
    for seed, (subject, text) in enumerate((("S1", "MILLER 1965"), ("S1", "R"), ("S2", "KLINIKUM 4"))):
        dataset = trial_film(seed, subject, "BL" if text != "R" else "W52")
        set_pixels(dataset, pixels(text, seed), 12)
        save(dataset, tmp_path / "delivery" / f"{seed}.dcm")
    store = CohortStore.open(tmp_path / "trial.duckdb")
    result = ingest(store, [tmp_path / "delivery"], workers=0)
    assert (result.ingested, len(result.held)) == (3, 2)
    assert {row["file"] for row in result.held} == {"0.dcm", "2.dcm"}
    return store


def exported(store, folder):
    export(store, "images", folder / "images.csv")
    return pd.read_csv(folder / "images.csv")["image"].tolist()


def shown(store, viewer=ANALYST):
    with store.look(viewer) as look:
        return look.query("SELECT image FROM image")["image"].tolist()


def test_a_held_film_is_not_shown_or_exported(store, tmp_path):
    held = set(held_films(store, ANALYST)["image"])
    assert len(held) == 2
    assert len(shown(store)) == 1
    assert len(shown(store, Viewer(Role.READER, "R1"))) == 1
    pending = pending_films(store, Run())
    assert set(pending.loc[pending["held"].notna(), "image"]) == held
    assert not held & set(exported(store, tmp_path))
    assert queries.counts(store, ANALYST)["images"].iloc[0] == 1


def test_a_reader_does_not_see_what_is_held(store):
    assert held_films(store, Viewer(Role.READER, "R1")).empty


def test_a_release_shows_the_film_and_keeps_who_and_why(store, tmp_path):
    first, second = held_films(store, ANALYST)["image"]
    version = store.version()
    assert release(store, [first[:10]], reason=REASON, actor="ana") == [first]
    assert held_films(store, ANALYST)["image"].tolist() == [second]
    assert first in shown(store)
    assert first in exported(store, tmp_path)
    event = store.query("SELECT * FROM main.event ORDER BY event DESC LIMIT 1").iloc[0]
    assert (event["actor"], event["action"], event["reason"]) == ("ana", "release film", REASON)
    assert first in event["details"]
    assert verify(store).broken == []
    with store.look(ANALYST, as_of=version) as look:
        assert first not in look.query("SELECT image FROM image")["image"].tolist()


def test_a_released_film_stays_released_when_it_comes_again(store, tmp_path):
    names = held_films(store, ANALYST)["image"].tolist()
    release(store, names, reason=REASON, actor="ana")
    again = ingest(store, [tmp_path / "delivery"], workers=0)
    assert (again.already_there, again.held) == (3, [])
    assert held_films(store, ANALYST).empty


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("", REASON, "no held film"),
        ("zzz", REASON, "no held film"),
        (None, "  ", "without a reason"),
    ],
)
def test_a_release_needs_one_film_and_a_reason(store, name, reason, words):
    names = [held_films(store, ANALYST)["image"].iloc[0]] if name is None else [name]
    with pytest.raises(InputError, match=words):
        release(store, names, reason=reason, actor="ana")
    assert len(held_films(store, ANALYST)) == 2


def test_a_film_that_says_so_itself_is_held(tmp_path):
    save(trial_film(7, "S1", "BL", BurnedInAnnotation="YES"), tmp_path / "delivery" / "a.dcm")
    store = CohortStore.open(tmp_path / "trial.duckdb")
    assert len(ingest(store, [tmp_path / "delivery"], workers=0).held) == 1
    assert shown(store) == []
