"""Which site each query is for: that of the field which study.yaml names, else the record's data access group."""

from __future__ import annotations

import pandas as pd

from metadata.labels import plain_label
from metadata.records import ACCESS_GROUP, Records
from metadata.study import Study

NO_GROUP, NO_SITE = "No data access group", "No site"


def sites_of(study: Study, records: Records, listing: pd.DataFrame, otherwise: pd.Series | None = None) -> pd.Series:
    """Return the label of each query's site; ``otherwise`` is for records of which neither field nor group is known."""
    none = NO_GROUP if site_field(study, records) is None else NO_SITE
    return listing["record"].map(site_of_records(study, records)).fillna(none if otherwise is None else otherwise)


def site_of_records(study: Study, records: Records) -> pd.Series:
    """Return the label of the site of each record that has one, by the record's name.

    A choice of the field gives its label, a text itself. An identifier is not asked, for it must not leave.
    """
    groups = _known(records, ACCESS_GROUP)
    labels = {str(dag["unique_group_name"]): str(dag["data_access_group_name"]) for dag in records.project.dags}
    by_group = groups.map(lambda name: labels.get(str(name), str(name))).astype("str")
    name = site_field(study, records)
    if name is None:
        return by_group
    choices = {code: plain_label(label) for code, label in records.project.dictionary.fields[name].choices.items()}
    own = _known(records, name).map(lambda value: choices.get(str(value), str(value))).astype("str")
    return pd.concat([own, by_group[~by_group.index.isin(own.index)]])


def site_field(study: Study, records: Records) -> str | None:
    """Return the field that holds the site of a record, None if sites are data access groups."""
    identity, fields = study.declared.identity, records.project.dictionary.fields
    name = identity.site if identity else None
    if not isinstance(name, str) or name not in fields or fields[name].is_identifier or name not in records.table:
        return None
    return name


def _known(records: Records, column: str) -> pd.Series:
    """Return the first text of a column that each record has, where it has any."""
    texts = records.table.frame([column])[column].str.strip().set_axis(records.record)
    texts = texts[(texts != "").to_numpy(bool)]
    return texts[~texts.index.duplicated()]
