"""Values of identifiers in queries: hidden, each behind a tag that changes with the value.

The tag is an HMAC of the value with the study's own key, which is in no file, over its place in the project: who has a
listing can neither try values out nor see that two records have the same one. Without a key there is no tag.
"""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pandas as pd

from metadata.records import Records
from metadata.records_lookup import RecordsLookup
from validation.raw.form_rows import stored_values
from validation.raw.messages import MASK

TAG_LENGTH = 8
PLACE = ("record", "event", "form", "instance", "field")


def is_untold(values: pd.Series) -> pd.Series:
    """Return where a value is that of an identifier without a tag: nothing says whether it is still the same."""
    return values == MASK


def with_tags(studyid: str, records: Records, found: pd.DataFrame, key: bytes) -> pd.Series:
    """Return the values of queries, those of identifiers with their tags if there is a ``key``.

    ``found`` has source_row and the columns of ``PLACE`` and value. The same value at the same place has the same tag.
    """
    values = found["value"].copy()
    hidden = is_untold(values)
    if not key or not hidden.any():
        return values
    lookup, fields = RecordsLookup(records), records.project.dictionary.fields
    for name in found.loc[hidden, "field"].unique():
        own = hidden & (found["field"] == name)
        stored = stored_values(lookup, fields[name], found.loc[own, "source_row"].to_numpy(np.int64))
        places = zip(*(found.loc[own, column] for column in PLACE), stored, strict=True)
        values[own] = [f"{MASK[:-1]} {_tag(key, (studyid, *map(str, place)))})" for place in places]
    return values


def _tag(key: bytes, texts: tuple[str, ...]) -> str:
    return hmac.new(key, "\x1f".join(texts).encode(), hashlib.sha256).hexdigest()[:TAG_LENGTH]
