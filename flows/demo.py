"""The demo: a synthetic study from a REDCap sandbox to the package, as a Prefect flow, with explanations."""

from __future__ import annotations

import csv
import importlib
import os
import secrets
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from flows import stage_summaries
from flows.pipeline import build
from flows.prefect_server import PrefectServer
from flows.progress import PROGRESS_SHOWN, StagePrinter
from flows.run_request import (
    BUILD,
    RunRequest,
    RunResult,
    relative,
)
from mappings import DEMO
from metadata.study import Study
from redcap_sandbox.server import SandboxProject, create_app, serve

STATES = ("locked", "as-entered")
TOKEN_BYTES = 16
STATEMENTS = 8
COMMAND = "redcap-cdisc"


def run_demo(out: Path = BUILD) -> None:
    """Serve a synthetic study, list the queries of its records as entered, build its package, and say where to look."""
    started = time.monotonic()
    study = Study.open(DEMO)
    console = Console(highlight=False)
    _say_what_happens(console, study)
    with PrefectServer(out / "prefect") as server, _served(study) as places:
        loading = _import_in_background()
        console.print("\n[bold]Records as entered[/bold]: the queries a data manager would send")
        queries = _list_queries(study, places["as-entered"], out)
        console.print("\n[bold]Records after cleaning[/bold]: the package, built as a Prefect flow")
        server.wait_until_ready()
        loading.join()
        package = _run_flow(study, places["locked"], out, server)
    _print_summary(console, study, queries, package, out, time.monotonic() - started)


@contextmanager
def _served(study: Study) -> Iterator[dict[str, dict[str, str]]]:
    """Serve both record states as two projects; yields the environment that reaches each."""
    redcap = study.declared.redcap
    tokens = {state: secrets.token_hex(TOKEN_BYTES) for state in STATES}
    projects = {tokens[state]: SandboxProject.read(study.folder / "redcap", state) for state in STATES}
    with serve(create_app(projects)) as address:
        yield {state: {redcap.url_variable: f"{address}api/", redcap.token_variable: tokens[state]} for state in STATES}


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _import_in_background() -> threading.Thread:
    """Start importing what takes longest, while the server comes up and the queries are found."""

    thread = threading.Thread(target=importlib.import_module, args=("flows.study_build",), name="imports")
    thread.start()
    return thread


def _list_queries(study: Study, place: Mapping[str, str], out: Path) -> RunResult:
    with _environment(place):
        request = RunRequest.of(study.name, out=out / f"{study.name}-as-entered", until="queries")
        return build(request, StagePrinter())


def _run_flow(study: Study, place: Mapping[str, str], out: Path, server: PrefectServer) -> dict[str, Any]:
    from prefect.logging.handlers import APILogHandler
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.study_build import study_build

    changed = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    PROGRESS_SHOWN.set(True)
    with _environment(place), temporary_settings(changed):
        state = study_build(study.name, out=str(out / study.name), return_state=True)
        APILogHandler().flush()
        server.wait_until_recorded(str(state.state_details.flow_run_id))
        return state.result()  # type: ignore[no-any-return]


def _say_what_happens(console: Console, study: Study) -> None:
    text = Text()
    text.append(f"{study.declared.study.title}\n", style="bold")
    text.append("Invented patients in a REDCap-compatible sandbox on this machine, and from there to SDTM, ADaM, ")
    text.append("tables and a submission package. Nothing leaves this machine.")
    console.print(Panel(text, title=f"redcap-cdisc demo: {study.studyid}", title_align="left", border_style="blue"))


def _print_summary(
    console: Console, study: Study, queries: RunResult, made: Mapping[str, Any], out: Path, seconds: float
) -> None:
    package = out / study.name
    console.print()
    console.print(_dataset_table(made["datasets"]))
    console.print(_statement_table(package / "reports" / "results.csv"))
    console.print(_place_table(study, queries, made, out))
    console.print(f"\nDone in {seconds:.0f} s. Next:\n")
    own = _command()
    home = "" if out == BUILD else f" --home {shlex.quote(relative(out))}"
    for command in (
        f"{own} up{home}",
        f'{own} trace {relative(package)} DM "USUBJID={_first_subject(package)}" --variable AGE',
        f"{own} sandbox {relative(study.folder / 'redcap')} --records as-entered",
    ):
        console.print(f"  {command}", style="cyan", soft_wrap=True)


def _dataset_table(datasets: Mapping[str, Mapping[str, int]]) -> Table:
    table = Table(title="Datasets (rows)", title_justify="left", title_style="bold", show_header=False, box=None)
    table.add_column(style="dim")
    table.add_column()
    for kind, wanted in (("SDTM", False), ("ADaM", True)):
        counts = [f"{n} {one['rows']:,}" for n, one in datasets.items() if (one["standard"] == "adam") is wanted]
        table.add_row(kind, "   ".join(counts))
    return table


def _statement_table(results: Path) -> Table:
    """Return a table of the publication's statements that this run computed; the page has the published values too."""
    with results.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["statistic"] == "computed"]
    known = [row for row in rows if not row["warning"]]
    title = f"Published statements: {len(known)} of {len(rows)} computed from these data"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False)
    table.add_column(style="dim")
    table.add_column()
    for row in known[:STATEMENTS]:
        table.add_row(row["level"], row["text"])
    return table


def _place_table(study: Study, queries: RunResult, made: Mapping[str, Any], out: Path) -> Table:
    package, counts, cleaned = out / study.name, queries.queries, made["queries"]
    table = Table(title="Where to look", title_justify="left", title_style="bold", show_header=False, box=None)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    accepted = stage_summaries.of_acceptance(made["acceptance"])
    for what, where, summary in (
        ("tables and figures", package / "reports" / "index.html", stage_summaries.counted(made["outputs"], "page")),
        ("queries as entered", out / f"{study.name}-as-entered" / "queries.html", f"{counts['open']} open"),
        ("queries that stay", package / "validation" / "queries.html", f"{cleaned['all']}, {cleaned['open']} open"),
        ("acceptance", package / "validation" / "acceptance.html", accepted),
        ("transport files", package / "m5", stage_summaries.counted(len(made["datasets"]), "file")),
        ("every file, hashed", package / "manifest.json", ""),
    ):
        table.add_row(what, f"{relative(where)}  [dim]{summary}[/dim]")
    return table


def _first_subject(package: Path) -> str:
    import pyarrow.parquet as parquet

    subjects = parquet.read_table(package / "parquet" / "sdtm" / "dm.parquet", columns=["USUBJID"])
    return str(subjects["USUBJID"][0].as_py())


def _command() -> str:
    """Return the command as it can be typed: its name, or its path where the shell would not find it."""
    here = Path(sys.argv[0])
    found = shutil.which(COMMAND)
    if here.name != COMMAND or (found and Path(found).resolve() == here.resolve()):
        return COMMAND
    return shlex.quote(relative(here))
