"""Two campaigns of the same readers as two modalities of one study."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from core.agreement.mrmc.study import Study, collect
from core.reader_labels import people_campaigns
from data.queries import scores
from pages.common.agreement.question import Question, readings_of
from pages.common.page import Page
from pages.common.queries import ask


def campaigns(page: Page, asked: Question) -> list[str]:
    """Campaigns that human readers read, the chosen one first."""
    known = list(people_campaigns(ask(page, scores.readers, asked.chosen.system)))
    chosen = asked.chosen.campaign
    return [chosen, *(name for name in known if name != chosen)] if chosen in known else known


def reads(page: Page, asked: Question, panel: str, names: tuple[str, ...], truth: str) -> pd.DataFrame:
    """``subject, reader, modality, rating, truth`` of readers and patients who are in every campaign."""
    tables, readers = {}, []
    for name in names:
        found = readings_of(page, replace(asked.chosen, campaign=name), asked.interval)
        tables[name] = found.table(panel, asked.interval, asked.component)
        readers.append([label for label in found.people if label in tables[name]])
    common = [label for label in readers[0] if all(label in others for others in readers)]
    known = next((table[truth] for table in tables.values() if truth in table), None)
    if known is None or not common:
        return pd.DataFrame(columns=["subject", "reader", "modality", "rating", "truth"])
    truths = known.dropna()
    parts = []
    for name, table in tables.items():
        wide = table[common].reset_index(names="subject")
        long = wide.melt(id_vars="subject", var_name="reader", value_name="rating")
        parts.append(long.dropna().assign(modality=name))
    rows = pd.concat(parts, ignore_index=True)
    in_all = set.intersection(*(set(part["subject"]) for part in parts)) & set(truths.index)
    rows = rows[rows["subject"].isin(in_all)].reset_index(drop=True)
    return rows.assign(truth=rows["subject"].map(truths).astype(float))


def study_of(page: Page, asked: Question, panel: str, names: tuple[str, ...], truth: str) -> Study:
    """The study of these campaigns, the first one the reference; missing reads are allowed."""
    return collect(reads(page, asked, panel, names, truth), reference=names[0])
