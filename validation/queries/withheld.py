"""What tabulation could not represent and no query asks about yet becomes a query of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.records import EVENT, REPEAT_INSTANCE, Records
from validation.raw.messages import masked

RULE = "tabulation.withheld"
SEVERITY = "error"
WHOLE = " record withheld: "  # how tabulation says that a whole record is left out
EXPECTED = (
    "a value that can be tabulated; or the mapping, its coding or its tables must learn this one, or name its field"
    " under without_record if it rightly makes no record"
)
ASKED = ["record", "event", "instance", "form"]


def findings(records: Records, withheld: pd.DataFrame, listing: pd.DataFrame) -> pd.DataFrame:
    """Return a finding for each row and reason for which values are withheld and no query of ``listing`` asks.

    A query on the value's field asks about it, and so does one on another field of the same form, event and instance:
    a record is withheld as a whole when one of its Required values is missing. A subject's record of several forms
    (DM) is asked about where any of them is. Columns as ``validation.raw.dictionary_findings`` has them,
    with the severity.
    """
    placed = _placed(records, withheld)
    asked = pd.MultiIndex.from_frame(placed[ASKED]).isin(pd.MultiIndex.from_frame(listing[ASKED]))
    whole = placed["reason"].str.contains(WHOLE, regex=False).to_numpy(bool)
    subject = pd.MultiIndex.from_frame(placed[["record", "domain", "reason"]])
    asked |= whole & subject.isin(subject[asked])
    order = {name: place for place, name in enumerate(records.project.dictionary.fields)}
    by_form = placed.assign(place=placed["field"].map(order))[~asked].sort_values(
        ["source_row", "place"], kind="stable"
    )
    first = by_form.drop_duplicates(["source_row", "reason"])
    return pd.DataFrame(
        {
            "source_row": first["source_row"].astype(np.int32),
            "form": first["form"],
            "field": first["field"],
            "rule": RULE,
            "value": _values(records, first),
            "problem": "The value cannot be tabulated: " + first["reason"] + ".",
            "expected": EXPECTED,
            "severity": SEVERITY,
        }
    ).astype(dict.fromkeys(("form", "field", "rule", "value", "problem", "expected", "severity"), "str"))


def _placed(records: Records, withheld: pd.DataFrame) -> pd.DataFrame:
    """Return the withheld values with the field that owns their column, and their record, event, instance and form."""
    fields, columns = records.project.dictionary.fields, records.project.dictionary.column_field
    rows = withheld["source_row"].to_numpy(np.int64)
    owner = withheld["field"].map(lambda name: columns.get(str(name), str(name))).astype("str")
    return pd.DataFrame(
        {
            "source_row": rows,
            "field": owner.to_numpy(object),
            "record": records.record.to_numpy(object)[rows],
            "event": records.frame[EVENT].to_numpy(object)[rows],
            "instance": records.frame[REPEAT_INSTANCE].to_numpy(object)[rows],
            "form": owner.map(lambda name: fields[name].form if name in fields else "").to_numpy(object),
            "domain": withheld["domain"].to_numpy(object),
            "reason": withheld["reason"].to_numpy(object),
        }
    )


def _values(records: Records, placed: pd.DataFrame) -> np.ndarray:
    """Return the stored value of each place, masked where its field is an identifier, blank for a checkbox."""
    made = np.full(len(placed), "", object)
    for name in placed["field"].unique():
        if name in records.frame.columns:
            at = (placed["field"] == name).to_numpy(bool)
            stored = records.frame[name].to_numpy(object)[placed["source_row"].to_numpy()[at]]
            made[at] = masked(records.project.dictionary.fields.get(name), stored)
    return made
