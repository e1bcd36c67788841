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
from core.domain import Role, Viewer
from core.errors import InputError, StoreError
from core.sign_in import LOCAL, SignIn, parse_viewer, read_sign_in, reader
from core.sign_in import VARIABLE as SIGN_IN

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "pages" / "common" / "sign_in" / "serving.py"
VIEWER = "SHARPLINE_VIEWER"
DONE = "complete"  # beside the phantom study's files once it was imported and scored
START_SECONDS = 60


@click.command(short_help="Open the dashboard.")
@click.option("--port", default=8501, show_default=True, type=click.IntRange(1, 65535))
@click.option("--address", default="localhost", show_default=True, help="Where it may be reached from.")
@click.option("--demo", "with_demo", is_flag=True, help="First make the phantom study, if it is not there.")
@click.option("--as-reader", metavar="READER", help="Show it as this blinded reader sees it.")
@click.option(
    "--sign-in",
    "sign_in_file",
    type=click.Path(path_type=Path),
    help="Who may use it, and as what: a TOML file (docs/security.md). Needed to serve other machines.",
)
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
    sign_in_file: Path | None,
    open_browser: bool | None,
) -> int:
    """Serve the dashboard over the cohort until it is stopped with Ctrl-C.

    It answers on this machine only, unless --address says otherwise; then people sign in first. Nothing is
    sent anywhere. Import and scoring may run from another terminal meanwhile.
    """
    from data.scratch import remove_left_behind

    began = time.monotonic()
    cohort = Path(ctx.obj["cohort"]).expanduser().resolve()
    people = read_sign_in(sign_in_file) if sign_in_file else None
    _check_who(cohort, address, as_reader, people)
    _check_port(address, port)
    remove_left_behind()
    if with_demo:
        make_demo(cohort)
    server = subprocess.Popen(
        server_command(address, port, sign_in_file, people),
        cwd=ROOT,
        env=environment(cohort, as_reader, sign_in_file),
        stdout=subprocess.DEVNULL,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.terminate())
    _wait_until_up(server, address, port)
    url = people.origin if people else f"http://{address}:{port}"
    click.echo(f"Sharpline is open on {url} (cohort {cohort}; started in {time.monotonic() - began:.1f} s)")
    click.echo("Research only; not a medical device. Stop with Ctrl-C.")
    if _has_screen() if open_browser is None else open_browser:
        import webbrowser

        webbrowser.open(url)
    server.wait()
    return 0


def server_command(
    address: str, port: int, sign_in_file: Path | None = None, people: SignIn | None = None
) -> list[str]:
    """The Streamlit server as a command; what must hold is said here and not left to the user's settings."""
    hosts = [people.host] if people else list(LOCAL)
    fixed = {
        "server.port": str(port),
        "server.address": address,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.maxUploadSize": "256",
        "server.enableAgentApi": "false",
        "server.enableCORS": "true",
        "server.enableXsrfProtection": "true",
        "server.enableStaticServing": "false",
        "server.scriptHealthCheckEnabled": "false",
        "server.baseUrlPath": "",
        "browser.serverAddress": hosts[0],  # known, so that no service outside is asked for it
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "viewer",
        "global.developmentMode": "false",
        "runner.postScriptGC": "false",  # pages tidy up at their own pace (pages/common/tidy.py)
        "logger.level": "warning",
        "logger.hideWelcomeMessage": "true",
    }
    options = [f"--{name}={value}" for name, value in fixed.items()]
    options += [f"--server.allowedHosts={host}" for host in hosts]
    options += [f"--secrets.files={sign_in_file.resolve()}"] if sign_in_file else []
    return [sys.executable, "-m", "streamlit", "run", str(APP), *options]


def environment(cohort: Path, as_reader: str | None, sign_in_file: Path | None = None) -> dict[str, str]:
    """The environment of the server: which cohort, who looks, and no word to the outside."""
    viewer = os.environ.get(VIEWER, Role.ANALYST.value) if as_reader is None else f"reader:{as_reader}"
    fixed = {
        "SHARPLINE_COHORT": str(cohort),
        VIEWER: viewer,
        SIGN_IN: str(sign_in_file.resolve()) if sign_in_file else "",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        "YOLO_OFFLINE": "true",
    }
    return dict(os.environ) | fixed


def _check_who(cohort: Path, address: str, as_reader: str | None, people: SignIn | None) -> None:
    """Raises InputError where not everybody who could reach the dashboard is somebody who may."""
    if people is None and address not in LOCAL:
        raise InputError(
            f"--address {address} without sign-in",
            "everybody who reaches this machine would have arms, import and unblinding",
            "give --sign-in FILE (docs/security.md), or keep localhost and use ssh -L 8501:localhost:8501",
        )
    if people is not None and as_reader is not None:
        raise InputError(
            "--as-reader with --sign-in", "with sign-in each person has a role", "name the reader in the file"
        )
    said = os.environ.get(VIEWER, Role.ANALYST.value)
    viewer = parse_viewer(said) if as_reader is None else reader(as_reader)
    _check_readers(cohort, viewer, people)


def _check_readers(cohort: Path, viewer: Viewer, people: SignIn | None) -> None:
    """A reader whom the cohort does not know may be a slip: refused for one dashboard, said for a list."""
    asked = {viewer.reader} if viewer.reader else set()
    listed = {viewer.reader for viewer in people.people.values() if viewer.reader} if people else set()
    if not asked and not listed:
        return
    known = _human_readers(cohort)
    if unknown := sorted(asked - set(known)):
        raise InputError(
            f"the reader {unknown[0]}",
            f"the cohort has {', '.join(known) or 'no readers'}",
            "name one of these",
        )
    for name in sorted(listed - set(known)):
        note(f"note: the cohort has no scores of reader {name} yet")


def _human_readers(cohort: Path) -> list[str]:
    from core.domain import ReaderKind
    from data.store.cohort import CohortStore

    store = CohortStore(cohort)
    if not store.exists():
        return []
    sql = (
        "SELECT DISTINCT reader FROM main.reader WHERE kind = $kind AND superseded_by IS NULL ORDER BY reader"
    )
    return list(store.query(sql, {"kind": ReaderKind.HUMAN.value})["reader"])


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
