"""The query listing as one self-contained page: grouped by site and record, with filters and no outside file."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from metadata.labels import plain_label
from metadata.project import Project
from metadata.records import Records
from metadata.study import Study
from validation.pages.page import write_study_page
from validation.queries.listing import summary
from validation.queries.sites import sites_of

SEVERITIES = ("error", "warning", "note")


def write_page(
    study: Study, records: Records, listing: pd.DataFrame, path: Path, date: str = "", state: str = ""
) -> None:
    """Write the listing as HTML; ``date`` is the snapshot's, ``state`` a text such as "as entered"."""
    described = _with_labels(records.project, listing.assign(site=sites_of(records, listing)))
    rules = summary(listing)
    write_study_page(
        study,
        "queries",
        path,
        date,
        state=state,
        cards=_cards(listing),
        rules=rules.to_dict("records"),
        severities=[name for name in SEVERITIES if (listing["severity"] == name).any()],
        forms=list(dict.fromkeys(described["form_label"])),
        sites=_grouped(described),
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
    return listing.assign(place=place, form_label=form, label=label, shown=_with_choice(project, listing))


def _with_choice(project: Project, listing: pd.DataFrame) -> pd.Series:
    """Return values with the label of the choice behind a code."""
    words = {
        f"{name}\x1f{code}": f" ({plain_label(text)})"
        for name, field in project.dictionary.fields.items()
        if field.type != "checkbox"
        for code, text in field.choices.items()
    }
    return listing["value"] + (listing["field"] + "\x1f" + listing["value"]).map(words).fillna("").astype("str")


def _grouped(listing: pd.DataFrame) -> list[dict[str, Any]]:
    """Return sites with their records with their queries, in the order of the listing within a site."""
    rows = listing.sort_values("site", kind="stable").to_dict("records")
    sites = []
    for site, of_site in groupby(rows, key=lambda row: row["site"]):
        queries = list(of_site)
        records = [
            {"name": name, "queries": list(part)} for name, part in groupby(queries, key=lambda row: row["record"])
        ]
        sites.append({"label": site, "count": len(queries), "records": records})
    return sites


def _cards(listing: pd.DataFrame) -> list[dict[str, object]]:
    is_open = listing["status"] == "open"
    cards: list[dict[str, object]] = [
        {"name": name, "label": f"open, {name}", "count": int((is_open & (listing["severity"] == name)).sum())}
        for name in SEVERITIES
    ]
    return [*cards, {"name": "answered", "label": "answered", "count": int((~is_open).sum())}]
