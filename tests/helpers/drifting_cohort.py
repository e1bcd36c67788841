"""Eighteen patients at two visits on two machines; a model, two readers, dates moved by the key."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from core import scores
from data.cohort_key import keep_mark
from data.dicom.previews import preview_path, write_preview
from data.dicom.pseudonyms import open_key
from data.store.cohort import CohortStore

PATIENTS = [f"P{number:02d}" for number in range(18)]
VISITS = {"BL": 0, "W52": 364}
MODEL, SYSTEM = "model:msasss-demo", scores.get("msasss")
SITES = [site.code for site in SYSTEM.sites if site.region == "lumbar"]
MACHINES = ("Ray One", "Ray Two")
SHAPE = (40, 30)


def taken(number, visit):
    """The day on which a patient's film was truly taken: a patient enters every month."""
    return date(2022, 1, 15) + timedelta(days=30 * number + VISITS[visit])


def machine(number, visit):
    return MACHINES[(number + (visit == "W52")) % 2]


def build(path, *, planted=0, **shown):
    """The cohort at ``path``. planted: grades that the model adds at half of the sites on the second machine,
    whose films are also brighter then. shown: further columns of images.
    """
    store = CohortStore.open(path)
    key = open_key(store.path, may_create=True)
    rng = np.random.default_rng(11)
    images, grades, findings = [], [], []
    for number, patient in enumerate(PATIENTS):
        for visit in VISITS:
            image = f"{number:02d}{visit}".lower().ljust(24, "0")
            on = machine(number, visit)
            moved = taken(number, visit) - timedelta(days=key.days_back(patient))
            images.append((image, patient, visit, on, moved))
            for place, site in enumerate(SITES):
                truth = int(rng.integers(0, 3))
                added = planted * (on == MACHINES[1]) * (place % 2)
                seen = {"R1": truth, "R2": truth, MODEL: min(truth + added + int(rng.random() < 0.1), 3)}
                grades += [(patient, visit, site, reader, grade) for reader, grade in seen.items()]
                findings.append((f"f{len(findings)}", image, site, seen[MODEL], float(rng.uniform(0.8, 1))))
            _film(store, image, rng, 900 if planted and on == MACHINES[1] else 0)
    with store.write("test", "build") as tx:
        keep_mark(tx, key)
        tx.set_meta("phantom", "true")
        tx.insert("subject", pd.DataFrame({"subject": PATIENTS, "arm": ["A", "B"] * 9}))
        visits = [(p, v, order, day) for p in PATIENTS for order, (v, day) in enumerate(VISITS.items())]
        tx.insert("visit", pd.DataFrame(visits, columns=["subject", "visit", "visit_order", "day"]))
        readers = pd.DataFrame({"reader": ["R1", "R2", MODEL], "kind": ["human", "human", "model"]})
        tx.insert("reader", readers)
        modes = pd.DataFrame({"campaign": ["main", "model-single"], "read_mode": ["paired", "single"]})
        tx.insert("campaign", modes.assign(system="msasss"))
        run = {"run": "run1", "system": "msasss", "reader": MODEL, "campaign": "model-single"}
        tx.insert("run", pd.DataFrame([run]))
        tx.insert("image", _images(images).assign(**shown))
        own = [(image, key.dates_of(patient), patient) for image, patient, *_ in images]
        tx.insert("delivery", pd.DataFrame(own, columns=["image", "dates_of", "trial_subject"]))
        tx.insert("site_score", _grades(grades))
        tx.insert("finding", _findings(findings))
    return store


def _images(rows):
    frame = pd.DataFrame(rows, columns=["image", "subject", "visit", "device", "film_date"])
    return frame.assign(
        modality="DX", body_part="lumbar spine", view="lateral", manufacturer="Rays", spacing_row_mm=0.2,
        row_count=SHAPE[0], column_count=SHAPE[1], frame_count=1,
    )  # fmt: skip


def _grades(rows):
    frame = pd.DataFrame(rows, columns=["subject", "visit", "site", "reader", "grade"])
    campaign = np.where(frame["reader"] == MODEL, "model-single", "main")
    return frame.assign(campaign=campaign, system="msasss", feature="corner", read=1)


def _findings(rows):
    frame = pd.DataFrame(rows, columns=["finding", "image", "site", "grade", "confidence"])
    chances = [[0.1] * grade + [0.7] + [0.1] * (3 - grade) for grade in frame["grade"]]
    return frame.assign(run="run1", system="msasss", feature="corner", grade_probabilities=chances)


def _film(store, image, rng, brighter):
    pixels = rng.integers(1000, 2000, SHAPE).astype(np.uint16) + np.uint16(brighter)
    path = preview_path(store.folder, image)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_preview(path, pixels, {"spacing_mm": [0.2, 0.2], "modality": "DX", "bits": 12})
