"""The printed verdict: findings by rule, the most serious first, counts and first records."""

from __future__ import annotations

from typing import Any

import pytest

from flows.conformance_listing import print_results


def finding(rule: str, severity: str, dataset: str, records: int, explained: str = "") -> dict[str, Any]:
    keys = [f"USUBJID={number}" for number in range(min(records, 5))]
    return {"rule": rule, "severity": severity, "dataset": dataset, "variable": "X", "records": records,
            "sentence": f"Sentence of {rule}.", "detail": "", "keys": keys, "explained": explained}  # fmt: skip


FINDINGS = [
    finding("b.rule", "warning", "AE", 3),
    finding("a.rule", "note", "AE", 0),
    *(finding("c.rule", "error", f"D{number}", number) for number in range(1, 9)),
    finding("d.rule", "error", "LB", 2, "It is meant."),
]
RESULT = {"engine": "redcap-cdisc", "standard": "SDTMIG 3.3", "rules": [], "findings": FINDINGS,
          "counts": {"rules": 4, "findings": 11, "explained": 1, "unexplained": 9}}  # fmt: skip


def listed(capsys: pytest.CaptureFixture[str], everything: bool) -> list[str]:
    print_results({"ours": RESULT, "core": None}, everything)
    return capsys.readouterr().out.splitlines()


def test_findings_are_printed_by_rule_the_most_serious_first(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listed(capsys, False)
    rules = [line.split()[:2] for line in lines[1:] if line.startswith("  ") and line[2] != " " and "--all" not in line]
    assert rules == [["error", "c.rule"], ["warning", "b.rule"], ["note", "a.rule"], ["explained", "d.rule"]]
    assert "c.rule  36 records in 8 places  Sentence of c.rule." in lines[1]
    assert [line.strip() for line in lines[2:6]] == ["D8.X  8 records", "USUBJID=0", "D7.X  7 records", "USUBJID=0"]
    assert "and 3 places more" in lines[12] and lines[-1].strip().startswith("--all")
    assert any(line.strip() == "It is meant." for line in lines)
    assert any(line.strip() == "AE.X  whole dataset" for line in lines)


def test_all_prints_every_place_and_all_known_records(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listed(capsys, True)
    assert sum(line.strip().startswith("D") for line in lines) == 8
    assert sum("USUBJID=" in line for line in lines) == sum(min(number, 5) for number in range(1, 9)) + 3
    assert not any("--all" in line or " more" in line for line in lines)
