"""What every helper process does first: it sees to it that it ends with the process that started it.

A process that is killed outright (SIGKILL, no memory left) cannot end its helpers; they would go on reading
models and images for as long as a film takes.
"""

from __future__ import annotations

import os
import threading
from multiprocessing import parent_process


def end_with_parent() -> None:
    """Initializer of a helper process that ``multiprocessing`` started; does nothing in any other."""
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True, name="ends with its parent").start()
