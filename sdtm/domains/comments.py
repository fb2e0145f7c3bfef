"""Comments (CO): each related to the records of the form that it was written on (SDTMIG 3.3, section 5.1).

IDVAR is --SPID of the domain that the comment is about: event, form and instance, which all records of a form share.
"""

from __future__ import annotations

import numpy as np

from sdtm.columns.table import DomainTable, DomainTables


def relate(comments: DomainTable, tables: DomainTables) -> None:
    """Set RDOMAIN, IDVAR and IDVARVAL; a comment whose form made no record is about the subject, with COREF."""
    about = comments.hidden["about"].array()
    address = comments.hidden["address"].array()
    key = _keys(comments, address)
    columns = {name: np.full(comments.count, "", dtype=object) for name in ("RDOMAIN", "IDVAR", "IDVARVAL")}
    for domain in [name for name in dict.fromkeys(about.tolist()) if name]:
        parent, here = tables[domain], about == domain
        named = f"{domain}SPID" if parent.has(f"{domain}SPID") else ""
        known = _keys(parent, parent.hidden["address"].array())[parent.kept()]
        found = here & np.isin(key, known)
        columns["RDOMAIN"][found] = domain
        columns["IDVAR"][found] = named
        columns["IDVARVAL"][found] = address[found] if named else ""
    for name, values in columns.items():
        comments.put(name, values)
    comments.put("COREF", np.where(columns["RDOMAIN"] == "", address, "").astype(object))


def _keys(table: DomainTable, address: np.ndarray) -> np.ndarray:
    """Return record and address of each row as one text."""
    return np.char.add(np.char.add(table.hidden["record"].array().astype(str), "\x1f"), address.astype(str))
