"""What a report is made from: frames of the cohort and what is known about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from core.agreement.comparison import Readings
from core.learned_from import Step
from core.report.blocks import FilmPicture
from core.report.trial.inputs import Asked, Trial
from core.scores.system import Rule, ScoreSystem


@dataclass(frozen=True)
class MarginSet:
    """A margin that somebody set. value: None where it was taken back. preset: before a model had scored."""

    value: float | None
    unit: str
    by: str
    at: datetime
    reason: str
    preset: bool


@dataclass(frozen=True)
class Origin:
    """Where the numbers come from.

    last_event: when the cohort was last written. head: hash of the last event. faults: what a check of the
    audit trail found. queries: named query -> SQL. weights: model -> hash. chosen: the filter.
    learned: model -> what it learned from.
    """

    cohort: str
    version: int
    last_event: datetime
    head: str
    events: int
    faults: tuple[str, ...]
    software: str
    queries: dict[str, str]
    weights: dict[str, str]
    chosen: dict[str, str]
    learned: dict[str, Sequence[Step]] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A patient about whom readings disagree, with the films that show it.

    grades: this patient's, columns ``site, visit, label, grade``. region: the part of the body that is shown.
    site: where readings differ most in it. close_ups: that site in the films, as far as a model found it.
    """

    subject: str
    grades: pd.DataFrame
    region: str = ""
    films: tuple[FilmPicture, ...] = ()
    site: str = ""
    close_ups: tuple[FilmPicture, ...] = ()


@dataclass(frozen=True)
class ReportInputs:
    """Everything that a report is made from.

    readers: columns ``reader, kind, campaign, read_mode, read, patients, weights_hash``, all campaigns.
    attended: every patient and visit, columns ``subject, visit, day, planned_day, films`` (NA: no such
    visit). grades: ``subject, visit, site, feature, label, grade``. abstentions: ``subject, visit,
    body_part, reader, reason``. counts: of the cohort. arms: patients in each, empty while the study is
    blinded. margins: oldest first. cases: worst first. groups: ``subject, group, level`` of
    ``core.agreement.subgroups.levels``. rereads: totals of human readers who read again,
    ``core.agreement.rereads``. trial: what the sections on arms, estimands and planning are made from.
    asked: strata, covariates, event and margins of these sections.
    ``core.agreement.rereads``. source: what must be said of the open data set that the cohort was made from.
    """

    system: ScoreSystem
    rule: Rule
    study: str
    is_phantom: bool
    is_blinded: bool
    campaign: str
    readings: Readings
    readers: pd.DataFrame
    attended: pd.DataFrame
    grades: pd.DataFrame
    abstentions: pd.DataFrame
    counts: dict[str, int]
    arms: dict[str, int]
    margins: tuple[MarginSet, ...]
    origin: Origin
    cases: tuple[Case, ...] = field(default=())
    groups: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["subject", "group", "level"]))
    rereads: pd.DataFrame = field(default_factory=pd.DataFrame)
    trial: Trial = field(default_factory=Trial)
    asked: Asked = field(default_factory=Asked)
    source: str = ""

    @property
    def patients(self) -> int:
        return self.attended["subject"].nunique()

    @property
    def margin(self) -> MarginSet | None:
        """The margin that counts, None where there is none or it was taken back."""
        last = self.margins[-1] if self.margins else None
        return last if last is not None and last.value is not None else None
