"""Everything that an agreement report is made from, taken from one version of the cohort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from core import scores as systems
from core.agreement.comparison import Readings
from core.agreement.rereads import repeats
from core.agreement.subgroups import levels
from core.domain import CohortFilter, Viewer
from core.errors import InputError
from core.learned_from import of_settings
from core.reader_labels import models, people, people_campaigns, shown_readings
from core.report.inputs import MarginSet, Origin, ReportInputs
from core.report.statistics import baseline_damage
from core.report.trial.inputs import Asked
from data.queries import cohort, report, scores
from data.queries.readings import read_modes, readings
from data.queries.report_cases import cases_of
from data.queries.report_trial import campaigns_of, trial_of
from data.store.cohort import CohortStore
from data.store.transaction import software_version
from data.study.settings import margins
from data.verify import verify

NOTHING = Asked()
TRIES = 3  # how often it begins again when somebody writes to the cohort meanwhile


def report_inputs(
    store: CohortStore,
    system: str,
    campaign: str,
    cases: int,
    *,
    note: Callable[[str], None],
    asked: Asked = NOTHING,
    own: report.OwnImages | None = None,
) -> ReportInputs:
    """The inputs of one version of the cohort, as an analyst may see them.

    campaign: "" for the one with most patients. cases: patients shown with their films, worst first.
    note: called with a message before each long step. asked: strata, covariates, event and margins.
    own: images that the score is read from, which alone count at a visit; all of them if None.
    Raises InputError for a campaign or property that does not exist, for fewer than two readings, and for a
    cohort that somebody keeps writing to.
    """
    for _ in range(TRIES):
        before = store.version()
        found = _inputs(store, system, campaign, cases, note, asked, own)
        if store.version() == before:
            return found
        note("the cohort was written to meanwhile; beginning again")
    raise InputError(
        "a cohort that is being written to", "a report stands for one version of it", "run it again later"
    )


def _inputs(
    store: CohortStore,
    name: str,
    campaign: str,
    cases: int,
    note: Callable[[str], None],
    asked: Asked,
    own: report.OwnImages | None,
) -> ReportInputs:
    system, viewer = systems.get(name), Viewer()
    state = cohort.state(store)
    readers = scores.readers(store, viewer, system.name)
    chosen = CohortFilter(system=system.name, campaign=_campaign(readers, campaign))
    frames = {"data.queries.scores.readers": readers} | _frames(store, viewer, chosen, own)
    totals, subjects = frames["data.queries.scores.totals"], frames["data.queries.cohort.subjects"]
    counts = frames["data.queries.cohort.counts"]
    compared = readings(totals, readers, system, chosen.campaign)
    _needs_two(store, system.title, compared.kinds)
    trial, more = trial_of(store, viewer, system, compared, chosen.campaign, asked, state["reference_arm"])
    frames |= more
    together = campaigns_of(totals, readers, system, compared, chosen.campaign)
    found = ReportInputs(
        system=system,
        rule=system.default_rule,
        study=state["study"],
        is_phantom=state["phantom"],
        is_blinded=state["blinded"],
        campaign=chosen.campaign,
        readings=compared,
        readers=readers,
        attended=frames["data.queries.report.visits"],
        grades=shown_readings(frames["data.queries.scores.site_grades"], chosen.campaign),
        abstentions=frames["data.queries.scores.abstentions"],
        counts={str(name): int(counts[name].iloc[0]) for name in counts},
        arms=_arms(subjects),
        margins=_margins(store, system.name),
        origin=_origin(store, chosen, frames, note),
        groups=_groups(
            subjects, frames["data.queries.cohort.baseline"], compared, is_blinded=state["blinded"]
        ),
        rereads=repeats(totals, chosen.campaign, read_modes(readers)),
        trial=replace(trial, campaigns=together),
        asked=asked,
        source=(state["data_set"] or {}).get("notice", ""),
    )
    return replace(found, cases=cases_of(store, found, chosen, cases))


def _frames(
    store: CohortStore, viewer: Viewer, chosen: CohortFilter, own: report.OwnImages | None
) -> dict[str, pd.DataFrame]:
    """The rows by the name of their query; the report prints the names and the statements."""
    return {
        "data.queries.scores.totals": scores.totals(store, viewer, chosen),
        "data.queries.scores.site_grades": scores.site_grades(store, viewer, chosen),
        "data.queries.scores.abstentions": scores.abstentions(store, viewer, chosen),
        "data.queries.scores.runs": scores.runs(store, viewer, chosen.system),
        "data.queries.report.visits": report.visits(store, viewer, chosen, own),
        "data.queries.cohort.subjects": cohort.subjects(store, viewer, chosen),
        "data.queries.cohort.baseline": cohort.baseline(store, viewer, chosen),
        "data.queries.cohort.counts": cohort.counts(store, viewer),
    }


def _campaign(readers: pd.DataFrame, asked: str) -> str:
    known = people_campaigns(readers)
    if asked and asked not in known:
        raise InputError(
            f"--campaign {asked}",
            f"human readers read in {', '.join(known)}" if known else "no human reader has read",
            "name one of these" if known else "import reads with 'sharpline reads'",
        )
    return asked or next(iter(known), "")


def _needs_two(store: CohortStore, title: str, kinds: dict[str, str]) -> None:
    if len(people(kinds)) + len(models(kinds)) < 2:
        raise InputError(
            f"{len(kinds)} reading(s) of {title} in {store.path.name}",
            "agreement needs two readers, or a reader and a model",
            "import reads with 'sharpline reads', or run 'sharpline score'",
        )


def _arms(subjects: pd.DataFrame) -> dict[str, int]:
    """Patients by arm; empty while the study is blinded, since the query then gives no arm."""
    counts = subjects["arm"].dropna().value_counts().sort_index()
    return {str(arm): int(n) for arm, n in counts.items()}


def _groups(
    subjects: pd.DataFrame, covariates: pd.DataFrame, compared: Readings, *, is_blinded: bool
) -> pd.DataFrame:
    shown = subjects.drop(columns=["arm", "centre"]) if is_blinded else subjects
    return levels(shown, covariates, baseline_damage(compared))


def _margins(store: CohortStore, system: str) -> tuple[MarginSet, ...]:
    return tuple(
        MarginSet(one.value, one.unit, one.by, one.at, one.reason, one.is_preset)
        for one in margins(store, system)
    )


def _origin(
    store: CohortStore, chosen: CohortFilter, frames: dict[str, pd.DataFrame], note: Callable[[str], None]
) -> Origin:
    note("checking the audit trail")
    last = report.last_event(store, Viewer()).iloc[0]
    checked = verify(store)
    runs = frames["data.queries.scores.runs"].drop_duplicates("reader")
    return Origin(
        cohort=store.path.name,
        version=store.version(),
        last_event=last["happened_at"].to_pydatetime(),
        head=checked.head,
        events=checked.events,
        faults=tuple(f"event {item['event'] or '-'}: {item['reason']}" for item in checked.broken),
        software=software_version(),
        queries={name: str(frame.attrs.get("sql", "")) for name, frame in frames.items()},
        weights=dict(zip(runs["reader"].astype(str), runs["weights_hash"].astype(str), strict=True)),
        chosen={"system": chosen.system, "campaign": chosen.campaign, "patients": "all", "read": "1"},
        learned={
            str(reader): of_settings(text)
            for reader, text in zip(runs["reader"], runs["settings"], strict=True)
        },
    )
