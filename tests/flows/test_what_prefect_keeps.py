"""Nothing of a patient stays with Prefect: all that deployed runs leave is searched, whichever stage failed."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pickle
import re
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from flows.error_messages import NeutralError, explain
from metadata.errors import OutsideError, StudyError
from tests.flows.conftest import EXPORTS, ROOT, STUDY
from tests.flows.planted_errors import BIRTH, ERRORS, NAME, PLANTED, outside

pytestmark = pytest.mark.xdist_group("prefect")
SUBJECT = "SPMSAZA-SYNTH-01-0"
PATIENT = (NAME, BIRTH, SUBJECT)
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
LINES = re.compile(
    rb"[A-Za-z0-9+/]{76}(?:(?:\n|\\n)[A-Za-z0-9+/]+)+={0,2}"
)  # as Prefect writes it: a name may be broken
DEEPEST = 5
PARTS = 4


def decoded(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """Yield a content, and what is packed in it: escapes, JSON texts, base64, zlib, gzip, pickles with all in them."""
    yield content
    if depth == DEEPEST:
        return
    inner = [] if b"\\" not in content else [unescaped(content)]
    with suppress(ValueError):
        inner += [text.encode() for text in texts_of(json.loads(content))]
    broken = [re.sub(rb"\n|\\n", b"", match) for match in LINES.findall(content)]
    for match in [*BASE64.findall(content), *broken]:
        text = match.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
        whole = text[:-1] if len(text) % 4 == 1 else text
        inner.append(base64.b64decode(whole + b"=" * (-len(whole) % 4)))
    with suppress(zlib.error):
        inner.append(zlib.decompress(content, wbits=47))  # zlib or gzip
    if content[:1] == b"\x80":
        inner += [text.encode() for text in texts_of(unpickled(content))]
    for part in inner:
        if part != content:
            yield from decoded(part, depth + 1)


def unescaped(content: bytes) -> bytes:
    """Return a text without the escapes of JSON and Python: in a log or a repr they may be only a part of it."""
    text = content.decode("utf-8", "replace")
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"\\(['\"/\\])", r"\1", text).encode("utf-8", "replace")


def texts_of(value: Any, seen: frozenset[int] = frozenset()) -> Iterator[str]:
    """Yield all texts in a value: in containers, attributes, and what led to an exception."""
    if isinstance(value, str | bytes):
        yield value if isinstance(value, str) else value.decode("utf-8", "replace")
        return
    if id(value) in seen or len(seen) > DEEPEST * 4:
        return
    inner = {*seen, id(value)}
    parts: list[Any] = []
    if isinstance(value, Mapping):
        parts = [*value, *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        parts = [*value]
    elif isinstance(value, BaseException):
        parts = [value.args, vars(value), value.__cause__, value.__context__]
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        parts = [repr(value), vars(value)]
    for part in parts:
        yield from texts_of(part, frozenset(inner))


def unpickled(content: bytes) -> object:
    """Return what a pickle holds."""
    try:
        return pickle.loads(content)
    except Exception as error:  # not a pickle after all, or of a class that is not here
        return error


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield all files below a folder; of a database also its cells, with the table behind the file's name."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        yield path, content
        if content.startswith(b"SQLite format 3"):
            with sqlite3.connect(path) as connection:
                for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                    for row in connection.execute(f'SELECT * FROM "{table}"'):
                        for cell in row:
                            if isinstance(cell, str | bytes):
                                yield path / table, cell.encode() if isinstance(cell, str) else cell


def found(folder: Path, wanted: Iterable[str]) -> set[tuple[str, str]]:
    """Return which of the wanted texts some file holds, in whatever form, and that file's name, or its table."""
    sought = [(text, text.encode()) for text in wanted]
    return {
        (path.relative_to(folder).as_posix(), text)
        for path, content in contents(folder)
        for plain in decoded(content)
        for text, image in sought
        if image in plain
    }


def run(folder: Path, *environments: dict[str, str]) -> list[dict[str, str]]:
    """Make deployed runs of exports, one an environment, and return their final states."""
    runs = []
    for number, environment in enumerate(environments):
        parameters = {"study": STUDY, "source": str(EXPORTS), "out": str(folder / f"out-{number}" / STUDY)}
        runs.append({"STAGES": str(folder / "stages"), **environment, "parameters": parameters})
    done = subprocess.run(
        [sys.executable, "-m", "tests.flows.deployed_runs", str(folder / "prefect"), json.dumps(runs)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
        capture_output=True,
        text=True,
        check=True,
    )
    (folder / "prefect" / "driver.log").write_text(done.stdout + done.stderr)
    states: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return states


@pytest.mark.parametrize(
    "pack",
    [
        lambda error: str(error).encode(),
        lambda error: cloudpickle.dumps(error),
        lambda error: json.dumps({"result": base64.b64encode(cloudpickle.dumps(error)).decode()}).encode(),
        lambda error: json.dumps(
            {"a": [json.dumps({"b": base64.urlsafe_b64encode(str(error).encode()).decode()})]}
        ).encode(),
        lambda error: base64.b64encode(zlib.compress(str(error).encode())),
        lambda error: gzip.compress(cloudpickle.dumps({"rows": [(1, {"caused": error})]})),
        lambda error: cloudpickle.dumps(with_cause(error)),
        lambda error: f"12:01 | ERROR | {json.dumps(str(error))} at once".encode(),
        lambda error: "".join(f"\\u{ord(letter):04x}" for letter in str(error)).encode(),
        lambda error: f"12:01 | {error!r}".encode(),
        lambda error: base64.encodebytes(cloudpickle.dumps(type(error)(f"{'.' * 40}{error}"))),
        lambda error: json.dumps([base64.encodebytes(cloudpickle.dumps(error)).decode()]).encode(),
    ],
    ids=[
        "text",
        "pickle",
        "result record",
        "base64 in json in json",
        "compressed",
        "gzip of a pickle of containers",
        "cause",
        "escapes in a line of a log",
        "code points",
        "repr",
        "base64 in lines",
        "base64 in lines in json",
    ],
)
def test_the_search_finds_what_is_packed(tmp_path: Path, pack: Any) -> None:
    (tmp_path / "kept").write_bytes(pack(ValueError(PLANTED)))
    assert found(tmp_path, PATIENT) == {("kept", NAME), ("kept", BIRTH)}


def with_cause(error: Exception) -> Exception:
    outer = RuntimeError("a sentence")
    outer.__dict__["original"] = error
    return outer


def test_the_search_finds_what_is_in_a_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "kept") as connection:
        connection.execute("CREATE TABLE run (state TEXT)")
        connection.execute("INSERT INTO run VALUES (?)", (json.dumps({"m": base64.b64encode(NAME.encode()).decode()}),))
    assert found(tmp_path, PATIENT) == {("kept", NAME), ("kept/run", NAME)}


@pytest.mark.parametrize("kind", ERRORS)
def test_a_stored_error_is_its_sentence_and_exit_code(kind: str) -> None:
    error = ERRORS[kind](PLANTED)
    error.add_note(PLANTED)
    kept = NeutralError.of(error)
    copy = pickle.loads(cloudpickle.dumps(kept))
    assert (copy.original, vars(copy), copy.__cause__, copy.__context__) == (None, vars(copy), None, None)
    assert not any(text in repr(part) for text in PATIENT for part in (str(kept), vars(copy), copy.args))
    assert explain(copy) == (str(kept), explain(kept)[1])
    assert explain(kept) == explain(error)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (outside("O'Neill"), "REDCap listed 3 records, but '...' did not come; try again"),
        (OutsideError("the token's user may not see 'it's 'so', or 'x'."), "the token's user may not see '...'."),
        (OutsideError('refused: "no \\"A\\" for B" at 3'), "refused: '...' at 3"),
        (StudyError("record 7 is odd"), "record ... is odd"),
        (
            StudyError("EXDOSU is 5.3 in 2 records", "s/adam/adex.yaml", 18, "parameters"),
            "s/adam/adex.yaml, line 18, key 'parameters': EXDOSU is ... in 2 records",
        ),
    ],
)
def test_a_sentence_loses_all_that_is_quoted(error: Exception, sentence: str) -> None:
    assert str(NeutralError.of(error)) == sentence


@pytest.mark.soak
def test_a_deployed_run_that_fails_leaves_nothing_of_a_patient(tmp_path: Path) -> None:
    (state,) = run(tmp_path, {"FAIL_AT": "find queries", "FAIL_AS": "ValueError"})
    assert state["name"] == "Failed"
    assert "a defect of redcap-cdisc stopped it (ValueError" in state["message"]
    assert any(tmp_path.glob("prefect/storage/*"))  # Prefect stores the error of a failed flow
    assert found(tmp_path / "prefect", PATIENT) == set()


@pytest.mark.soak
@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=pytest.mark.xdist_group(f"stages {part}")) for part in range(PARTS)]
)
def test_no_stage_leaves_anything_of_a_patient_when_it_fails(part: int, tmp_path: Path) -> None:
    """Every stage fails once; the parts are a quarter of the stages each, so that two workers share them."""
    assert [state["name"] for state in run(tmp_path, {"FAIL_AT": ""})] == ["Completed"]
    assert found(tmp_path / "prefect", PATIENT) == set()
    stages = list(pickle.loads((tmp_path / "stages").read_bytes()))
    assert len(stages) >= 20
    (tmp_path / "prefect").rename(tmp_path / "completed")
    kinds = [kind for kind in ERRORS if kind != "unprotected"]
    asked = [{"FAIL_AT": stage, "FAIL_AS": kinds[at % len(kinds)]} for at, stage in enumerate(stages)][part::PARTS]
    states = run(tmp_path, *asked)
    assert {state["name"] for state in states} == {"Failed"}
    said = any("REDCap listed 3 records, but '...' did not come" in state["message"] for state in states)
    assert said is any(one["FAIL_AS"] == "OutsideError" for one in asked)
    assert found(tmp_path / "prefect", PATIENT) == set()


@pytest.mark.soak
def test_a_flow_that_lets_values_pass_is_found_in_every_place(tmp_path: Path) -> None:
    """The search is worth something: values that leak into a log, a result, an artifact or the database are found."""
    run(tmp_path, {"FAIL_AT": "extract", "FAIL_AS": "unprotected"})
    held = found(tmp_path / "prefect", PATIENT)
    for text in (NAME, BIRTH):
        places = {path for path, planted in held if planted == text}
        wanted = {"log", "artifact", "flow_run_state", "task_run_state"}
        assert {"run-0.log", *(f"prefect.db/{table}" for table in wanted)} <= places
        assert len({path for path in places if path.startswith("storage/")}) >= 2  # the run's error, a task's result
