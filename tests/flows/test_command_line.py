"""Exit codes and sentences of the command line."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.error_messages import DETAILS_VARIABLE, explain
from redcap_sandbox.faults import Fault
from tests.flows.conftest import EXPORTS, ROOT, STUDY, TOKEN, Answer

pytestmark = pytest.mark.xdist_group("package")
Command = Callable[..., Answer]


def changed_study(folder: Path, old: str, new: str, file: str = "study.yaml") -> Path:
    """Copy the bundled study and change one of its files."""
    copy = folder / STUDY
    shutil.copytree(ROOT / "mappings" / STUDY, copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("sandbox", "--help"), ("trace", "--help")])
def test_help_shows_examples(command: Command, arguments: tuple[str, ...]) -> None:
    answer = command(*arguments)
    assert answer.code == 0
    assert len(arguments) == 1 or "redcap-cdisc " + arguments[0] in answer.out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("run", "spms_aya"), ("did you mean 'spms_aza'?",)),
        (("run", STUDY, "--source", "nowhere"), ("nowhere", "snapshot")),
        (("run", STUDY, "--cutoff", "31.12.2001"), ("31.12.2001", "YYYY-MM-DD")),
        (("run", STUDY, "--cutoff", "2001-02-30"), ("this day does not exist",)),
        (("run", STUDY, "--records", "locked"), ("--source api",)),
        (("sandbox", "docs"), ("dictionary.csv",)),
        (("trace", "docs", "DM", "USUBJID=1"), ("not a finished package",)),
    ],
)
def test_wrong_use_is_exit_code_2(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    monkeypatch.chdir(ROOT)
    command(*arguments).assert_one_sentence(2, *parts)


@pytest.mark.parametrize("arguments", [("run",), ("run", STUDY, "--until", "tables"), ("build",), ("run", "--nothing")])
def test_what_the_parser_refuses_is_exit_code_2(command: Command, arguments: tuple[str, ...]) -> None:
    answer = command(*arguments)
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert answer.err


def test_without_a_token_it_says_which_variable(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDCAP_TOKEN", raising=False)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    command("run", STUDY).assert_one_sentence(2, "REDCAP_TOKEN", "redcap-token")


@pytest.mark.parametrize(
    ("fault", "parts"),
    [
        (Fault("forbidden", times=None), ("refused the token",)),
        (Fault("html", times=None), ("web page",)),
        (Fault("html", content="record", times=None), ("web page",)),
        (Fault("status", times=None, status=404), ("no REDCap API",)),
        (Fault("redirect", times=None), ("redirects", "elsewhere.example.org")),
    ],
)
def test_a_redcap_that_fails_is_exit_code_3(
    command: Command, sandbox: Callable[..., str], tmp_path: Path, fault: Fault, parts: tuple[str, ...]
) -> None:
    sandbox(fault)
    command("run", STUDY, "--out", tmp_path / "out").assert_one_sentence(3, *parts)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("fault", "patience", "parts"),
    [
        (Fault("slow", times=None, seconds=3), 0.3, ("did not answer", "within 0.3 seconds")),
        (Fault("status", times=None, status=503), 30, ("HTTP 503",)),
        (Fault("truncated", content="metadata", times=None), 30, ("cut short",)),
    ],
)
def test_a_slow_or_busy_redcap_is_exit_code_3(
    command: Command, sandbox: Callable[..., str], tmp_path: Path, fault: Fault, patience: float, parts: tuple[str, ...]
) -> None:
    study = changed_study(tmp_path, "redcap:\n", f"redcap:\n  answer_seconds: {patience}\n  attempts: 2\n")
    sandbox(fault)
    command("run", study, "--out", tmp_path / "out").assert_one_sentence(3, *parts)


def test_a_redcap_that_is_down_is_exit_code_3(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = changed_study(tmp_path, "redcap:\n", "redcap:\n  attempts: 1\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("REDCAP_URL", f"http://127.0.0.1:{port}/api/")
    monkeypatch.setenv("REDCAP_TOKEN", TOKEN)
    command("run", study, "--out", tmp_path / "out").assert_one_sentence(3, f"127.0.0.1:{port}")


def test_a_mapping_that_is_not_fit_is_exit_code_1_with_file_and_line(command: Command, tmp_path: Path) -> None:
    study = changed_study(tmp_path, "AETERM:", "AETERMX:", "sdtm/ae.yaml")
    answer = command("run", study, "--source", EXPORTS, "--until", "sdtm", "--out", tmp_path / "out")
    answer.assert_one_sentence(1, f"{STUDY}/sdtm/ae.yaml, line ", "AETERMX", "did you mean 'AETERM'?")


def test_a_project_that_has_drifted_stops_and_leaves_the_package_alone(
    command: Command, tmp_path: Path, package: Path
) -> None:
    exports = tmp_path / "exports"
    shutil.copytree(EXPORTS, exports)
    text = (exports / "dictionary.csv").read_text(encoding="utf-8-sig")
    (exports / "dictionary.csv").write_text(text.replace("1, Mild |", "1, Severe |", 1), encoding="utf-8")
    assert text != (exports / "dictionary.csv").read_text(encoding="utf-8")
    out = tmp_path / "build" / STUDY
    answer = command("run", STUDY, "--source", exports, "--out", out)
    answer.assert_one_sentence(1, "no longer the one that was mapped", "Nothing was published", f"{STUDY}.stopped")
    assert not out.exists()
    stopped = out.with_name(f"{STUDY}.stopped")
    assert "error" in (stopped / "drift.csv").read_text()
    assert (stopped / "queries.csv").is_file()


def test_queries_alone_go_to_an_ordinary_folder(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "as-entered"
    answer = command(
        "run", STUDY, "--source", EXPORTS, "--records", "as-entered", "--until", "queries", "--out", out, "--json"
    )
    assert answer.code == 0
    result: dict[str, Any] = json.loads(answer.out)
    assert result["queries"]["open"] > 20
    files = ["drift.csv", "queries.csv", "queries.html", "queries.xlsx", "queries_by_site"]
    assert sorted(path.name for path in out.iterdir()) == files
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.suffix != ".csv"} == {0o600, 0o700}
    assert (out / "queries.csv").stat().st_mode & 0o777 == 0o600
    more = "run", STUDY, "--source", EXPORTS, "--until", "queries", "--out", out, "--json"
    again = json.loads(command(*more, "--previous", out).out)
    assert again["queries"]["resolved"] > 20
    assert again["queries"]["new"] == 0
    command(*more, "--previous", tmp_path / "nothing").assert_one_sentence(2, "there is no listing")


def test_answers_that_no_query_has_are_named(command: Command, tmp_path: Path) -> None:
    header = "query_id,answer,answered_by,answered_on\n"
    study = changed_study(tmp_path, header, f"{header}0123abcd0123,It is so,Site,2001-02-03\n", "answers.csv")
    answer = command("run", study, "--source", EXPORTS, "--until", "sdtm", "--out", tmp_path / "out")
    assert answer.code == 4
    verdict = next(line for line in answer.out.splitlines() if "NOT ACCEPTED" in line)
    assert "answers.csv" in verdict and "0123abcd0123" in verdict


def test_a_part_of_a_run_never_goes_into_a_package(command: Command, package: Path) -> None:
    before = sorted(package.resolve().rglob("*"))
    answer = command("run", STUDY, "--source", EXPORTS, "--until", "queries", "--out", package)
    answer.assert_one_sentence(2, "is a finished package")
    assert sorted(package.resolve().rglob("*")) == before


def test_a_snapshot_is_a_source(command: Command, tmp_path: Path) -> None:
    first = command("run", STUDY, "--source", EXPORTS, "--until", "snapshot", "--out", tmp_path / "x", "--json")
    snapshot = json.loads(first.out)["snapshot"]
    again = command("run", STUDY, "--source", snapshot, "--until", "snapshot", "--out", tmp_path / "x", "--json")
    assert json.loads(again.out)["snapshot_id"] == json.loads(first.out)["snapshot_id"]


def test_trace_leads_to_the_form(command: Command, package: Path) -> None:
    answer = command("trace", package, "DM", "USUBJID=SPMSAZA-SYNTH-01-001", "--variable", "SEX", "--json")
    assert answer.code == 0
    places = json.loads(answer.out)["redcap"]
    assert {"record": "001", "form": "demographics", "field": "sex"}.items() <= places[0].items()
    answer = command("trace", package, "DM", "USUBJID=nobody")
    answer.assert_one_sentence(2, "nobody")


def test_an_unexpected_error_shows_its_place_and_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        {}["Juana Ruiz, 1951-02-03"]  # type: ignore[misc]

    monkeypatch.setenv(DETAILS_VARIABLE, str(tmp_path / "details.txt"))
    with pytest.raises(KeyError) as raised:
        broken()
    sentence, code = explain(raised.value)
    assert code == 3
    assert "KeyError" in sentence
    kept = (tmp_path / "details.txt").read_text()
    assert "test_command_line.py" in kept
    assert "Juana" not in sentence + kept


def test_a_disk_that_refuses_is_exit_code_3(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory") as raised:
        (tmp_path / "no" / "file").write_text("x")
    sentence, code = explain(raised.value)
    assert code == 3
    assert str(tmp_path) in sentence
    assert "No such file or directory" in sentence


def test_the_version_is_that_of_the_installed_package(command: Command) -> None:
    import platform
    import tomllib

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    answer = command("--version")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"redcap-cdisc {declared} (Python {platform.python_version()})\n"


def test_a_shell_gets_a_script_that_completes_commands(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shellingham.detect_shell", lambda *_: ("bash", "/bin/bash"))
    script = command("--show-completion")
    assert script.code == 0
    assert "_REDCAP_CDISC_COMPLETE=complete_bash" in script.out
    monkeypatch.setenv("_REDCAP_CDISC_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "redcap-cdisc appr")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert command().out.split() == ["approve"]
