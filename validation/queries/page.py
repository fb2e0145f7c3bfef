"""The query listing as one self-contained page: sorted, filtered and counted, with no outside file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from metadata.labels import plain_label
from metadata.project import Project
from metadata.study import Study
from validation.pages.page import write_study_page
from validation.queries.history import AGE_CLASSES, NEW, OUTSTANDING, RESOLVED, STATUSES, age_class
from validation.queries.listing import LINK

SEVERITIES = ("error", "warning", "note")
COUNTED = {"site": "site", "severity": "severity", "age": "age_class", "form": "form_label", "rule": "rule"}
"""What queries are counted and filtered by, each with its column."""
COLUMNS = (
    ("is", "Severity", "severity"),
    ("age", "Age", "age"),
    ("who", "Site and record", "place"),
    ("where", "Form and field", "form"),
    ("value", "Value", "value"),
    ("what", "What is wrong", "rule"),
    ("right", "What would be right", ""),
    ("answer", "Answer", "status"),
)
"""Columns of the page: class, heading, and what its heading sorts by."""
SORTS = (("place", "site and record"), ("severity", "severity"), ("age", "age"), ("status", "status"),
         ("form", "form"), ("rule", "rule"), ("value", "value"))  # fmt: skip


def write_page(
    study: Study, project: Project, listing: pd.DataFrame, path: Path, date: str = "", state: str = ""
) -> None:
    """Write the listing as HTML; ``date`` is the snapshot's, ``state`` a text such as "as entered"."""
    described = _with_labels(project, listing).sort_values("site", kind="stable")
    statuses = [name for name in STATUSES if (listing["status"] == name).any()]
    write_study_page(
        study,
        "queries",
        path,
        date,
        state=state,
        cards=_cards(listing),
        counts=[_counts(described, name, statuses) for name in COUNTED],
        statuses=statuses,
        columns=COLUMNS,
        sorts=SORTS,
        queries=described.to_dict("records"),
    )


def _with_labels(project: Project, listing: pd.DataFrame) -> pd.DataFrame:
    """Add where each query is as text (event, form, instance) and its field's label."""
    events = {str(event["unique_event_name"]): plain_label(str(event["event_name"])) for event in project.events}
    forms = {item["instrument_name"]: plain_label(str(item["instrument_label"])) for item in project.instruments}
    labels = {name: plain_label(field.label) for name, field in project.dictionary.fields.items()}
    labels |= {f"{form}_complete": "Form status" for form in project.dictionary.forms}
    event = listing["event"].map(events).astype("object").fillna("").astype("str")
    form = listing["form"].map(forms).fillna(listing["form"]).astype("str")
    instance = (" #" + listing["instance"]).where(listing["instance"] != "", "")
    place = (event + ": ").where(event != "", "") + form + instance
    label = listing["field"].map(labels).fillna("").astype("str")
    link = listing["link"].where(listing["link"].str.fullmatch(LINK), "")
    return listing.assign(
        place=place,
        form_label=form,
        label=label,
        shown=_with_choice(project, listing),
        link=link,
        age_class=age_class(listing["age_days"]),
    )


def _with_choice(project: Project, listing: pd.DataFrame) -> pd.Series:
    """Return values with the label of the choice behind a code."""
    words = {
        f"{name}\x1f{code}": f" ({plain_label(text)})"
        for name, field in project.dictionary.fields.items()
        if field.type != "checkbox"
        for code, text in field.choices.items()
    }
    return listing["value"] + (listing["field"] + "\x1f" + listing["value"]).map(words).fillna("").astype("str")


def _counts(listing: pd.DataFrame, name: str, statuses: list[str]) -> dict[str, Any]:
    """Return the queries of each value that one of ``COUNTED`` has, by status; severities and ages in their order."""
    counts = pd.crosstab(listing[COUNTED[name]], listing["status"]).reindex(columns=statuses, fill_value=0)
    order = {"severity": SEVERITIES, "age": tuple(AGE_CLASSES)}.get(name)
    numbers: dict[str, list[int]] = dict(zip(map(str, counts.index), counts.to_numpy().tolist(), strict=True))
    rows = [{"name": value, "numbers": numbers[value]} for value in order or numbers if value in numbers]
    return {"title": name, "filter": name, "rows": rows}


def _cards(listing: pd.DataFrame) -> list[dict[str, object]]:
    outstanding = listing["status"].isin(OUTSTANDING)
    cards: list[dict[str, object]] = [
        {"name": name, "label": f"open, {name}", "count": int((outstanding & (listing["severity"] == name)).sum())}
        for name in SEVERITIES
    ]
    others = ["answered", *(name for name in (NEW, RESOLVED) if (listing["status"] == name).any())]
    labels = {NEW: "of the open ones new"}
    return cards + [
        {"name": name, "label": labels.get(name, name), "count": int((listing["status"] == name).sum())}
        for name in others
    ]
