"""Films that wait for a patient: each with its picture, and whose it is chosen in place or by a map file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.markdown import md
from data.ingest.image_map import read_image_map
from data.ingest.placing import LETTERS, Place, Placement, place_films, preview_map, preview_places
from data.queries.waiting_films import study_names, waiting_films
from pages.common import guards
from pages.common.imports.uploads import kept_for_now, new_place, start, write_one
from pages.common.jobs import board
from pages.common.page import Page
from pages.common.provenance import download
from pages.common.queries import asking, fetch
from pages.common.viewer.stored_films import grey_values

SHOWN = 24  # films at a time
SMALL, WIDTH = 220, 96  # pixels of a picture: made, and shown
SUBJECT, VISIT = "place_subject_", "place_visit_"  # keys of the choices, an id behind each
IS_MAP_OPEN = "map_alone"


def waiting(page: Page) -> None:
    """The films without patient or visit, by person; nothing where there are none."""
    if not page.store.exists():
        return
    rows, names = fetch(page, asking(waiting_films), asking(study_names))
    if rows.empty:
        return
    st.markdown(f"## Whose images are these? {images(len(rows))} without patient or visit")
    st.caption(
        "Choose the patient's code in this study and the visit, or type new ones; never a name. Images of "
        "one person in the files stand together. File names and dates are shown as long as the job that "
        "brought them is listed above; the cohort keeps neither, only the days between the images of a "
        "person: new visits get their days from them, counted from the first visit."
    )
    rows = _by_file(rows.merge(_delivered(), on="image", how="left"))
    by_map(page, rows)
    options = {kind: _options(names, kind) for kind in ("subject", "visit")}
    places = _choices(page, rows, options)
    if len(rows) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(rows):,}. The others follow when these are placed.")
    _place(page, places)


def images(count: int) -> str:
    """A number of images in words: films, or slices of stacks."""
    return f"{count:,} image" + ("" if count == 1 else "s")


def _options(names: pd.DataFrame, kind: str) -> list[str]:
    """Names of the study, then those that were typed here."""
    key = SUBJECT if kind == "subject" else VISIT
    typed = [value for name, value in st.session_state.items() if str(name).startswith(key) and value]
    return list(dict.fromkeys([*names.loc[names["kind"] == kind, "name"], *map(str, typed)]))


def _delivered() -> pd.DataFrame:
    """``image, file, date`` as the jobs of this app said them: of the newest job that names a film."""
    rows = [
        {"image": film["image"], "file": film.get("file"), "date": film.get("date")}
        for job in board().jobs
        if not job.is_running
        for film in job.result.get("unassigned", [])
        if isinstance(film, dict) and film.get("file")
    ]
    return pd.DataFrame(rows, columns=["image", "file", "date"], dtype=object).drop_duplicates("image")


def _by_file(rows: pd.DataFrame) -> pd.DataFrame:
    """People in the order of their first file, where names are known; films of a person stay as they are."""
    first = rows.groupby("person", dropna=False)["file"].transform("min")
    return (
        rows.assign(first=first).sort_values("first", kind="stable", na_position="last").drop(columns="first")
    )


def _choices(page: Page, rows: pd.DataFrame, options: dict[str, list[str]]) -> list[Place]:
    """One box for each person, one line for each film; what was chosen so far."""
    places: list[Place] = []
    shown = rows.head(SHOWN)
    for number, (person, own) in enumerate(shown.groupby("person", sort=False, dropna=False), start=1):
        with st.container(border=True):
            known = own["subject"].dropna()
            if len(known):
                subject: str | None = str(known.iloc[0])
                st.markdown(f"**{md(subject)}**: {images(len(own))} without a visit")
            else:
                subject = _select(
                    f"Person {number}, {images(len(own))}: patient", options["subject"], f"{SUBJECT}{person}"
                )
            for film in own.to_dict("records"):
                visit = _film(page, film, options["visit"])
                places += [Place(str(film["image"]), subject, visit)] if subject and visit else []
    return places


def _select(label: str, options: list[str], key: str) -> str | None:
    return st.selectbox(
        label, options, index=None, key=key, accept_new_options=True, placeholder="choose, or type a new one"
    )


def _film(page: Page, film: dict[Any, Any], visits: list[str]) -> str | None:
    """One film: its picture, what is known of it, and its visit."""
    picture, text, choice = st.columns([1, 3, 2], vertical_alignment="center")
    said = _said(film)
    with picture:
        small = _thumbnail(page.path, str(film["image"]))
        if small is None:
            st.caption("cannot be read")
        else:
            st.image(small, width=WIDTH, alt=f"Small picture of the image: {said}")
    with text:
        st.markdown(said)
    with choice:
        return _select("Visit", visits, f"{VISIT}{film['image']}")


def _said(film: dict[Any, Any]) -> str:
    """Body part, view, day, and file and date while they are known."""
    parts = [str(film[name]) for name in ("body_part", "view", "laterality") if pd.notna(film[name])]
    what = md(", ".join(part for part in parts if part) or "body part not known")
    when = f"day {int(film['day'])} of this person" if pd.notna(film["day"]) else "no date"
    date = f"{md(film['date'])} ({when})" if pd.notna(film["date"]) else when
    name = f"  \n{md(film['file'])}" if pd.notna(film["file"]) else ""
    return f"**{what}**, {date}{name}  \nimage `{str(film['image'])[:LETTERS]}`"


@st.cache_data(show_spinner=False, max_entries=500)
def _thumbnail(path: str, image: str) -> np.ndarray | None:
    """The film at a few pixels, 8 bits; None where it cannot be read."""
    from core.errors import CohortError

    try:
        pixels, (low, high), _ = grey_values(path, image)
    except CohortError:
        return None
    frame = pixels[len(pixels) // 2] if pixels.ndim == 3 else pixels
    step = max(1, -(-max(frame.shape) // SMALL))
    scaled = (frame[::step, ::step].astype(np.float32) - low) / max(high - low, 1.0)
    return (np.clip(scaled, 0.0, 1.0) * 255).astype(np.uint8)


def _place(page: Page, places: list[Place]) -> None:
    """What the choices would do, and the button that does it."""
    plan = Placement()
    if places:
        with guards.errors_shown():
            plan = preview_places(page.store, places)
    _say(plan)
    if st.button(
        f"Place {images(len(plan.placed))}",
        type="primary",
        disabled=not plan.placed,
        icon=":material/how_to_reg:",
    ):
        with guards.errors_shown():
            place_films(page.store, plan.placed, actor=page.person)
        st.rerun()


def _say(plan: Placement) -> None:
    """What is new, and what cannot be placed."""
    for names, one, several in (
        (plan.new_subjects, "New patient", "New patients"),
        (plan.new_visits, "New visit", "New visits"),
    ):
        if names:
            st.markdown(f"{one if len(names) == 1 else several}: **{md(', '.join(names))}**")
    for row in plan.refused:
        where = f"Row {row['row']}" if "row" in row else f"Image {row['image']}"
        st.warning(f"{where} is not placed: {md(row['reason'])}.", icon=":material/block:")


def by_map(page: Page, rows: pd.DataFrame) -> None:
    """A map file alone: the films are here, so only the list is uploaded."""
    with st.expander("Or by a map file, without uploading the images again", icon=":material/table:"):
        st.markdown(
            "A CSV with the columns **subject** and **visit**, and one that finds the image: **image** (the "
            "id beside each picture), **file** (its delivered name), **patient** (patient number in the "
            "files) or **study** (study UID). The list of these images is a map file to fill in."
        )
        names = ["image", "body_part", "view", "laterality", "day", "date", "file"]
        listed = rows[names].rename(columns={"file": "delivered as"}).assign(subject="", visit="")
        download(
            listed.assign(image=listed["image"].str[:LETTERS]),
            "films_to_place",
            label="List of these images (CSV)",
        )
        upload = st.file_uploader("Map file (CSV)", type=["csv"], key=IS_MAP_OPEN)
        if upload is None:
            return
        with guards.errors_shown(), kept_for_now([upload]) as place:
            plan = preview_map(page.store, read_image_map(next((place / "files").iterdir())))
        _say(plan)
        if st.button(
            f"Place {images(len(plan.placed))} by {upload.name}", disabled=not plan.placed, type="primary"
        ):
            folder = new_place()
            file = write_one(upload, folder, 0)
            start(page, f"Map file {upload.name}", ["ingest", "--map", file], folder)
