"""The command ``compare``: exit codes, what is shown, and that values stay out of sight unless asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.comparing import read_tolerances, show_comparison
from metadata.errors import UsageError
from publish.comparison import Tolerance
from tests.flows.conftest import Answer

Command = Callable[..., Answer]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    texts = ("USUBJID,AVAL,TERM\nS1,1.0,secret one\nS2,2.0,same\n", "USUBJID,AVAL,TERM\nS1,1.1,secret two\nS2,2,same\n")
    paths = tmp_path / "a.csv", tmp_path / "b.csv"
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


def shown(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert show_comparison(*arguments) == 1  # type: ignore[arg-type]
    return capsys.readouterr().out


def test_values_are_shown_only_on_request(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (False, True):
        hidden = shown(capsys, *pair, ["USUBJID"], [], [], False, 10, as_json)
        assert "S1" in hidden and "secret" not in hidden and "S2" not in hidden
        printed = shown(capsys, *pair, ["USUBJID"], [], [], True, 10, as_json)
        assert "secret one" in printed and "secret two" in printed and "same" not in printed


def test_json_counts(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    read = json.loads(shown(capsys, *pair, ["USUBJID"], ["AVAL=20%"], [], False, 10, True))
    assert read["equal"] is False
    assert [(v["variable"], v["different"], v["compared"]) for v in read["datasets"][0]["values"]] == [("TERM", 1, 2)]
    assert read["datasets"][0]["values"][0]["rows"] == [{"USUBJID": "S1"}]


def test_tolerances_are_read() -> None:
    read = read_tolerances(["1e-9", "0.1%", "AVAL=0.5", "AVAL=1%", "CHG=2"])
    assert read.general == Tolerance(1e-9, 0.001)
    assert read.single == {"AVAL": Tolerance(0.5, 0.01), "CHG": Tolerance(2.0)}


@pytest.mark.parametrize("text", ["", "much", "AVAL=", "-1", "nan", "1%%"])
def test_what_is_no_tolerance_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"write 0\.001"):
        read_tolerances([text])


def test_exit_codes(pair: tuple[Path, Path], command: Command) -> None:
    assert command("compare", str(pair[0]), str(pair[0])).code == 0
    assert command("compare", str(pair[0]), str(pair[1]), "--key", "USUBJID").code == 1
    for wrong in (("--key", "NAME"), ("--ignore", "colour"), ("--tolerance", "much")):
        answer = command("compare", str(pair[0]), str(pair[1]), *wrong)
        assert answer.code == 2
        assert "Traceback" not in answer.err


@pytest.fixture
def packages(tmp_path: Path) -> tuple[Path, Path]:
    """Two packages: of three results one is added, one changed, one gone, and so with the findings."""
    head = "output,analysis,population,subset,group,variable,level,statistic,text\n"
    results = (
        "A,a,p,,g,v,,n,1\nA,a,p,,g,v,,mean,2\nA,a,p,,g,v,,sd,3\n",
        "A,a,p,,g,v,,n,1\nA,a,p,,g,v,,mean,4\nA,a,p,,g,v,,<b>,3\n",
    )
    findings = (
        [("one", 1), ("two", 2), ("three", 3)],
        [("one", 1), ("two", 5), ("four", 4)],
    )
    places = tmp_path / "first", tmp_path / "second"
    for place, rows, found in zip(places, results, findings, strict=True):
        for folder in ("m5", "reports", "validation"):
            (place / folder).mkdir(parents=True)
        (place / "reports" / "results.csv").write_text(head + rows)
        judged = [{"rule": rule, "dataset": "DM", "variable": "AGE", "severity": "error", "sentence": "It holds.",
                   "records": count} for rule, count in found]  # fmt: skip
        (place / "validation" / "conformance.json").write_text(json.dumps({"findings": judged}))
    return places


def test_a_reviewer_sees_records_and_findings(
    packages: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    read = json.loads(shown(capsys, *packages, [], [], [], True, 10, True, page))
    assert read["datasets"][0]["records"] == {"added": 1, "changed": 1, "gone": 1}
    assert [(one["rule"], one["kind"], one["first"], one["second"]) for one in read["findings"]] == [
        ("four", "new", None, 4), ("three", "gone", 3, None), ("two", "changed", 2, 5),
    ]  # fmt: skip
    text = page.read_text("utf-8")
    assert "A and B differ" in text and "&lt;b&gt;" in text and "<b>" not in text and "<td>4</td>" in text
    assert text.count("<td>It holds.</td>") == 3
    printed = shown(capsys, *packages, [], [], [], False, 10, False)
    assert "Conformance findings that differ" in printed and "four" in printed


def test_equal_packages_have_an_equal_page(
    packages: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert show_comparison(packages[0], packages[0], [], [], [], False, 10, True, page) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    assert "A and B are equal" in page.read_text("utf-8")
