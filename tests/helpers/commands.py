"""A command of the program, run in this process."""

import pytest

from core.cli import main


def run_command(capsys, *arguments):
    """(status, standard output, standard error) of ``sharpline ARGUMENTS``."""
    with pytest.raises(SystemExit) as end:
        main([*map(str, arguments)])
    out, err = capsys.readouterr()
    return end.value.code, out, err
