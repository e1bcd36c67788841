"""Methods in sentences for a paper, true to what was chosen: no sentence stands for what was not done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.report.formatting import listed


@dataclass(frozen=True)
class Reading:
    """How images were read. readers: whose scores count. campaign, mode: of human readers; "" where unknown.

    model: whether a model gave the scores. image: what was read, in the singular ("film", "stack").
    """

    score: str
    readers: tuple[str, ...]
    campaign: str = ""
    mode: str = ""
    model: str = ""
    image: str = "film"

    @property
    def sentence(self) -> str:
        """Who read, what, and how."""
        if self.model:
            return f"{self.score} was scored by the model {self.model}."
        by = (
            f"{len(self.readers)} readers ({listed(self.readers)})" if len(self.readers) > 1 else "one reader"
        )
        campaign = f", reading campaign {self.campaign}" if self.campaign else ""
        mode = f", with {self.image}s read in mode “{self.mode}”" if self.mode else ""
        mean = "; the mean of the readers was analysed" if len(self.readers) > 1 else ""
        return f"{self.score} was scored by {by}{campaign}{mode}{mean}."


@dataclass(frozen=True)
class ChangeMethods:
    """What was done on a change between two visits.

    sites: rules for missing sites by name, with the patients that each leaves and leaves out. films: method
    for missing films, "" for none. arms: those compared, the reference last; none where all are together.
    sdc_readers: readers in the SDC's mean, 0 where there is none; sdc_patients: whom it is from. window:
    days a film may be off its visit. selection: the filter in words.
    """

    reading: Reading
    first: str
    last: str
    sites: tuple[tuple[str, int, int], ...]
    films: str = ""
    arms: tuple[str, ...] = ()
    sdc_readers: int = 0
    sdc_patients: int = 0
    window: float = 0
    selection: str = ""
    made_with: str = ""


def change_methods(done: ChangeMethods) -> str:
    """The paragraph for an analysis of change."""
    said = [done.reading.sentence]
    said.append(f"Change is the score at {done.last} minus that at {done.first}.")
    said += [_counted(rule, n, out) for rule, n, out in done.sites]
    image = done.reading.image
    said.append(
        f"Missing {image}s were handled by {done.films}."
        if done.films
        else f"No missing {image} was imputed."
    )
    said.append(_compared(done.arms))
    if done.sdc_readers:
        said.append(
            "Progression beyond reading error was change above the smallest detectable change (SDC95) of the "
            f"{_mean_of(done.sdc_readers)}, from the {done.sdc_patients} patients of the reading campaign "
            "(Bruynesteyn 2005); proportions have Wilson intervals"
            + (", their differences Newcombe's." if len(done.arms) > 1 else ".")
        )
    return _ended(said, done.selection, done.made_with)


def _counted(rule: str, n: int, out: int) -> str:
    left = f"; {out} had no change and were left out" if out else ""
    return f"Missing sites were handled by the rule “{rule}”: {n} patients had a change{left}."


def _mean_of(readers: int) -> str:
    return "one reader" if readers == 1 else f"mean of {readers} readers"


def _compared(arms: Sequence[str]) -> str:
    if len(arms) < 2:
        return "Mean change has a 95% t interval."
    *others, reference = arms
    return (
        f"Mean change has a 95% t interval; {listed(others)} minus {reference} (reference arm) has a 95% "
        "Welch interval."
    )


@dataclass(frozen=True)
class AgreementMethods:
    """What was done on agreement. visits: in words. icc: its form. models: compared as one more reader.

    limits: whether limits of agreement were given. margin: set in advance, None without one.
    """

    score: str
    readers: tuple[str, ...]
    models: tuple[str, ...]
    visits: str
    icc: str
    rule: str
    n: int
    campaign: str = ""
    limits: bool = True
    margin: float | None = None
    selection: str = ""
    made_with: str = ""


ICC_FORMS = {
    "ICC(A,1)": "two-way, absolute agreement, single rater (McGraw and Wong 1996)",
    "ICC(C,1)": "two-way, consistency, single rater (McGraw and Wong 1996)",
}


def agreement_methods(done: AgreementMethods) -> str:
    """The paragraph for an analysis of agreement."""
    who = listed(done.readers) if done.readers else "no human reader"
    campaign = f", reading campaign {done.campaign}" if done.campaign else ""
    said = [
        f"Agreement of {who}{campaign} in {done.score} was assessed for {done.visits} ({_patients(done.n)})."
    ]
    said.append(
        f"It is given as {done.icc}: {ICC_FORMS.get(done.icc, 'see the glossary')}, with 95% intervals."
    )
    if done.limits:
        said.append("Bland-Altman limits are the mean difference ± 1.96 SD with exact intervals.")
    if done.models:
        said.append(_as_reader(done))
    said.append(f"Missing sites were handled by the rule “{done.rule}”.")
    return _ended(said, done.selection, done.made_with)


def _as_reader(done: AgreementMethods) -> str:
    margin = (
        f"judged against a margin of {done.margin:g} squared units"
        if done.margin is not None
        else "no margin was set, so no verdict is given"
    )
    return (
        f"{listed(done.models)} was compared as one more reader by the interchangeability index, the mean "
        "squared difference of model and reader minus that of two readers, with an interval from a bootstrap "
        f"of patients; {margin}."
    )


def _patients(n: int) -> str:
    return "1 patient" if n == 1 else f"{n:,} patients"


@dataclass(frozen=True)
class PatientMethods:
    """What was done for one patient. error: SDC95 that a change is judged by, None where there is none."""

    reading: Reading
    first: str
    last: str
    rule: str
    error: float | None = None
    made_with: str = ""


def patient_methods(done: PatientMethods) -> str:
    """The paragraph for one patient."""
    said = [done.reading.sentence, f"Missing sites were handled by the rule “{done.rule}”."]
    if done.first != done.last:
        said.append(f"Change is the score at {done.last} minus that at {done.first}.")
        if done.error is not None:
            said.append(
                f"A change of more than {done.error:.2f} (SDC95, Bruynesteyn 2005) is beyond reading error."
            )
    return _ended(said, "", done.made_with)


def _ended(said: list[str], selection: str, made_with: str) -> str:
    if selection:
        said.append(f"Included were {selection}.")
    if made_with:
        said.append(f"Made with {made_with}")
    return " ".join(said)
