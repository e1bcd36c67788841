"""The key of a cohort, held against the mark that the cohort keeps of it.

Another key in its place would give the same patients other names and other dates, and make doubles of films
that are there. So the first import notes a mark of the key (a keyed hash that tells nothing about it).
"""

from __future__ import annotations

from core.errors import StoreError
from data.dicom.pseudonyms import CohortKey, key_file, open_key
from data.store.cohort import CohortStore
from data.store.transaction import Transaction

MARK = "key_mark"


def cohort_key(store: CohortStore) -> CohortKey:
    """The cohort's key; a new one may be made only while no film is stored under an older one.

    Raises StoreError where it is missing, damaged, or not the one that films were imported with.
    """
    with store.reading() as session:
        has_films = session.value("SELECT 1 FROM main.delivery LIMIT 1") is not None
        mark = session.value("SELECT value FROM main.meta WHERE key = ?", [MARK])
    key = open_key(store.path, may_create=not has_films and mark is None)
    if mark is not None and mark != key.mark:
        raise StoreError(
            f"the key {key_file(store.path)} is not the one that this cohort was filled with",
            "under another key the same patients and films would come in once more",
            "put the right key back from a backup",
        )
    return key


def keep_mark(transaction: Transaction, key: CohortKey) -> None:
    """Note the mark of the key, once."""
    transaction.set_meta(MARK, key.mark)


def key_fault(store: CohortStore) -> str:
    """What is wrong with the key beside the cohort; ``""`` where nothing is, or where there is none."""
    if not key_file(store.path).exists():
        return ""
    try:
        cohort_key(store)
    except StoreError as error:
        return error.given
    return ""
