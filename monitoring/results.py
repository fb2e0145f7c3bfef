"""Results of tests from the rows of a findings domain: the bounds that a number or a limit of detection sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metadata.coded_text import CodedText
from metadata.study import Study
from metadata.units import significant
from sdtm.columns.number import read_result
from sdtm.columns.table import DomainTable
from sdtm.domains.reference_ranges import collected_ranges, put_collected_ranges, put_ranges
from sdtm.mapping.domain_mapping import DomainMapping, FindingTest

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["record", "test", "domain", "day", "low", "high", "strict", "upper", "term", "unit", "problem",
           "event", "form", "instance"]  # fmt: skip
Bounds = tuple[float, float, bool]


def results_of(study: Study, mapping: DomainMapping, table: DomainTable, people: DomainTable) -> pd.DataFrame:
    """Return the results of a domain, those that cannot be read among them; what was not done is no result.

    A result without a complete date has the first day that it may be of. ``problem`` says why a result is no number
    (blank for one, and for a term); ``upper`` is the upper limit of normal in the unit of the result, NaN without one.
    """
    import pandas as pd

    if mapping.ranges_file:
        put_ranges(study, mapping, table, people)
    elif collected_ranges(mapping):
        put_collected_ranges(mapping, table)
    named = mapping.prefixed
    given, text = table.text(named("ORRES")), table.text(named("STRESC"))
    kept = given.present() | ~table.text(named("STAT")).present()
    low, high, strict = (text.spread(np.array([bounds_of(word)[part] for word in text.texts])) for part in range(3))
    made = pd.DataFrame({
        "record": table.hidden["record"].array(),
        "test": _of_parts(mapping, table, lambda test, _: test.key),
        "domain": mapping.domain,
        "day": table.days(named("DTC"))[0].astype("datetime64[ns]"),
        "low": low.astype(float), "high": high.astype(float), "strict": strict.astype(bool),
        "upper": significant(table.number(named("STNRHI"))),
        "term": text.array(),
        "unit": _of_parts(mapping, table, lambda test, _: test.units.standard),
        "problem": _problems(mapping, table, given, text),
        "event": table.hidden["event"].array(),
        "form": _of_parts(mapping, table, lambda _, form: form),
        "instance": table.hidden["instance"].array(),
    })  # fmt: skip
    texts = ["record", "test", "term", "unit", "problem", "event", "form", "instance"]
    return made.astype(dict.fromkeys(texts, "str"))[kept][COLUMNS].reset_index(drop=True)


def bounds_of(word: str) -> Bounds:
    """Return the least and the greatest number that a standard result may be, and whether its bound is excluded.

    A text that is neither a number nor a limit such as <5 has the bounds NaN.
    """
    found = read_result(word) if word else None
    if found is None:
        return np.nan, np.nan, False
    value = float(found.value)
    if not found.sign:
        return value, value, False
    strict = found.sign in ("<", ">")
    return (-np.inf, value, strict) if found.sign.startswith("<") else (value, np.inf, strict)


def _of_parts(mapping: DomainMapping, table: DomainTable, give: object) -> np.ndarray:
    """Return one text a row, the same for all rows of a test on a form."""
    made = np.full(table.count, "", object)
    forms = [block.form for block in mapping.blocks for _ in block.tests]
    for (test, start, stop), form in zip(table.parts, forms, strict=True):
        if isinstance(test, FindingTest):
            made[start:stop] = give(test, form)  # type: ignore[operator]
    return made


def _problems(mapping: DomainMapping, table: DomainTable, given: CodedText, text: CodedText) -> np.ndarray:
    """Return why a result that should be a number is none: it was not stored as one, or its unit has no factor."""
    measured = _of_parts(mapping, table, lambda test, _: test.units.standard) != ""
    number = text.test(lambda word: read_result(word) is not None if word else False)
    unit = table.text(mapping.prefixed("ORRESU")).present()
    why = np.where(unit, "its unit has no factor", "it has no unit, or an unknown one")
    why = np.where(text.present(), "it is a text", why)
    why = np.where(given.present(), why, "it cannot be read")
    return np.where((measured & ~number) | ~given.present(), why, "").astype(object)
