"""Records of subjects who are not in DM: withheld, so that no dataset speaks of somebody whom DM does not have."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sdtm.columns.table import DomainTable, DomainTables

SUBJECTS = "DM"
COLUMNS = ("record", "domain", "rows")


def withhold_without_subject(tables: DomainTables) -> pd.DataFrame:
    """Withhold the rows whose subject has no row in DM, and return record, domain and their number (rows).

    Nothing is withheld where the study maps no DM.
    """
    if SUBJECTS not in tables:
        return _counted([])
    return _counted([(domain, _withhold(table, tables[SUBJECTS])) for domain, table in tables.items()])


def _withhold(table: DomainTable, subjects: DomainTable) -> np.ndarray:
    """Withhold the rows and return the names of their records, one a row."""
    lost = table.kept() & (table.match_rows(subjects) < 0)
    if lost.any():
        table.withhold(lost, f"{table.domain} record withheld: its subject has no record in {SUBJECTS}")
    return table.hidden["record"].take(lost).array()


def _counted(lost: list[tuple[str, np.ndarray]]) -> pd.DataFrame:
    frames = [pd.DataFrame({"record": names, "domain": domain}, dtype="str") for domain, names in lost if len(names)]
    both = pd.concat([pd.DataFrame(columns=["record", "domain"], dtype="str"), *frames], ignore_index=True)
    return both.groupby(list(COLUMNS[:2]), as_index=False).size().rename(columns={"size": "rows"})
