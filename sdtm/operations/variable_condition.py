"""Conditions on tabulated variables: the language of ``metadata.condition``, checked against the guide's variables."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from metadata.coded_text import CodedText
from metadata.condition import EVERY_ROW, Condition
from metadata.standards import sdtm_variables
from metadata.study import Study
from metadata.variable_kind import NUM
from metadata.yaml_source import LocatedDict
from sdtm.columns.table import DomainTable


def read_variable_condition(node: LocatedDict, key: str, domains: Iterable[str], study: Study) -> Condition:
    """Return the condition under a key of ``node``, that of every row without one.

    Raises StudyError where one of the ``domains`` has no such variable, or is tested as another kind than the guide's.
    """
    return check_variable_condition(Condition.read(node[key], node, key) if key in node else None, domains, study)


def check_variable_condition(condition: Condition | None, domains: Iterable[str], study: Study) -> Condition:
    """Return a condition, that of every row for None; raises StudyError as ``read_variable_condition`` does."""
    if condition is None:
        return EVERY_ROW
    for domain in dict.fromkeys(domains):
        condition.check(_kinds(domain, study.standards["sdtmig"]), domain)
    return condition


def rows_where(condition: Condition, table: DomainTable, study: Study) -> np.ndarray:
    """Return True for the rows of a domain that fulfil a condition; a variable that was not made is missing."""
    return condition.holds(_Variables(table, _kinds(table.domain, study.standards["sdtmig"])), table.count)


def sentence_of(condition: Condition) -> str:
    """Return a condition on variables as a phrase, empty for every row."""
    return "" if condition == EVERY_ROW else condition.sentence("null", "not null")


class _Variables:
    """The variables of a domain in the making, as a condition looks at them."""

    def __init__(self, table: DomainTable, kinds: dict[str, str]) -> None:
        self.table, self.kinds = table, kinds

    def __getitem__(self, name: str) -> CodedText | np.ndarray:
        is_number = name in self.table.numbers or (not self.table.has(name) and self.kinds[name] == NUM)
        return self.table.number(name) if is_number else self.table.text(name)


def _kinds(domain: str, guide: str) -> dict[str, str]:
    return {variable.name: variable.type for variable in sdtm_variables(guide, domain)}
