"""The model's second reading: all films of a patient together, order blinded, in a campaign of its own.

It starts from what the same weights saw on each film alone (the findings of the single-film run), so no film
is looked at twice and no network is loaded. A patient is read anew when the films that show a site are no
longer those with which its findings were made: the new rows supersede the old ones, and reads of single films
stay as they are. Whole patients are committed, so a stopped reading goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pandas as pd

from core.domain import Scored
from core.learned_from import KEY
from data.scoring.filing import Result, Run, begin, file_visit, finding_rows, unscorable_rows, waiting_visits
from data.scoring.paired import as_result, films_of, missing_sites, single_findings, stale_subjects
from data.store.cohort import CohortStore
from models.paired.reader import Paired, PairedReader

BATCH_PATIENTS = 20  # a transaction


def read_cohort_paired(store: CohortStore, paired: Paired, single: Run, size: str) -> int:
    """Paired reading of every patient whose films are not read so yet; the number of patients.

    single: the run that holds what this model saw on each film. A size that reads single films only does
    nothing.
    """
    identity = paired.identify(size)
    if identity is None:
        return 0
    run = paired_run(single, paired, size, identity)
    waiting = stale_subjects(store, single, run)
    late = waiting_visits(store, run)
    if not waiting and not late:
        return 0
    begin(store, run)
    reader = paired.build(size)
    for start in range(0, len(waiting), BATCH_PATIENTS):
        _read(store, reader, single, run, waiting[start : start + BATCH_PATIENTS])
    late = waiting_visits(store, run)
    if late:
        with store.write("sharpline score", "read together", details={"run": run.run}) as tx:
            for subject, visit in late:
                file_visit(tx, run, subject, visit)
    return len(waiting)


def paired_run(single: Run, paired: Paired, size: str, identity: str) -> Run:
    """The run that paired reads are filed under: same weights, same way to read, same run.

    identity: of the paired reading; runs in a cohort are named after these settings, whose keys never change.
    """
    about = {"size": size, "read_mode": "paired", "from_run": single.run, "together": identity}
    learned = json.loads(single.settings).get(KEY)
    settings = json.dumps(about | ({KEY: learned} if learned else {}))
    parts = (single.system, single.reader, paired.campaign, single.weights_hash, settings)
    name = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
    return Run(name, single.system, single.reader, paired.campaign, "paired", single.weights_hash, settings)


def _read(store: CohortStore, reader: PairedReader, single: Run, run: Run, subjects: list[str]) -> None:
    """Read these patients' films together, then store them in one transaction.

    A patient that another process has read meanwhile, or whose films changed meanwhile, is left to the next
    run.
    """
    alone, missing = single_findings(store, single, subjects), missing_sites(store, single, subjects)
    by_subject = [(str(subject), rows) for subject, rows in alone.groupby("subject", sort=True)]
    read = {subject: _results(reader, rows, missing) for subject, rows in by_subject}
    details = {"run": run.run, "patients": len(subjects)}
    with store.write("sharpline score", "read together", details=details) as tx:
        still = set(stale_subjects(tx, single, run, subjects))
        now = single_findings(tx, single, subjects)
        for subject, rows in by_subject:
            if subject not in still or films_of(rows) != films_of(now[now["subject"] == subject]):
                continue
            results, compared = read[subject]
            for table in ("finding", "unscorable"):
                tx.supersede(table, pd.DataFrame({"image": list(results)}).assign(run=run.run))
            tx.insert("finding", finding_rows(run, results, compared))
            tx.insert("unscorable", unscorable_rows(run, results))
            pairs = rows[["subject", "visit"]].drop_duplicates().sort_values(["subject", "visit"])
            for _, visit in pairs.itertuples(index=False, name=None):
                file_visit(tx, run, subject, str(visit))


def _results(
    reader: PairedReader, rows: pd.DataFrame, missing: Mapping[str, dict[str, str]]
) -> tuple[dict[str, Result], dict[tuple[str, str], dict[str, float]]]:
    """The results of one patient's films, and (image, site) -> other film -> probability of another grade."""
    films = {
        str(image): as_result(found, missing.get(str(image), {}))
        for image, found in rows.groupby("image", sort=True)
    }
    names = list(films)
    paired = reader.read(list(films.values()))
    compared: dict[tuple[str, str], dict[str, float]] = {}
    for place, result in enumerate(paired.results):
        for finding in result.findings if isinstance(result, Scored) else ():
            by = paired.change_probability.get(finding.site, {})
            compared[names[place], finding.site] = {
                names[other]: value for (one, other), value in by.items() if one == place
            }
    return dict(zip(names, paired.results, strict=True)), compared
