"""Variables of define.xml: ItemDefs with type, length, codelist, origin, method and their value level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from odmlib.define_2_1 import model

from metadata.coded_matching import first_of_each
from metadata.dataset import Dataset, Value, Variable
from publish.define_codelists import DefineCodelists
from publish.define_origins import DERIVED, Documents, lineage_sentence, origin_elements, origins
from publish.define_sentences import Sentences, description
from publish.define_types import (
    INTEGER,
    NEEDS_LENGTH,
    TEXT,
    DefineType,
    each_text,
    kind_of_texts,
    kind_of_variable,
    texts_of,
    texts_of_numbers,
)
from publish.define_values import (
    Rows,
    Where,
    WhereClauses,
    by_category,
    coverage,
    item_oid,
    value_list_oid,
    values_in_use,
)

PAIRS = {
    "TESTCD": "TEST",
    "PARMCD": "PARM",
    "VISITNUM": "VISIT",
    "ACTARMCD": "ACTARM",
    "ARMCD": "ARM",
    "ETCD": "ELEMENT",
    "QNAM": "QLABEL",
}
"""A code and the variable of the same record that decodes it, by the end of their names."""
TOPICS = ("TESTCD", "QNAM")
RESULTS = ("ORRES", "STRESC", "QVAL")
EVERYWHERE = "ALL"
"""Replaces the dataset in the OIDs of lists of a variable that all datasets share."""
NULL = "Null in every record."


@dataclass(frozen=True)
class ItemDescription:
    """What an ItemDef describes: a whole variable, or its values in some rows."""

    dataset: Dataset
    variable: Variable
    where: Where
    rows: np.ndarray
    label: str
    origin: str
    method: str
    terms: Mapping[str, str]
    codes: tuple[str, ...]

    @cached_property
    def texts(self) -> list[str]:
        """The different values of these rows as texts, sorted."""
        return texts_of(self.dataset.columns, self.variable.name, self.rows)

    @property
    def name(self) -> str:
        """The test or qualifier that the rows are about, else the variable's name."""
        topic = self.where and self.where[0][0].endswith(TOPICS)
        return self.where[0][1] if topic else self.variable.name

    @property
    def is_shared(self) -> bool:
        """True for a variable that is the same in every dataset that has it."""
        return is_shared(self.dataset.name, self.variable.name)

    @property
    def owner(self) -> str:
        """What the study's own list belongs to: dataset, variable and condition, or a variable of all datasets."""
        owner = item_oid(self.dataset.name, self.variable.name, self.where).removeprefix("IT.")
        return f"{EVERYWHERE}.{self.variable.name}" if self.is_shared and not self.where else owner


class Items:
    """ItemDefs, value lists and conditions of all datasets, made while variables are described."""

    def __init__(
        self, datasets: Mapping[str, Dataset], codelists: DefineCodelists, sentences: Sentences, documents: Documents
    ) -> None:
        self.codelists, self.sentences, self.documents = codelists, sentences, documents
        self._everywhere = _shared_numbers(datasets.values())
        self.where_clauses = WhereClauses()
        self.definitions: list[model.ItemDef] = []
        self.value_lists: list[model.ValueListDef] = []
        self.problems: list[str] = []

    def references(self, dataset: Dataset) -> list[model.ItemRef]:
        """Describe all variables of a dataset and return the references to them, in order."""
        rows = Rows(dataset)
        values = values_in_use(dataset, rows)
        keys = {name: place for place, name in enumerate(dataset.metadata.keys, start=1)}
        made = []
        for number, variable in enumerate(dataset.metadata.variables, start=1):
            more: dict[str, Any] = {"KeySequence": keys[variable.name]} if variable.name in keys else {}
            more |= {"Role": variable.role} if variable.role else {}
            made.append(self._variable(dataset, variable, number, rows, values.get(variable.name, []), more))
        return made

    def _variable(
        self, dataset: Dataset, variable: Variable, number: int, rows: Rows, values: list[Value], more: dict[str, Any]
    ) -> model.ItemRef:
        codes = tuple((variable.codelist or "").split(";")) if variable.codelist else ()
        split = by_category(dataset, variable.name, codes, self.codelists) if len(codes) > 1 and not values else []
        item = ItemDescription(
            dataset,
            variable,
            (),
            rows.all,
            variable.label,
            variable.origin,
            variable.method,
            dict(variable.terms),
            codes,
        )
        parts = [self._of_value(item, value, rows) for value in values]
        parts += [replace(item, where=where, rows=rows(where), codes=(code,) if code else ()) for where, code in split]
        everywhere = self._everywhere.get(variable.name)
        kind = kind_of_variable(variable, item.texts if everywhere is None else texts_of_numbers(everywhere))
        definition, reference = self._item(item, kind, number, more, bool(parts))
        self.definitions.append(definition)
        if parts:
            definition.ValueListRef = model.ValueListRef(ValueListOID=value_list_oid(dataset.name, variable.name))
            self._value_list(dataset, variable.name, parts)
            self.problems.append(coverage(dataset, variable.name, [part.where for part in parts], rows))
        return reference

    def _of_value(self, item: ItemDescription, value: Value, rows: Rows) -> ItemDescription:
        return replace(
            item,
            where=value.where,
            rows=rows(value.where),
            label=value.label or item.label,
            origin=value.origin,
            method=value.method,
            terms=dict(value.terms),
        )

    def _value_list(self, dataset: Dataset, variable: str, parts: Sequence[ItemDescription]) -> None:
        made = model.ValueListDef(OID=value_list_oid(dataset.name, variable))
        for number, part in enumerate(sorted(parts, key=lambda part: part.where), start=1):
            kind = kind_of_texts(part.variable, part.texts)
            if part.terms and kind.data_type != TEXT and not all(INTEGER.fullmatch(term) for term in part.terms):
                kind = DefineType(TEXT, max(map(len, part.texts), default=1))
            definition, reference = self._item(part, kind, number, {}, False)
            clause = self.where_clauses.oid(dataset.name, part.where)
            reference.WhereClauseRef.append(model.WhereClauseRef(WhereClauseOID=clause))
            self.definitions.append(definition)
            made.ItemRef.append(reference)
        self.value_lists.append(made)

    def _item(
        self, item: ItemDescription, kind: DefineType, number: int, more: dict[str, Any], has_values: bool
    ) -> tuple[model.ItemDef, model.ItemRef]:
        """Return the definition and the reference to it."""
        oid = item_oid(item.dataset.name, item.variable.name, item.where)
        texts = item.texts
        found = origins(item.dataset, item.variable.name, item.origin, item.rows)
        method, comment = self._sentences(item, found, bool(texts))
        reference = model.ItemRef(
            ItemOID=oid,
            OrderNumber=number,
            Mandatory="Yes" if item.variable.core == "Req" and not item.where else "No",
            **more,
            **({"MethodOID": method} if method else {}),
            **({} if texts else {"HasNoData": "Yes"}),
        )
        definition = model.ItemDef(OID=oid, Name=item.name, DataType=kind.data_type, **_sizes(kind))
        if not item.where:
            definition.SASFieldName = item.name
        if comment:
            definition.CommentOID = comment
        definition.Description = description(item.label)
        codelist = self._codelist(item, kind, texts, has_values)
        if codelist:
            definition.CodeListRef = model.CodeListRef(CodeListOID=codelist)
        topic = item.name if item.where and item.name != item.variable.name else ""
        pages = self.documents.pages.get((item.dataset.name, item.variable.name, topic), ())
        definition.Origin.extend(origin_elements(item.dataset, found, pages, item.rows))
        return definition, reference

    def _sentences(self, item: ItemDescription, found: Sequence[str], has_data: bool) -> tuple[str, str]:
        """Return the OIDs of method and comment: what derives values is a method, everything else a comment."""
        text = item.method
        if found == [DERIVED]:
            text = text or lineage_sentence(item.dataset, item.variable.name)
            method = self.sentences.method(item.variable.name, text) if text else ""
            return method, "" if has_data else self.sentences.comment(item.variable.name, NULL)
        text = " ".join(part for part in (text, "" if has_data else NULL) if part)
        return "", self.sentences.comment(item.variable.name, text) if text else ""

    def _codelist(self, item: ItemDescription, kind: DefineType, texts: list[str], has_values: bool) -> str:
        """Return the OID of the list that the values are taken from; nothing for free values."""
        data_type = kind.data_type if kind.data_type in NEEDS_LENGTH else TEXT
        name, dataset = item.variable.name, "" if item.is_shared else item.dataset.name
        if not texts:
            return ""
        if item.variable.dictionary:
            return self.codelists.external(item.variable.dictionary)
        meanings = _decoded(item)
        fitting = [code for code in item.codes if set(texts) <= set(self.codelists.terms(code))]
        is_result = name.endswith(RESULTS)
        code = fitting[0] if fitting else item.codes[0] if len(item.codes) == 1 and not is_result else ""
        if code:
            return self.codelists.of_terminology(code, dataset, texts, meanings, data_type)
        if has_values and (item.codes or is_result):
            return ""
        terms = meanings or dict(item.terms)
        terms |= {text: "" for text in texts if text not in terms} if terms else {}
        title = f"{item.label} ({item.owner.removeprefix(f'{EVERYWHERE}.')})"
        return self.codelists.of_study(item.owner, title, terms, data_type) if terms else ""


def is_shared(dataset: str, variable: str) -> bool:
    """True for a variable without the domain's prefix, which means the same in every dataset that has it."""
    own = dataset.startswith(("SUPP", "SQ")) and variable != "RDOMAIN"
    return not own and not variable.startswith(dataset)


def _shared_numbers(datasets: Iterable[Dataset]) -> dict[str, np.ndarray]:
    """Return the different values of numeric variables that all datasets share, so that each has one data type."""
    found: dict[str, list[np.ndarray]] = {}
    for dataset in datasets:
        for variable in dataset.metadata.variables:
            if variable.type == "Num" and is_shared(dataset.name, variable.name):
                found.setdefault(variable.name, []).append(np.unique(dataset.columns.numbers(variable.name)))
    return {name: np.concatenate(columns) for name, columns in found.items()}


def _sizes(kind: DefineType) -> dict[str, Any]:
    made: dict[str, Any] = {"Length": kind.length} if kind.data_type in NEEDS_LENGTH else {}
    made |= {"SignificantDigits": kind.digits} if kind.digits else {}
    return made | ({"DisplayFormat": kind.display_format} if kind.display_format else {})


def _decoded(item: ItemDescription) -> dict[str, str]:
    """Return code to name, for a variable that another variable of the same records decodes one to one."""
    name = item.variable.name
    end = next((end for end in PAIRS if name.endswith(end)), "")
    decode = name.removesuffix(end) + PAIRS[end] if end else ""
    if not end or decode not in item.dataset.frame.columns:
        return {}
    at = np.flatnonzero(item.rows)
    at = at[first_of_each([item.dataset.coded(one).take(at) for one in (name, decode)])]
    pairs = item.dataset.frame[[name, decode]].iloc[at]
    pairs = pairs[pairs[name].notna() & (pairs[name].astype(object) != "")].sort_values(name)
    if pairs[name].duplicated().any():
        return {}
    return dict(zip(each_text(pairs[name]), pairs[decode].astype("str"), strict=True))
