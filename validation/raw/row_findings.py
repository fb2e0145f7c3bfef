"""What is wrong with the rows of an export themselves: a row twice, an instance that is missing or no plain number."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from metadata.records import EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records
from validation.raw.messages import render
from validation.raw.rule_names import GAP, INSTANCE_NUMBER, TWICE

COUNTED = re.compile("[1-9][0-9]*")
KEYS = ("record", "event", "form", "instance")


def row_findings(records: Records) -> pd.DataFrame:
    """Return a finding for each repeated row, each instance after a missing one, and each that is not a number.

    REDCap has one row a record, event, repeating form and instance, and counts instances 1, 2, 3; what is deleted there
    leaves a gap, which may be right. The instances 1, 01 and 1.0 are the same one. Columns as
    ``validation.raw.dictionary_findings`` has them. Rows of files beside REDCap have their key as instance.
    """
    return pd.concat([_twice(records), _gaps(records), _numbers(records)], ignore_index=True)


def _keys(records: Records) -> pd.DataFrame:
    columns = [records.project.dictionary.record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE]
    return records.table.frame(columns).set_axis(list(KEYS), axis="columns")


def _twice(records: Records) -> pd.DataFrame:
    keys = _keys(records)
    number = pd.to_numeric(keys["instance"], errors="coerce")
    same = keys.assign(instance=number.astype("str").where(number.notna(), keys["instance"]))
    rows = np.flatnonzero(same.duplicated(list(KEYS)).to_numpy(bool))
    problem = np.full(len(rows), "The record has this row twice, with the same event, form and instance.", object)
    return _made(records, rows, TWICE, np.full(len(rows), ""), problem, "one row, as REDCap exports it")


def _gaps(records: Records) -> pd.DataFrame:
    """Return the instances whose number is not one more than the number before."""
    keys = _keys(records)
    numbered = (keys["instance"] != "") & ~keys["form"].isin(list(records.project.sources))
    repeating = np.flatnonzero(numbered.to_numpy(bool))
    found = keys.iloc[repeating].assign(number=pd.to_numeric(keys["instance"].iloc[repeating], errors="coerce"))
    ordered = found.sort_values([*KEYS[:3], "number"], kind="stable")
    before = ordered.groupby(list(KEYS[:3]), sort=False)["number"].shift(fill_value=0)
    odd = ordered[(ordered["number"] - before) > 1]
    expected = (before.loc[odd.index] + 1).astype(int).astype("str").to_numpy(object)
    problem = render("Instance {missing} is not there, although {given} is.",
                     {"missing": expected, "given": odd["instance"].to_numpy(object)}, len(odd))  # fmt: skip
    words = "instances counted from 1 without a gap, or a deletion that is known"
    return _made(records, odd.index.to_numpy(), GAP, odd["instance"].to_numpy(object), problem.to_numpy(object), words)


def _numbers(records: Records) -> pd.DataFrame:
    """Return the instances that are not written 1, 2, 3."""
    distinct = records.table.distinct(REPEAT_INSTANCE)
    plain = {text: not text or COUNTED.fullmatch(text) is not None for text in distinct}
    own = records.table.where(REPEAT_INSTRUMENT, dict.fromkeys(records.project.sources, False), True)
    rows = np.flatnonzero(~records.table.where(REPEAT_INSTANCE, plain, True) & own)
    given = records.table.texts_at(REPEAT_INSTANCE, rows)
    problem = render("The instance '{given}' is not a whole number as REDCap counts them.", {"given": given}, len(rows))
    return _made(
        records, rows, INSTANCE_NUMBER, given, problem.to_numpy(object), "1, 2, 3 and so on, without zeros or a point"
    )


def _made(
    records: Records, rows: np.ndarray, rule: str, values: np.ndarray, problem: np.ndarray, expected: str
) -> pd.DataFrame:
    dictionary = records.project.dictionary
    first = dictionary.fields[dictionary.record_id]
    form = records.table.texts_at(REPEAT_INSTRUMENT, rows)
    own = {name: dictionary.form_fields(name)[0].name for name in dict.fromkeys(form) if name in dictionary.forms}
    return pd.DataFrame(
        {
            "source_row": rows.astype(np.int32),
            "form": pd.Series(np.where(form == "", first.form, form), dtype="str"),
            "field": pd.Series([own.get(name, first.name) for name in form], dtype="str"),
            "rule": pd.Series(rule, range(len(rows)), dtype="str"),
            "value": pd.Series(values, dtype="str"),
            "problem": pd.Series(problem, dtype="str"),
            "expected": pd.Series(expected, range(len(rows)), dtype="str"),
        }
    )
