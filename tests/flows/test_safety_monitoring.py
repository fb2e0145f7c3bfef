"""Monitoring by the command and by its Prefect flow: alerts, acknowledgements, messages without values, failed runs."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.flows.conftest import EXPORTS, ROOT, STUDY, Answer

DAY = "1999-06-12"


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the records of one patient, as entered."""
    folder = tmp_path_factory.mktemp("monitored") / "redcap"
    shutil.copytree(EXPORTS, folder, ignore=shutil.ignore_patterns("log*.csv", "records_locked.csv"))
    path = folder / "records_as_entered.csv"
    head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([head, *(row for row in rows if row.startswith("004,"))]), encoding="utf-8")
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.soak
def test_the_command_opens_alerts_and_a_person_acknowledges_one(
    command: Callable[..., Answer], exports: Path, tmp_path: Path
) -> None:
    out = tmp_path / "safety"
    asked = ("monitor", STUDY, "--source", exports, "--out", out)
    first = command(*asked, "--as-of", DAY, "--json")
    assert first.code == 0, first.err
    told = json.loads(first.out)
    assert told["messages"]["new"] == told["open"] > 0
    [hold] = [one for one in told["alerts"] if one["rule"] == "tpmt"]
    assert (hold["subject"], hold["level"]) == ("01-004", "hold")
    assert hold["link"].startswith("https://redcap.example.org/redcap_v")
    kept = {path.name: path.read_bytes() for path in out.iterdir()}
    for path in out.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(out.stat().st_mode) == 0o700

    again = command(*asked, "--as-of", DAY, "--json")  # the same inputs, the same logs
    assert json.loads(again.out)["messages"] == {"new": 0, "again": 0, "escalated": 0, "reminder": told["open"]}
    for name in ("alerts.jsonl", "runs.jsonl"):
        assert (out / name).read_bytes() == kept[name]
    elsewhere = tmp_path / "elsewhere"
    assert command("monitor", STUDY, "--source", exports, "--out", elsewhere, "--as-of", DAY).code == 0
    assert {path.name: path.read_bytes() for path in elsewhere.iterdir()} == kept

    answer = ("acknowledge", STUDY, hold["alert"], "--action", "Stopped", "--out", out, "--on", DAY)
    done = command(*answer, "--by", "M. Luque")
    assert done.out == f"alert {hold['alert']} of subject 01-004: acknowledged on {DAY} by M. Luque\n"
    command(*answer, "--by", "A. León").assert_one_sentence(2, f"M. Luque acknowledged the alert {hold['alert']}")
    command("acknowledge", STUDY, "0000", "--by", "A", "--action", "B", "--out", out).assert_one_sentence(
        2, "there is no alert 0000"
    )
    next_day = json.loads(command(*asked, "--as-of", "1999-06-13", "--json").out)
    assert hold["alert"] not in {one["alert"] for one in next_day["alerts"]}
    assert "M. Luque" in (out / "report.html").read_text(encoding="utf-8")

    late = json.loads(command(*asked, "--as-of", "1999-06-20", "--json").out)  # six days without a run
    assert "runs/late" in {one["rule"] for one in late["alerts"]}
    command(*asked, "--as-of", "1999-06-01").assert_one_sentence(2, "1999-06-20 already")
    command(*asked, "--as-of", "2999-01-01").assert_one_sentence(2, "still to come")
    assert {"failed" in row for row in lines(out / "runs.jsonl")} == {False}


def test_a_run_that_failed_is_an_alert_of_the_next_one(
    command: Callable[..., Answer], exports: Path, tmp_path: Path
) -> None:
    study = tmp_path / "study"
    shutil.copytree(ROOT / "mappings" / STUDY, study, ignore=shutil.ignore_patterns("synthetic", "log*.csv"))
    plan = (study / "monitoring.yaml").read_text(encoding="utf-8")
    (study / "monitoring.yaml").write_text(plan.replace("[MCV]", "[MVC]"), encoding="utf-8")
    asked = ("monitor", study, "--source", exports, "--out", tmp_path / "out")
    failed = command(*asked, "--as-of", DAY)
    failed.assert_one_sentence(1, "study/monitoring.yaml, line", "key 'tests'", "'MVC' (did you mean 'MCV'?)")
    (study / "monitoring.yaml").write_text(plan, encoding="utf-8")
    told = json.loads(command(*asked, "--as-of", "1999-06-13", "--json").out)
    assert "runs/failed" in {one["rule"] for one in told["alerts"]}


def test_the_deployments_name_flows_that_are_there() -> None:
    import inspect

    from flows import safety_monitoring

    declared = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    own = {one["entrypoint"].rpartition(".")[2]: one for one in declared if "safety_monitoring" in one["entrypoint"]}
    assert list(own) == ["safety_monitoring", "safety_monitoring_watch"]
    for name, one in own.items():
        assert one["entrypoint"] == f"flows.safety_monitoring.{name}"
        assert not any(schedule["active"] for schedule in one["schedules"])
        assert set(one["parameters"]) <= set(inspect.signature(getattr(safety_monitoring, name).fn).parameters)


def test_the_flow_tells_what_is_open_and_that_it_failed(
    monkeypatch: pytest.MonkeyPatch, exports: Path, tmp_path: Path
) -> None:
    """The flow's functions without a server: what they send is kept here."""
    from flows import safety_monitoring as flows
    from flows.error_messages import NeutralError

    sent: list[str] = []
    events: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(
        flows, "_sent", lambda name, body, subject: bool(sent.append(body)) or name != "slack-webhook/lost"
    )
    monkeypatch.setattr(flows, "emit_event", lambda event, resource, **more: events.append((event, resource)))
    monkeypatch.setattr(flows, "create_table_artifact", lambda *given: None)
    monkeypatch.setattr(flows, "_judged", flows._judged.fn)
    out = str(tmp_path / "out")
    source = str(exports)
    counts = flows.safety_monitoring.fn(STUDY, source, DAY, out, ["slack-webhook/safety"])
    assert counts["open"] == len(events) and {event for event, _ in events} == {flows.ALERT}
    [message] = sent
    assert "new: 01-004 Thiopurine methyltransferase before azathioprine (hold)" in message
    assert not any(value in message for value in ("0.96", "mg", "U/L", "10^9"))
    with pytest.raises(NeutralError, match="slack-webhook/lost"):
        flows.safety_monitoring.fn(STUDY, source, "1999-06-13", out, ["slack-webhook/lost", "slack-webhook/safety"])
    assert len(sent) == 3

    def broken(*asked: object) -> None:
        raise ValueError("LYM 0.4")

    monkeypatch.setattr(flows, "run_monitoring", broken)
    with pytest.raises(NeutralError, match="a defect"):
        flows.safety_monitoring.fn(STUDY, source, "1999-06-14", out, ["slack-webhook/safety"])
    assert "FAILED" in sent[-1] and "0.4" not in sent[-1] and events[-1][0] == flows.FAILED
    with pytest.raises(NeutralError, match="last run that ended: 1999-06-13"):
        flows.safety_monitoring_watch.fn(STUDY, out, ["slack-webhook/safety"])
    assert "MISSING" in sent[-1] and events[-1][0] == flows.MISSING
