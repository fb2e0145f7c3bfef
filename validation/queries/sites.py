"""Which site each query is for."""

from __future__ import annotations

import pandas as pd

from metadata.records import ACCESS_GROUP, Records

NO_SITE = "No data access group"


def sites_of(records: Records, listing: pd.DataFrame, otherwise: pd.Series | str = NO_SITE) -> pd.Series:
    """Return the label of each query's data access group; ``otherwise`` is for records that are in none."""
    groups = records.table.frame([ACCESS_GROUP])[ACCESS_GROUP].set_axis(records.record)
    groups = groups[(groups != "").to_numpy(bool)]
    labels = {str(dag["unique_group_name"]): str(dag["data_access_group_name"]) for dag in records.project.dags}
    of_record = groups[~groups.index.duplicated()].map(lambda name: labels.get(str(name), str(name)))
    return listing["record"].map(of_record).fillna(otherwise).astype("str")
