"""The models over what they have not scored, and what was not imported."""

from __future__ import annotations

import streamlit as st

from core import scores
from core.errors import ModelError
from core.learned_from import in_words
from core.markdown import md
from data.queries import cohort
from data.scoring.together import count_offered
from models import cards, registry
from models.training.sources import learned_from
from pages.common import guards
from pages.common.imports.held import held_films
from pages.common.imports.uploads import start
from pages.common.jobs import board
from pages.common.page import Page
from pages.common.queries import Request, asking, fetch
from pages.common.shown_table import show_table

ALL = "all"
THINGS = {"stacks": "MRI stack", "scans": "ultrasound scan"}  # beside films
OF_FILMS = {"ingest": "an image file"}


def model(page: Page) -> None:
    """Run the models over what they have not scored yet, each over films that could be its own."""
    guards.needs_cohort(page)
    systems = list(registry.models())
    asked = [_asking(name) for name in systems]
    counts = {name: rows.iloc[0] for name, rows in zip(systems, fetch(page, *asked), strict=True)}
    left = {name: int(row["films"] - row["seen"]) for name, row in counts.items()}
    lines = [_line(name, counts[name]) for name in systems]
    read = {registry.model_of(name).reads for name in systems}
    more = [THINGS[name] for name in ("stacks", "scans") if name in read]
    own = "film of its body parts" + (f", or {' or '.join(more)} that it can read," if more else "")
    st.markdown(
        f"Each model (`demo` size) scores every {own} that it has not scored yet, and rejects unsuitable "
        "ones with a reason:\n\n"
        + "\n".join(lines)
        + "\n\nWhat they learned:\n\n"
        + "\n".join(f"- {_title(name)}: {md(_learned(name))}" for name in systems)
    )
    options = [ALL, *systems]
    chosen = st.segmented_control("Models", options, default=ALL, required=True, format_func=_title) or ALL
    device = st.segmented_control("Device", ["cpu", "cuda"], default="cpu", required=True) or "cpu"
    busy = any("score" in job.arguments for job in board().running)
    waiting = sum(left.values()) if chosen == ALL else left[chosen]
    if st.button("Run the model", type="primary", disabled=busy or not waiting, icon=":material/play_arrow:"):
        one = [] if chosen == ALL else ["--system", chosen]
        title = "All models" if chosen == ALL else f"{_title(chosen)} model"
        start(page, title, ["score", *one, "--device", device, "--progress", "lines"])


def _learned(system: str) -> str:
    """What the weights that lie here learned from."""
    try:
        return in_words(learned_from(cards.read_card(system, "demo")))
    except ModelError:
        return "no weights here"


def _asking(system: str) -> Request:
    model = registry.model_of(system)
    if model.offers is not None:
        return asking(count_offered, system, model.offers)
    return asking(cohort.films_for, system, registry.foreign_body_parts(model))


def _line(system: str, row) -> str:
    films, seen, refused = (int(row[name]) for name in ("films", "seen", "abstained"))
    things = registry.model_of(system).reads
    return (
        f"- **{_title(system)}**: **{films - seen}** of {films} {things} to score, {refused} rejected so far"
    )


def _title(system: str) -> str:
    return "All" if system == ALL else scores.get(system).title


def not_imported(page: Page) -> None:
    """What is held back or was refused, and films that belong to no patient yet."""
    if not page.store.exists():
        st.info("Nothing was refused: nothing has been imported yet.", icon=":material/inbox:")
        return
    held_films(page)
    refused, open_films = fetch(page, asking(cohort.refused), asking(cohort.unassigned))
    st.markdown(f"## Not imported: {len(refused)}")
    if refused.empty:
        st.markdown("Nothing was refused.")
    else:
        listed = refused.assign(source=refused["source"].map(lambda name: OF_FILMS.get(name, name)))
        show_table(listed)
        st.caption(
            "Names of image files are not kept, as they may name a person: the job above names them while it "
            "is listed."
        )
    st.markdown(f"## Images without patient or visit: {len(open_films)}")
    if len(open_films):
        show_table(open_films)
        st.caption("Step 1 places them: each in the page, or by a map file.")
