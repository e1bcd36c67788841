"""Why a model gave a grade, on a button: the heat map of ``sharpline explain`` with the verdict on such maps.

The command runs as a process of its own, as the app never imports a network; a picture is made once for each
finding and weights, and found again by every session while the app runs.
"""

from __future__ import annotations

import atexit
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from core.markdown import md
from core.scores.display.words import of_images
from core.scores.system import ScoreSystem
from data.queries import findings
from data.scratch import new_folder
from models.registry import explained
from pages.common.jobs import Board, Job
from pages.common.page import Page
from pages.common.queries import ask

POLL_SECONDS = 0.3
GATES = "Where did the network look?"
MAX_MAPS = 200  # maps kept


@dataclass(frozen=True)
class Asked:
    """One finding by its weights: what a map is kept under."""

    cohort: str
    image: str
    system: str
    site: str
    feature: str
    weights_hash: str

    @property
    def key(self) -> str:
        return f"why_grade_{self.image[:12]}_{self.site}_{self.feature}"


def _folder() -> Path:
    """A folder of this app, removed at its end."""
    made = new_folder("maps")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@dataclass
class Maps:
    """The maps of this app, made or in the making; not among the jobs of the Import page."""

    folder: Path = field(default_factory=_folder)
    board: Board = field(default_factory=Board)
    jobs: dict[Asked, Job] = field(default_factory=dict)
    pictures: dict[Asked, bytes] = field(default_factory=dict)
    started: int = 0

    def job(self, asked: Asked) -> Job:
        """The command that makes this map, started where it was not yet, or where it failed before."""
        job = self.jobs.get(asked)
        if job is None or (not job.is_running and job.status != 0):
            job = self.jobs[asked] = self._start(asked)
        while len(self.jobs) > MAX_MAPS:
            oldest = next(iter(self.jobs))
            self.pictures.pop(oldest, None)
            self.jobs.pop(oldest)
        return job

    def _start(self, asked: Asked) -> Job:
        self.started += 1
        arguments = ["explain", "--image", asked.image, "--site", asked.site, "--system", asked.system]
        arguments += ["--feature", asked.feature] if asked.feature else []
        out = self.folder / f"{self.started}.png"
        return self.board.start("Map", asked.cohort, [*arguments, "--out", str(out)])

    def picture(self, asked: Asked) -> bytes:
        """The picture that an ended command made, kept in memory from then on."""
        if asked not in self.pictures:
            self.pictures[asked] = Path(self.jobs[asked].result["path"]).read_bytes()
        return self.pictures[asked]


@st.cache_resource(show_spinner=False)
def maps() -> Maps:
    return Maps()


def why_this_grade(page: Page, image: str, site: str, system: ScoreSystem) -> None:
    """A button for each finding of the model at a site of a film or an image; nothing where there is none,
    and nothing for a blinded reader or of a model that has no such maps. Points of stacks are made by a rule,
    so there it is asked where the network looked, not why."""
    if page.is_reader or system.name not in explained():
        return
    rows = ask(page, findings.of_image, image, system.name, read_mode="single")
    rows = rows[rows["site"] == site]
    several, asks = len(rows) > 1, GATES if system.of_stacks else "Why this grade?"
    for row in rows.to_dict("records"):
        asked = Asked(page.path, image, system.name, site, str(row["feature"]), str(row["weights_hash"]))
        label = f"Why this {asked.feature.replace('_', ' ')}?" if several else asks
        label = of_images(system, f"{asks if system.of_stacks else label} (film alone)")
        help_ = of_images(
            system, "Where the network looked on this film alone, and whether such a map can be trusted"
        )
        if st.button(label, key=asked.key, icon=":material/center_focus_weak:", help=help_, type="tertiary"):
            st.dialog(asks, width="large")(_window)(asked, f"{asked.site}, {row['reader']}", system)


def _window(asked: Asked, title: str, system: ScoreSystem) -> None:
    job = maps().job(asked)
    waited(job, f"{md(title)}: recomputing the heat map")
    if job.status != 0:
        st.error(
            f"{md(title)}: {md(job.complaint or 'the command failed without a message')}",
            icon=":material/build:",
        )
        return
    st.image(maps().picture(asked), width="stretch", caption=str(job.result.get("headline", title)))
    st.markdown(of_images(system, film_alone(job.result)))
    for text, is_good in verdicts(job.result):
        said = f"{text[0].upper()}{text[1:]}."
        st.markdown(said if is_good else f":red[{said}]")
    st.caption(
        "The documentation says how heat maps are tested ('Can the heat maps be trusted?'). "
        "Research only, not a medical device."
    )


def film_alone(result: dict[str, object]) -> str:
    """That grade and probabilities of the picture are of this film alone, and what the other reading gave."""
    given = result.get("notes")
    notes = [str(note) for note in given] if isinstance(given, list) else []
    said = " ".join(f"{md(note[0].upper() + note[1:])}." for note in notes if note)
    return f"Grade and probabilities are those of this film alone. {said}".strip()


def waited(job: Job, text: str) -> None:
    """Wait for a command and show for how long; closing the window leaves it running."""
    with st.spinner(f"{text}; about a minute on a busy machine", show_time=True):
        while job.is_running:
            time.sleep(POLL_SECONDS)


def verdicts(result: dict[str, object]) -> Sequence[tuple[str, bool]]:
    """What the tests say of such maps, and whether that is good, from the command's answer."""
    texts = result.get("verdicts")
    good = bool(result.get("passed"))
    return [(str(text), good) for text in texts] if isinstance(texts, list) else []
