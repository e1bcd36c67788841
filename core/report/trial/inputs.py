"""What the further sections are made from, and what was asked for on the command line."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from core.agreement.mrmc.study import Study
from core.progression.estimands.events import Events
from core.progression.totals_table import Readings


@dataclass(frozen=True)
class Asked:
    """strata, covariates: properties of patients that arms are adjusted for. event: of the estimands.

    bias_margin (units of the score), icc_margin, kappa_margin: of verdicts, None for no verdict.
    """

    strata: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    event: str = ""
    bias_margin: float | None = None
    icc_margin: float | None = None
    kappa_margin: float | None = None


@dataclass(frozen=True)
class Trial:
    """Totals of the human readers at all visits of the longest interval, and what is known of patients.

    readings: without arms while the study is blinded; None where nobody has read or a visit has no day.
    days: of the two visits. visit_days: of all. properties: one column each, subjects are the index.
    campaigns: the chosen campaign and the next one of the same readers against the consensus, as two
    modalities; None with one campaign or no consensus.
    """

    readings: Readings | None = None
    days: tuple[float, float] = (0.0, 0.0)
    visit_days: tuple[float, ...] = ()
    properties: pd.DataFrame = field(default_factory=pd.DataFrame)
    events: Events | None = None
    campaigns: Study | None = None
