"""Objects that nothing uses any more, taken away now and then instead of after every run of every session.

Streamlit looks through all objects of the process after each run (``runner.postScriptGC``): a tenth of a
second here, in which no other session moves, also for the two lines that watch the cohort's version.
"""

from __future__ import annotations

import gc
import threading
import time

EVERY_SECONDS = 60

_turn = threading.Lock()
_last = time.monotonic()


def tidy_up() -> None:
    """Look through all objects if nobody did so lately."""
    global _last
    if time.monotonic() - _last < EVERY_SECONDS or not _turn.acquire(blocking=False):
        return
    try:
        _last = time.monotonic()
        gc.collect()
    finally:
        _turn.release()
