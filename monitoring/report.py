"""The safety report of a run: open alerts, what is due, patients' profiles, as a page and as a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from metadata.html_page import page_templates
from monitoring.findings import written
from monitoring.profiles import profile_of
from monitoring.rules.controls import Controls, Visits
from monitoring.run import Links, MonitoringRun

TEMPLATES = Path(__file__).parent / "page"
PAGE, DOCUMENT = "report.html", "report.pdf"
SOON = pd.Timedelta(days=30)


@dataclass(frozen=True)
class Report:
    """What page and document say: texts by section, rows as mappings of texts, and the profiles (SVG and PNG)."""

    head: Mapping[str, Any]
    cards: list[dict[str, Any]]
    alerts: list[dict[str, str]]
    overdue: list[dict[str, str]]
    soon: list[dict[str, str]]
    answered: list[dict[str, str]]
    profiles: list[dict[str, Any]]
    rules: list[dict[str, str]]


def report_of(run: MonitoringRun, links: Links) -> Report:
    """Return the report of a run; profiles are those of the subjects with an open alert."""
    alerts = _shown(run, run.alerts.open, links)
    due = _due(run)
    counts = run.counts()
    declared = run.study.declared.study
    head = {
        "title": declared.short_title or declared.title or run.study.name, "study": run.study.studyid,
        "notice": run.study.notice, "status": run.plan.file.status, "as_of": run.as_of, "date": run.date,
        "snapshot": run.snapshot,
    }  # fmt: skip
    cards = [
        {"label": "open alerts", "count": counts["open"], "kind": "error" if counts["open"] else "done"},
        {"label": "escalated", "count": counts["escalated"], "kind": "error" if counts["escalated"] else "done"},
        {"label": "new today", "count": counts["messages"]["new"], "kind": "note"},
        {"label": "overdue", "count": len(due["overdue"]), "kind": "warning" if due["overdue"] else "done"},
    ]
    closed = run.alerts.table[run.alerts.table["state"] == "acknowledged"]
    rules = [{"label": rule.label, "source": rule.source} for rule in run.plan.rules]
    return Report(head, cards, alerts, due["overdue"], due["soon"], _shown(run, closed, links), _profiles(run), rules)


def _shown(run: MonitoringRun, alerts: pd.DataFrame, links: Links) -> list[dict[str, str]]:
    """Return alerts with what a reader is told of each."""
    days = {name: level.acknowledge_days for name, level in run.plan.file.levels.items()}
    wait = pd.to_timedelta(alerts["level"].map(days).fillna(0).astype(int), unit="D")
    shown = alerts.assign(
        label=alerts["rule"].map(run.plan.label_of),
        until=written((pd.to_datetime(alerts["opened"]) + wait).astype("datetime64[ns]")),
        link=links(alerts),
        waits=alerts["escalated"].map({True: "escalated", False: "open"}),
        findings=alerts["findings"].astype("str"),
    ).sort_values(["subject", "opened", "rule"], kind="stable")
    return _rows(shown)


def _due(run: MonitoringRun) -> dict[str, list[dict[str, str]]]:
    """Return what is overdue, and what is due in the next days, each by subject and day."""
    parts = []
    for rule in run.plan.rules:
        if isinstance(rule, Controls):
            rows = rule.due(run.observed)
            parts.append(rows.assign(label=rule.label, missing=rows["lacking"], accounted=False))
        elif isinstance(rule, Visits):
            rows = rule.due(run.observed)
            parts.append(rows.assign(label="Visit " + rows["label"], missing=""))
    columns = ["record", "label", "due", "since", "done", "missing", "accounted", "closes"]
    if not parts:
        return {"overdue": [], "soon": []}
    rows = pd.concat([part.reindex(columns=columns) for part in parts], ignore_index=True)
    rows["subject"] = rows["record"].map(run.observed.subjects.set_index("record")["subject"])
    waiting = rows[rows["done"].isna() & ~rows["accounted"].astype(bool)].sort_values(["subject", "due", "label"])
    as_of = pd.Timestamp(run.as_of)
    passed = waiting["since"] <= as_of
    counted = waiting["closes"].isna() | (waiting["closes"] >= as_of)
    soon = ~passed & (waiting["due"] <= as_of + SOON)
    return {"overdue": _texts(waiting[passed & counted], as_of), "soon": _texts(waiting[soon], as_of)}


def _texts(rows: pd.DataFrame, as_of: pd.Timestamp) -> list[dict[str, str]]:
    shown = rows.assign(due=written(rows["due"]), days=(as_of - rows["due"]).dt.days.astype("str"))
    return _rows(shown[["subject", "label", "due", "days", "missing"]])


def _rows(table: pd.DataFrame) -> list[dict[str, str]]:
    return [{str(name): str(value) for name, value in row.items()} for row in table.to_dict("records")]


def _profiles(run: MonitoringRun) -> list[dict[str, Any]]:
    """Return the drawn profile of each subject with an open alert."""
    from reports.figures.picture import Captions, draw  # loads matplotlib

    shown = run.alerts.open[["subject", "record"]].drop_duplicates().sort_values("subject")
    made = []
    for subject, record in shown[shown["record"] != ""].to_dict("split")["data"]:
        figure = profile_of(run.observed, run.plan, record)
        notes = (f"{run.study.studyid}, {run.as_of}, snapshot {run.snapshot}.",)
        [picture] = draw(figure, Captions(f"Subject {subject}", run.study.notice, notes))
        made.append({"subject": subject, "description": figure.description, "svg": Markup(picture.bare_svg),  # noqa: S704 drawn here, texts escaped
                     "png": picture.bare_png})  # fmt: skip
    return made


def page_of(report: Report) -> str:
    """Return the report as a page that needs nothing else."""
    return page_templates(TEMPLATES).get_template("report.html.jinja").render(report=report, **report.head)
