"""The ``sharpline`` command: the one place that wires the floors together.

Each command is a module of this package with a click command named ``command``; it is imported when it is
called, and imports what is slow inside the function that needs it, so that ``sharpline --help`` stays fast.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click
from click.core import ParameterSource

from core.cohort_place import DEFAULT, OLD_DEFAULT, VARIABLE, default_cohort, how_to_move
from core.errors import CohortError, in_words

COMMANDS: dict[str, str] = {
    "demo": "Render the phantom study as DICOM + reader tables, ingest it, score it.",
    "ingest": "Import DICOM files, folders, zips or a DICOMDIR.",
    "dataset": "An open data set, as its owner lays it out, into a cohort.",
    "release": "List films held back for text in their pixels, or release them.",
    "subjects": "Import a table of subjects (and visits).",
    "reads": "Import a table of reader scores.",
    "score": "Run the models over what is not scored yet.",
    "totals": "Site scores to totals, no cohort needed.",
    "agreement": "Agreement statistics of a table, no cohort needed.",
    "progression": "Change, SDC and progressors of a table, no cohort needed.",
    "mmrm": "Mixed model for repeated measures of a table, no cohort needed.",
    "plan": "Patients per arm for a trial of change, no cohort needed.",
    "srm": "Standardised response means of a table, compared over the same patients.",
    "mrmc": "Readers with and without the model over the same cases, no cohort needed.",
    "evaluate": "The validation tables of a scoring model.",
    "benchmark": "Grades and corners as benchmarks of open sets count them.",
    "drift": "A model by device and over time, with limits that raise a flag.",
    "readers": "How far people err at a site, and simulated readers who err alike.",
    "train": "Train a scoring model.",
    "export": "One tidy table of the cohort.",
    "dicom": "A model's findings as DICOM SR and SEG.",
    "explain": "Where the network looked for one grade, as a picture.",
    "report": "The agreement evidence as one page.",
    "study": "Name a study, blind or unblind it, and set its margins.",
    "verify": "Check the audit chain, and that stored rows still match it.",
    "serve": "Open the dashboard.",
}


# commands whose files hold patients: they are readable by their owner only
KEEPS_PATIENTS = {"demo", "ingest", "dataset", "subjects", "reads", "score", "study", "verify", "serve"}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"core.cli.{cmd_name}").command
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--cohort",
    envvar=VARIABLE,
    default=default_cohort,
    show_default=DEFAULT,
    help="The cohort file.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="sharpline")
@click.pass_context
def cli(ctx: click.Context, cohort: str, debug: bool) -> None:
    """Sharpline: imaging progression in rheumatology. Research only; not a medical device."""
    if cohort == OLD_DEFAULT and ctx.get_parameter_source("cohort") is ParameterSource.DEFAULT:
        click.echo(f"sharpline: {how_to_move()}", err=True)
    if ctx.invoked_subcommand in KEEPS_PATIENTS:
        os.umask(0o077)
    ctx.obj = {"cohort": cohort}


def main(argv: list[str] | None = None) -> None:
    """Run the command: status 0 all done, 1 done with refusals, 2 wrong usage or nothing could be done."""
    arguments = sys.argv[1:] if argv is None else argv
    debug = "--debug" in arguments or bool(os.environ.get("SHARPLINE_DEBUG"))
    try:
        status: Any = cli.main(args=arguments, prog_name="sharpline", standalone_mode=False)
    except CohortError as error:
        _fail(str(error), debug)
    except click.exceptions.Abort:
        _fail("interrupted; nothing committed was lost; run the same command again to go on", debug)
    except click.UsageError as error:
        where = f"sharpline {error.ctx.info_name}" if error.ctx and error.ctx.parent else "sharpline"
        _fail(f"{error.format_message()}; see '{where} --help'", False)
    except click.ClickException as error:
        _fail(error.format_message(), debug)
    except BrokenPipeError:
        os._exit(0)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a fault of the program, the machine or an odd input: one line as well
        _fail(in_words(error), debug)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, debug: bool) -> None:
    if debug:
        raise
    from core.cli.output import printable

    click.echo("sharpline: " + " ".join(printable(message).split()), err=True)
    sys.exit(2)
