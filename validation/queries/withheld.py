"""Every stored value that tabulation withheld has an open query on its own field that says so.

The invariant is stated in docs/programmers.md and tested with generated records in
tests/sdtm/test_no_value_is_lost.py. An answer to another query never hides a withheld value.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.records import EVENT, REPEAT_INSTANCE, Records
from metadata.records_lookup import RecordsLookup
from validation.raw.dictionary_schemas import CHOICE, FORMAT, PLACE, TYPE
from validation.raw.form_rows import stored_values
from validation.raw.messages import masked

RULE = "tabulation.withheld"
SEVERITY, OPEN = "error", "open"
UNUSABLE = (TYPE, FORMAT, CHOICE, PLACE)
"""Rules of the dictionary whose queries say themselves that the value cannot be used."""
WHOLE = " record withheld: "  # how tabulation says that a whole record is left out
EXPECTED = (
    "a value that can be tabulated; or the mapping, its coding or its tables must learn this one, or name its field"
    " under without_record if it rightly makes no record"
)
PLACE_OF_VALUE = ["record", "event", "instance", "form", "field"]


def withheld_findings(records: Records, withheld: pd.DataFrame, listing: pd.DataFrame) -> pd.DataFrame:
    """Return a finding for each withheld value that no query of ``listing`` asks about yet.

    A query asks about a value if it is open, an error, on the same record, event, instance, form and field, and its
    rule says that the value cannot be used; then it is enough where only the value itself is withheld, not where its
    whole record is. Several reasons for one value are one finding. Columns as
    ``validation.raw.dictionary_findings`` has them, with the severity.
    """
    placed = _placed(records, withheld)
    asking = listing["rule"].isin(UNUSABLE) & listing["severity"].eq(SEVERITY) & listing["status"].eq(OPEN)
    places = pd.MultiIndex.from_frame(listing.loc[asking.to_numpy(bool), PLACE_OF_VALUE])
    asked = pd.MultiIndex.from_frame(placed[PLACE_OF_VALUE]).isin(places)
    whole = placed["reason"].str.contains(WHOLE, regex=False).to_numpy(bool)
    order = {name: place for place, name in enumerate(records.project.dictionary.fields)}
    left = placed[~asked | whole].assign(place=lambda made: made["field"].map(order))
    ordered = left.sort_values(["source_row", "place", "reason"], kind="stable")
    distinct = ordered.drop_duplicates(["source_row", "field", "reason"])
    reasons = distinct.groupby(["source_row", "place"], sort=False)["reason"].agg("; ".join).tolist()
    first = distinct.drop_duplicates(["source_row", "place"])
    return pd.DataFrame(
        {
            "source_row": first["source_row"].astype(np.int32),
            "form": first["form"],
            "field": first["field"],
            "rule": RULE,
            "value": _values(records, first),
            "problem": [f"The value cannot be tabulated: {reason}." for reason in reasons],
            "expected": EXPECTED,
            "severity": SEVERITY,
        }
    ).astype(dict.fromkeys(("form", "field", "rule", "value", "problem", "expected", "severity"), "str"))


def _placed(records: Records, withheld: pd.DataFrame) -> pd.DataFrame:
    """Return the withheld values of fields, with record, event, instance and form."""
    fields, columns = records.project.dictionary.fields, records.project.dictionary.column_field
    owner = withheld["field"].map(lambda name: columns.get(str(name), str(name))).astype("str")
    named = owner.isin(list(fields)).to_numpy(bool)  # a data access group is not a field
    owner, rows = owner[named], withheld["source_row"].to_numpy(np.int64)[named]
    return pd.DataFrame(
        {
            "source_row": rows,
            "field": owner.to_numpy(object),
            "record": records.table.texts_at(records.project.dictionary.record_id, rows),
            "event": records.table.texts_at(EVENT, rows),
            "instance": records.table.texts_at(REPEAT_INSTANCE, rows),
            "form": owner.map(lambda name: fields[name].form).to_numpy(object),
            "reason": withheld["reason"].to_numpy(object)[named],
        }
    )


def _values(records: Records, placed: pd.DataFrame) -> np.ndarray:
    """Return the stored value of each place, of a checkbox the ticked codes; identifiers are masked."""
    lookup, made = RecordsLookup(records), np.full(len(placed), "", object)
    for name in placed["field"].unique():
        at, found = (placed["field"] == name).to_numpy(bool), records.project.dictionary.fields[name]
        made[at] = masked(found, stored_values(lookup, found, placed["source_row"].to_numpy()[at]))
    return made
