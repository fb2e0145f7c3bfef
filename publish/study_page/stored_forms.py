"""What the page of records holds of REDCap's forms, read back: the value of each field and the link of its form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from publish.disk import outside
from publish.study_page.records import BROWSE, TABLES
from publish.study_page.sources import form_table
from publish.study_page.tables import DATA, read_part

PLACE = ["record", "event", "instance"]
HIDDEN = "(identifier, not shown)"


def with_values(package: Path, places: pd.DataFrame) -> pd.DataFrame:
    """Return places of values, as ``redcap_places`` gives them, with the value and the address that opens the form.

    Of a package whose page of records shows no patients both are blank. Raises OutsideError.
    """
    tables = _tables(package)
    if not tables or places.empty:
        return places.assign(value="", link="")
    parts = [_form(package, tables, str(form), own) for form, own in places.groupby("form", sort=False)]
    return pd.concat(parts).sort_index()


def _tables(package: Path) -> dict[str, dict[str, Any]]:
    path = package / BROWSE / TABLES
    if not path.is_file():
        return {}
    with outside(f"read {path}"):
        text = path.read_text("utf-8")
    return {one["name"]: one for one in json.loads(text[text.index("(") + 1 : text.rindex(")")])["tables"]}


def _form(package: Path, tables: dict[str, dict[str, Any]], form: str, places: pd.DataFrame) -> pd.DataFrame:
    """Return the places of one form with value and link."""
    found = []
    for name in (form_table(form), form_table("")):
        if name in tables:
            table, rows = tables[name], _rows(package, name, tables[name])
            for field, own in places.groupby("field", sort=False):
                if columns := _columns(table, str(field)):
                    found.append(_joined(own, rows.assign(value=_value(rows, columns))))
                elif any(one["name"] == field for one in table["withheld"]):
                    found.append(_joined(own, rows.assign(value=HIDDEN)))
    known = pd.concat(found) if found else places.iloc[:0].assign(value="", link="")
    rest = places[~places.index.isin(known.index)].assign(value="", link="")
    return pd.concat([known[~known.index.duplicated()], rest])


def _rows(package: Path, name: str, table: dict[str, Any]) -> pd.DataFrame:
    paths = sorted(
        (package / BROWSE / DATA).glob(f"{name}-[0-9]*.js"), key=lambda path: int(path.stem.rpartition("-")[2])
    )
    names = [one["name"] for one in table["columns"]]
    parts = [pd.DataFrame(dict(zip(names, read_part(path), strict=True)), dtype="str") for path in paths]
    return pd.concat(parts, ignore_index=True)


def _columns(table: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """Return the columns of a field: one an option, if it is a checkbox."""
    return [one for one in table["columns"] if one["name"] == field or one["name"].startswith(f"{field}___")]


def _value(rows: pd.DataFrame, columns: list[dict[str, Any]]) -> pd.Series:
    """Return the value of a field with the label of its choice; of a checkbox the labels of what is ticked."""
    [first, *others] = columns
    if not others and "___" not in first["name"]:
        labels = rows[first["name"]].map(first.get("choices", {}))
        return rows[first["name"]].where(labels.isna(), rows[first["name"]] + " (" + labels.astype("str") + ")")
    ticked = pd.Series("", index=rows.index, dtype="str")
    for one in columns:
        label = one["label"].rpartition(": ")[2]
        ticked = ticked.where(rows[one["name"]] != "1", ticked + ("" if one is first else "; ") + label)
    return ticked.str.removeprefix("; ").replace("", "not ticked")


def _joined(places: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return places with value and link of their rows."""
    known = rows.drop_duplicates(PLACE).set_index(PLACE)[["value", "link"]]
    return places.join(known, on=PLACE).fillna({"value": "", "link": ""})
