"""Whatever a server does, a snapshot is the project cell by cell, or there is none and one sentence says why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from fastapi import FastAPI

from extract.api import take
from extract.client import Client
from extract.connection import Patience
from extract.exports import snapshot_of
from extract.snapshot import Snapshot, open_snapshot
from metadata.errors import RedcapCdiscError
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT
from metadata.study import Study
from redcap_sandbox.faults import Fault, Faults
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.project_xml import project_xml
from redcap_sandbox.server import create_app, serve
from tests.extract.random_projects import Trial, random_trial
from tests.redcap_sandbox.small_projects import TOKEN

SEEDS, SAMPLE, CHUNK = 1000, 50, 25
PATIENCE = Patience(connect=2, answer=20, attempts=3, first_wait=0, pause=0)
KEYS = (EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE)
Cells = dict[tuple[str, ...], str]


class Switch(Faults):
    """Faults that can be exchanged while the server runs."""

    current = Faults()

    def next(self, content: str, records: int | None) -> Fault | None:
        return self.current.next(content, records)


class History(dict[str, SandboxProject]):
    """Projects by token, and all states that one of them was in."""

    def begin(self, project: SandboxProject) -> None:
        """Serve a project as it is now."""
        self.states: list[SandboxProject] = []
        self[TOKEN] = project

    def __setitem__(self, token: str, project: SandboxProject) -> None:
        self.states.append(project)
        super().__setitem__(token, project)


@pytest.fixture(scope="module")
def switch() -> Switch:
    return Switch()


@pytest.fixture(scope="module")
def app(switch: Switch) -> FastAPI:
    made = create_app({}, switch)
    made.state.tenants.projects = History()
    return made


@pytest.fixture(scope="module")
def address(app: FastAPI) -> Iterator[str]:
    with serve(app) as base:
        yield base


def cells(served: SandboxProject, group: str) -> Cells:
    """All values of a project that are not blank, by record, keys and column, as its user may see them.

    A missing-data code that no box of these records has ticked has no column, as on a real server.
    """
    frame = served.records.frame
    record_id = served.project.dictionary.record_id
    visible = [
        column.name for column in served.columns
        if (served.user.may_export(column.field) if column.field else served.user.form_right(column.form))
    ]  # fmt: skip
    kept = frame[frame[ACCESS_GROUP] == group] if group else frame
    hidden = [form for form in served.project.dictionary.forms[1:] if served.user.form_right(form) == 0]
    kept = kept[~kept[REPEAT_INSTRUMENT].isin(hidden)]
    unused = {name for name in served.project.missing_code_columns if name in kept and not (kept[name] == "1").any()}
    columns = [name for name in visible if name in frame and name not in {record_id, *unused}]
    return _cells(kept, record_id, [*columns, ACCESS_GROUP])


def _cells(frame: pd.DataFrame, record_id: str, columns: list[str]) -> Cells:
    found: Cells = {}
    for row in frame.to_dict("records"):
        place = (str(row[record_id]), *(str(row[key]) for key in KEYS))
        assert (*place, "") not in found, "a row is there twice"
        found[(*place, "")] = "row"
        found |= {(*place, column): row[column] for column in columns if row[column] != ""}
    return found


def held(snapshot: Snapshot) -> Cells:
    frame, record_id = snapshot.records.frame, snapshot.project.dictionary.record_id
    return _cells(frame, record_id, [name for name in frame if name not in (record_id, *KEYS)])


def attempt(trial: Trial, app: FastAPI, switch: Switch, address: str, root: Path) -> tuple[Path | None, str]:
    """Take a snapshot of a trial; return its folder, or the sentence why there is none."""
    app.state.tenants.projects.begin(trial.served.as_user(trial.user))
    switch.current = Faults(*trial.faults)
    try:
        return take(Study.open(trial.folder), Client(address, TOKEN, PATIENCE), root, trial.group), ""
    except RedcapCdiscError as error:
        return None, str(error)


def must_be_whole(seed: int, app: FastAPI, switch: Switch, address: str, folder: Path) -> bool:
    """Assert the invariant for one seed; return whether there is a snapshot."""
    trial = random_trial(seed, folder / "study")
    bound = bool(trial.served.project.dags) and trial.user == "member"
    path, sentence = attempt(trial, app, switch, address, folder / "snapshots")
    if path is None:
        assert sentence and "\n" not in sentence and TOKEN.lower() not in sentence.lower(), sentence
        assert "defect" not in sentence and "Traceback" not in sentence
        assert not list((folder / "snapshots").rglob("*.parquet")), "something was kept of a snapshot that was refused"
        return False
    stored = open_snapshot(path)
    snapshot = stored.keeping(stored.snapshot.blanked)
    assert snapshot.group == trial.group and (trial.group or not bound), "a part of the study was taken for the whole"
    possible = [cells(state, trial.group) for state in app.state.tenants.projects.states]
    assert held(snapshot) in possible, f"seed {seed}: {trial.faults}"
    return True


@pytest.mark.parametrize(
    "first",
    [pytest.param(n, marks=[pytest.mark.soak] if n >= SAMPLE else []) for n in range(0, SEEDS, CHUNK)],
)
def test_a_snapshot_is_the_project_or_there_is_none(
    first: int, app: FastAPI, switch: Switch, address: str, tmp_path: Path
) -> None:
    taken = [must_be_whole(seed, app, switch, address, tmp_path / str(seed)) for seed in range(first, first + CHUNK)]
    assert any(taken) and not all(taken)


@pytest.mark.parametrize("first", [0, pytest.param(CHUNK, marks=pytest.mark.soak)])
def test_without_faults_everything_comes(
    first: int, app: FastAPI, switch: Switch, address: str, tmp_path: Path
) -> None:
    """Whoever may see all records gets them, whatever they hold and however quotes are written."""
    for seed in range(first, first + CHUNK):
        folder = tmp_path / str(seed)
        trial = replace(random_trial(seed, folder / "study"), faults=(), user="owner")
        path, sentence = attempt(trial, app, switch, address, folder / "snapshots")
        assert path is not None, f"seed {seed}: {sentence}"
        stored = open_snapshot(path)
        assert held(stored.keeping(stored.snapshot.blanked)) == cells(trial.served, trial.group)


@pytest.mark.parametrize("seed", range(25))
def test_files_of_a_project_give_what_its_api_gives(
    seed: int, app: FastAPI, switch: Switch, address: str, tmp_path: Path
) -> None:
    """Exports and the project's XML of any structure hold the cells that the API gives, the exports also their id."""
    trial = replace(random_trial(seed, tmp_path / "study"), faults=(), user="owner", group="")
    taken, sentence = attempt(trial, app, switch, address, tmp_path / "api")
    assert taken is not None, sentence
    study, served = Study.open(trial.folder), trial.served
    served.records.frame.to_csv(trial.folder / "redcap" / "records.csv", index=False)
    exported = snapshot_of(study, trial.folder / "redcap", tmp_path / "exports")
    file = tmp_path / "project.xml"
    file.write_text(project_xml(served.project, served.records.frame, served.version), encoding="utf-8", newline="")
    assert exported.name == taken.name
    found, expected = (
        held(open_snapshot(path).snapshot) for path in (snapshot_of(study, file, tmp_path / "xml"), taken)
    )
    assert entered(found) == entered(expected)


def entered(found: Cells) -> Cells:
    """The cells without those that REDCap's XML leaves out: boxes and statuses that nobody set, and rows of these."""
    stored = {place: text for place, text in found.items() if text != "0"}
    rows = {place[:-1] for place in stored if place[-1] not in ("", ACCESS_GROUP)}
    return {place: text for place, text in stored.items() if place[:-1] in rows}


def test_a_list_of_export_names_without_a_column_is_refused(
    app: FastAPI, switch: Switch, address: str, tmp_path: Path
) -> None:
    """The server leaves a column of ``exportFieldNames`` out of every answer."""
    trial = replace(random_trial(3, tmp_path / "study"), user="owner", group="")
    faults = (Fault("missing_column", content="exportFieldNames", times=None, column="export_field_name"),)
    path, sentence = attempt(replace(trial, faults=faults), app, switch, address, tmp_path / "snapshots")
    assert path is None and sentence
