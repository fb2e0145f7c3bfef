"""What a step made is checked before another step reads it: dates, terms, characters and Required values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from metadata import iso8601
from metadata.terminology import Terminology
from sdtm.columns.number import read_result
from sdtm.columns.table import DomainTable
from sdtm.columns.text import unwritable
from sdtm.mapping.domain_mapping import DomainMapping, codelists
from sdtm.operations.choices import Checkbox, Common
from sdtm.operations.values import Coded


def check_values(mapping: DomainMapping, table: DomainTable, terminology: Terminology) -> None:
    """Blank new values that cannot be tabulated, and list the stored values that they came from."""
    names = list(table.unchecked)
    table.unchecked.clear()
    for name in names:
        _check_dates(table, name)
    _check_terms(mapping, table, names, terminology)
    for name in names:
        _check_characters(table, name)


def check_supplements(table: DomainTable) -> None:
    """Blank supplemental values with characters that no transliteration is declared for, and list them."""
    for place, supplement in enumerate(table.supplements):
        name, texts = f"+{supplement.qnam}", supplement.texts
        refused = unwritable(texts)
        for code, characters in refused.items():
            lost = np.zeros(table.count, bool)
            lost[supplement.rows[texts.codes == code]] = True
            table.withhold_values(name, lost, _unknown(name, characters))
        kept = ~np.isin(texts.codes, list(refused))
        table.supplements[place] = replace(supplement, rows=supplement.rows[kept], texts=texts.take(kept))


def _check_dates(table: DomainTable, name: str) -> None:
    """Blank values that are not ISO 8601 dates; operations should make none."""
    if not name.endswith("DTC"):
        return
    values = table.text(name)
    wrong = ~values.test(iso8601.is_date)
    if wrong.any():
        table.null(name, wrong, f"it is not a date; {name} is null")


def _check_terms(mapping: DomainMapping, table: DomainTable, names: Iterable[str], terminology: Terminology) -> None:
    """Blank values that are not terms of the variable's codelist (mapped choices were checked before)."""
    allowed = exempt(mapping)
    for name in names:
        guide = mapping.by_name.get(name)
        lists = codelists(guide) if guide else ()
        if not lists:
            continue
        values = table.text(name)
        terms = {term for code in lists for term in terminology.codelist(code).terms} | allowed.get(name, set()) | {""}
        numeric = name.endswith("STRESC")
        for text in values.held:
            if text in terms or (numeric and read_result(text)):
                continue
            hint = terminology.codelist(lists[0]).nearest(text)
            reason = f"it is not a term of {terminology.codelist(lists[0]).name}{hint}; {name} is null"
            table.null(name, values.isin([text]), reason)


def exempt(mapping: DomainMapping) -> dict[str, set[str]]:
    """Values such as MULTIPLE that the guide allows outside a list (SDTMIG 3.3, section 4.2.8.3)."""
    made: dict[str, set[str]] = {}
    for block in mapping.blocks:
        for name, operation in block.variables.items():
            if isinstance(operation, Checkbox) and operation.multiple:
                made.setdefault(name, set()).add(operation.multiple)
            if isinstance(operation, Common):
                made.setdefault(name, set()).add(str(operation.spec["otherwise"]))
    return made


def _check_characters(table: DomainTable, name: str) -> None:
    """Blank texts with characters that no transliteration is declared for."""
    values = table.text(name)
    for code, characters in unwritable(values).items():
        table.null(name, values.codes == code, _unknown(name, characters))


def _unknown(name: str, characters: str) -> str:
    return f"{name} is null: no transliteration is declared for {characters}"


def withhold_incomplete(mapping: DomainMapping, table: DomainTable, names: Iterable[str]) -> None:
    """Leave out rows that lack one of the Required values ``names``; their values are listed."""
    for name in names:
        missing = ~table.present(name) & table.kept()
        if missing.any():
            cure = "".join(f"; add the reported term to {path}" for path in coding_files(mapping, name))
            table.withhold(missing, f"{mapping.domain} record withheld: {name} is required and has no value{cure}")


def coding_files(mapping: DomainMapping, name: str) -> list[str]:
    """Return the study's coding files by which a variable is coded, each once."""
    coded = [made for made in mapping.operations.get(name, ()) if isinstance(made, Coded)]
    return list(dict.fromkeys(str(made.spec["file"]) for made in coded))
