"""``sharpline serve``: the dashboard, on this machine unless --address says otherwise."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import click

from core.cli.output import note
from core.errors import InputError, StoreError

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app.py"
DONE = "complete"  # beside the phantom study's files once it was imported and scored
START_SECONDS = 60


@click.command(short_help="Open the dashboard.")
@click.option("--port", default=8501, show_default=True, type=click.IntRange(1, 65535))
@click.option("--address", default="localhost", show_default=True, help="Where it may be reached from.")
@click.option("--demo", "with_demo", is_flag=True, help="First make the phantom study, if it is not there.")
@click.option("--as-reader", metavar="READER", help="Show it as this blinded reader sees it.")
@click.option(
    "--open/--no-open", "open_browser", default=None, help="Open a browser [default: if there is a screen]."
)
@click.pass_context
def command(
    ctx: click.Context,
    port: int,
    address: str,
    with_demo: bool,
    as_reader: str | None,
    open_browser: bool | None,
) -> int:
    """Serve the dashboard over the cohort until it is stopped with Ctrl-C.

    It answers on this machine only, unless --address says otherwise; nothing is sent anywhere. Import and
    scoring may run from another terminal meanwhile.
    """
    from data.scratch import remove_left_behind

    began = time.monotonic()
    cohort = Path(ctx.obj["cohort"]).expanduser().resolve()
    _check_port(address, port)
    remove_left_behind()
    if with_demo:
        make_demo(cohort)
    server = subprocess.Popen(
        server_command(address, port),
        cwd=ROOT,
        env=environment(cohort, as_reader),
        stdout=subprocess.DEVNULL,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.terminate())
    _wait_until_up(server, address, port)
    url = f"http://{address}:{port}"
    click.echo(f"Sharpline is open on {url} (cohort {cohort}; started in {time.monotonic() - began:.1f} s)")
    click.echo("Research only; not a medical device. Stop with Ctrl-C.")
    if _has_screen() if open_browser is None else open_browser:
        import webbrowser

        webbrowser.open(url)
    server.wait()
    return 0


def server_command(address: str, port: int) -> list[str]:
    """The Streamlit server as a command; what must hold is said here and not left to the user's settings."""
    fixed = {
        "server.port": str(port),
        "server.address": address,
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
        "server.fileWatcherType": "none",
        "server.maxUploadSize": "256",
        "server.enableAgentApi": "false",
        "logger.level": "warning",
    }
    options = [f"--{name}={value}" for name, value in fixed.items()]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *options]


def environment(cohort: Path, as_reader: str | None) -> dict[str, str]:
    """The environment of the server: which cohort, who looks, and no word to the outside."""
    viewer = f"reader:{as_reader}" if as_reader else os.environ.get("SHARPLINE_VIEWER", "analyst")
    fixed = {
        "SHARPLINE_COHORT": str(cohort),
        "SHARPLINE_VIEWER": viewer,
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        "YOLO_OFFLINE": "true",
    }
    return dict(os.environ) | fixed


def make_demo(cohort: Path) -> None:
    """Make or finish the phantom study in this cohort; nothing where it is complete or the cohort real."""
    done = cohort.with_name(f"{cohort.stem}.study") / DONE
    if cohort.is_file() and (done.is_file() or not _may_hold_demo(cohort)):
        return
    note("Making the phantom study: 24 patients, 3 visits. This takes some minutes, once.")
    command = [
        sys.executable,
        "-c",
        "from core.cli import main; main()",
        "--cohort",
        str(cohort),
        "demo",
        "--json",
    ]
    made = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if made.returncode not in (0, 1):
        raise StoreError(
            "the phantom study", "it could not be made (see above)", "run the same command again"
        )
    if '"not_scored": null' in made.stdout:
        done.write_text(made.stdout, encoding="utf-8")


def _may_hold_demo(cohort: Path) -> bool:
    """Whether the cohort is a phantom study or still empty."""
    from data.queries.cohort import state
    from data.store.cohort import CohortStore

    found = state(CohortStore(cohort))
    return bool(found["phantom"] or found["is_empty"])


def _check_port(address: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise InputError(
                f"{address}:{port} ({error.strerror or error})",
                "an address of this machine and a free port are needed",
                "choose another with --port",
            ) from None


def _wait_until_up(server: subprocess.Popen[bytes], address: str, port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex((address, port)) == 0:
                return
        time.sleep(0.05)
    server.terminate()
    raise StoreError("the dashboard", "its server did not start (see above)", "run 'sharpline serve' again")


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
