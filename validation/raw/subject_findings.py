"""What is wrong with subjects' numbers: one of two records, or one that is not written plainly."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd

from metadata.dictionary import Field
from metadata.records import ACCESS_GROUP, Records
from metadata.study import Study
from validation.raw.messages import masked, render
from validation.raw.rule_names import SUBJECT_SITE, SUBJECT_TWICE, SUBJECT_WRITTEN

SITE = "{site}"
UNSEEN = ("Cc", "Cf")
"""Categories of control and format characters, such as the space without width."""
ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])|\.0+$")
"""Zeros before a number, and those after its point, which a spreadsheet takes away or adds."""


def plainly(number: str) -> str:
    """Return a subject's number without blanks around it and letters that nobody sees, full-width ones as ordinary."""
    seen = (letter for letter in unicodedata.normalize("NFKC", number) if unicodedata.category(letter) not in UNSEEN)
    return "".join(seen).strip()


def subject_findings(study: Study, records: Records) -> pd.DataFrame:
    """Return a finding for each subject's number that another record of the site has, and each not written plainly.

    A number that begins with the code of another site than its record's, as 02-007 at site 01, is one as well.
    ``007``, `` 007`` and one with full-width digits are the same number; capitals do not count either, and ``7`` is
    asked about next to ``007``. Columns as ``validation.raw.dictionary_findings`` has them; nothing is judged where
    study.yaml names no field of the dictionary for the subject's number.
    """
    declared = study.declared.identity
    found = records.project.dictionary.fields.get(declared.subject) if declared else None
    if declared is None or found is None or found.name not in records.table:
        return _made(None, np.empty(0, int), "", np.empty(0, object), "", "")
    table, record_id = records.table, records.project.dictionary.record_id
    given = np.flatnonzero(table.where(found.name, dict.fromkeys(["", *records.project.missing_codes], False), True))
    frame = pd.DataFrame(
        {"row": given, "record": table.texts_at(record_id, given), "stored": table.texts_at(found.name, given)}
    )
    plain = {text: plainly(text) for text in frame["stored"].unique()}
    frame = frame.assign(
        number=frame["stored"].map(plain).astype("str"), site=_sites(records, declared.site, frame["record"])
    )
    codes = declared.site if isinstance(declared.site, dict) else {}
    told_apart = _by_site(frame, codes, declared.usubjid or SITE)
    return pd.concat([_written(found, frame), _twice(found, told_apart), _foreign(found, frame, codes)],
                     ignore_index=True)  # fmt: skip


def _by_site(frame: pd.DataFrame, codes: dict[str, str], pattern: str) -> pd.DataFrame:
    """Return the numbers as USUBJID has them: without the code of their site, and without a site if it names none.

    So ``01-007`` and ``007`` of site 01 are one number, and so is ``007`` of two sites where USUBJID names none.
    """
    if SITE not in pattern:
        return frame.assign(site="")
    own = frame["site"].map(codes).astype("object").fillna(frame["site"]).astype("str") + "-"
    bare = [number.removeprefix(code) for number, code in zip(frame["number"], own, strict=True)]
    return frame.assign(number=pd.Series(bare, index=frame.index, dtype="str"))


def _sites(records: Records, declared: object, names: pd.Series) -> pd.Series:
    """Return what tells the sites of records apart: the field of the site, or the data access group."""
    column = declared if isinstance(declared, str) else ACCESS_GROUP
    if declared is None or column not in records.table:
        return pd.Series("", index=names.index, dtype="str")
    rows = np.flatnonzero(records.table.where(column, {"": False}, True))
    record = records.table.texts_at(records.project.dictionary.record_id, rows)
    of_record = pd.Series(records.table.texts_at(column, rows), dtype="str").groupby(record).first()
    return names.map(of_record).fillna("").astype("str")


def _written(found: Field, frame: pd.DataFrame) -> pd.DataFrame:
    odd = frame[frame["stored"] != frame["number"]]
    problem = "The subject's number '{value}' has blanks around it, or letters that are not seen or of another width."
    return _made(
        found, odd["row"].to_numpy(), SUBJECT_WRITTEN, odd["stored"].to_numpy(object), problem, "the number alone"
    )


def _foreign(found: Field, frame: pd.DataFrame, codes: dict[str, str]) -> pd.DataFrame:
    """Return a finding for each number that begins with the code of another site; ``codes`` are those of the groups."""
    own = frame["site"].map(codes).astype("object").fillna("").astype("str")
    begins = frame["number"].str.extract("^([^-]+)-", expand=False).fillna("").astype("str")
    told = (begins != "") & begins.isin(list(codes.values())) & (begins != own) & (own != "")
    odd = frame[told.to_numpy(bool)]
    problem = "The subject's number '{value}' begins with the code of another site than the record's."
    expected = "a number of the record's site, or the record in the data access group of the number's site"
    values = odd["stored"].to_numpy(object)
    return _made(found, odd["row"].to_numpy(), SUBJECT_SITE, values, problem, expected)


def _twice(found: Field, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a finding for each record but the first with the same number at the same site, zeros apart."""
    alike = frame["number"].str.casefold()
    same = _later_records(frame.assign(key=alike))
    near = _later_records(frame.assign(key=alike.str.replace(ZEROS, "", regex=True)))
    near = near[~near["row"].isin(same["row"])]
    parts = []
    for again, but in ((same, ""), (near, ", but for zeros")):
        problem = f"The subject's number '{{value}}' is that of record {{other}} as well{but}."
        values, others = again["stored"].to_numpy(object), again["first"].to_numpy(object)
        parts.append(
            _made(found, again["row"].to_numpy(), SUBJECT_TWICE, values, problem, "a number of its own", others)
        )
    return pd.concat(parts, ignore_index=True)


def _later_records(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of records whose key an earlier record of the site has, with that record as ``first``."""
    once = frame.drop_duplicates(["record", "site", "key"])
    once = once.assign(first=once.groupby(["site", "key"], sort=False)["record"].transform("first"))
    return once[(once["record"] != once["first"]).to_numpy(bool)]


def _made(
    found: Field | None, rows: np.ndarray, rule: str, values: np.ndarray, problem: str, expected: str,
    others: np.ndarray | str = "",
) -> pd.DataFrame:  # fmt: skip
    shown = masked(found, values)
    return pd.DataFrame(
        {
            "source_row": rows.astype(np.int32),
            "form": found.form if found else "",
            "field": found.name if found else "",
            "rule": rule,
            "value": pd.Series(shown, dtype="str"),
            "problem": render(problem, {"value": shown, "other": others}, len(rows)),
            "expected": expected,
        }
    ).astype(dict.fromkeys(("form", "field", "rule", "expected"), "str"))
