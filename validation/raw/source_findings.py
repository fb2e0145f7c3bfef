"""What is wrong with rows of files beside REDCap that have no place in the records: nobody's, or of no visit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.records import Records
from validation.raw.dictionary_findings import COLUMNS, none


def source_findings(records: Records) -> pd.DataFrame:
    """Return a finding for each such row, whose value is the key of the row; columns as ``dictionary_findings``.

    The row is in no record, so that ``source_row`` is -1.
    """
    if records.other is None or records.other.unplaced.empty:
        return none()
    found = records.other.unplaced.assign(source_row=np.int32(-1))
    return found.astype({"source_row": np.int32})[list(COLUMNS)]
