"""Comments (CO): each related to the records of the form that it was written on (SDTMIG 3.3, section 5.1).

IDVAR is --SPID of the domain that the comment is about: event, form and instance, which all records of a form share.
"""

from __future__ import annotations

import numpy as np

from metadata.coded_matching import first_match
from metadata.coded_text import CodedText
from sdtm.columns.table import DomainTable, DomainTables


def relate(comments: DomainTable, tables: DomainTables) -> None:
    """Set RDOMAIN, IDVAR and IDVARVAL; a comment whose form made no record is about the subject, with COREF."""
    about, address = comments.hidden["about"], comments.hidden["address"]
    columns = {name: CodedText.constant("", comments.count) for name in ("RDOMAIN", "IDVAR", "IDVARVAL")}
    for domain in filter(None, about.held):
        parent = tables[domain]
        named = f"{domain}SPID" if parent.has(f"{domain}SPID") else ""
        other = ~(about.isin([domain]) & _has_record(comments, parent))
        columns["RDOMAIN"] = columns["RDOMAIN"].where(other, domain)
        columns["IDVAR"] = columns["IDVAR"].where(other, named)
        columns["IDVARVAL"] = columns["IDVARVAL"].where(other, address if named else "")
    for name, values in columns.items():
        comments.put(name, values)
    comments.put("COREF", address.where(~columns["RDOMAIN"].present()))


def _has_record(comments: DomainTable, parent: DomainTable) -> np.ndarray:
    """Return True where the form of a comment made a record of a domain."""
    kept = np.flatnonzero(parent.kept())
    mine, theirs = ([table.hidden["record"], table.hidden["address"]] for table in (comments, parent))
    return first_match(mine, [text.take(kept) for text in theirs]) >= 0
