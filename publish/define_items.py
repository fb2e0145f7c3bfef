"""Variables of define.xml: ItemDefs with type, length, codelist, origin, method and their value level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from odmlib.arm_1_0 import model

from metadata.coded_matching import first_of_each
from metadata.dataset import Dataset, Value, Variable
from publish.define_codelists import DefineCodelists
from publish.define_documents import Documents
from publish.define_origins import (
    DERIVED,
    PREDECESSOR,
    collected_fields,
    lineage_sentence,
    origin_elements,
    origins,
)
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
    "PARAMCD": "PARAM",
    "N": "",
}
"""A code and the variable of the same record that decodes it, by the end of their names."""
TOPICS = ("TESTCD", "QNAM")
RESULTS = ("ORRES", "STRESC", "QVAL", "AVALC")
SUBJECT_LEVEL = "ADSL"
FLAG, YES_NO = "FL", ("C66742",)
"""End of the names of flags of an analysis dataset, and the list of their values (ADaMIG 1.3, section 3.1.1)."""
EVERYWHERE = "ALL"
"""Replaces the dataset in the OIDs of lists of a variable that all datasets share."""
NULL = "Null in every record."


@dataclass(frozen=True)
class ItemDescription:
    """What an ItemDef describes: a whole variable, or its values in some rows.

    ``is_shared`` says that the variable is the same in every dataset that has it.
    """

    dataset: Dataset
    variable: Variable
    where: Where
    rows: np.ndarray
    label: str
    origin: str
    method: str
    terms: Mapping[str, str]
    codes: tuple[str, ...]
    is_shared: bool

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
        self._subject_level = frozenset(datasets[SUBJECT_LEVEL].metadata.names if SUBJECT_LEVEL in datasets else ())
        self._everywhere = self._shared_numbers(datasets.values())
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
            more |= {"Role": variable.role} if variable.role and not dataset.metadata.is_analysis else {}
            made.append(self._variable(dataset, variable, number, rows, values.get(variable.name, []), more))
        return made

    def _variable(
        self, dataset: Dataset, variable: Variable, number: int, rows: Rows, values: list[Value], more: dict[str, Any]
    ) -> model.ItemRef:
        codes = self._codes(dataset, variable)
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
            self._is_shared(dataset, variable.name),
        )
        parts = [self._of_value(item, value, rows) for value in values]
        parts += [replace(item, where=where, rows=rows(where), codes=(code,) if code else ()) for where, code in split]
        everywhere = self._everywhere.get(variable.name) if dataset.metadata.is_analysis else None
        kind = kind_of_variable(variable, item.texts if everywhere is None else texts_of_numbers(everywhere))
        definition, reference = self._item(item, kind, number, more, bool(parts))
        self.definitions.append(definition)
        if parts:
            definition.ValueListRef = model.ValueListRef(ValueListOID=value_list_oid(dataset.name, variable.name))
            self._value_list(dataset, variable.name, parts)
            self.problems.append(coverage(dataset, variable.name, [part.where for part in parts], rows))
        return reference

    def _codes(self, dataset: Dataset, variable: Variable) -> tuple[str, ...]:
        """Return the lists that a variable is bound to; the ADaM guide names some that older packages do not have."""
        codes = tuple((variable.codelist or "").split(";")) if variable.codelist else ()
        if not dataset.metadata.is_analysis:
            return codes
        if not codes and variable.type == "Char" and variable.name.endswith(FLAG):
            codes = YES_NO
        return tuple(code for code in codes if self.codelists.has(code))

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
            Mandatory="Yes" if _is_mandatory(item) and not item.where else "No",
            **more,
            **({"MethodOID": method} if method else {}),
            **({} if texts else {"HasNoData": "Yes"}),
        )
        definition = model.ItemDef(OID=oid, Name=item.name, DataType=kind.data_type, **_sizes(kind, item))
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
        fields = self._vendor_fields(item)
        definition.Origin.extend(origin_elements(item.dataset, found, item.method, pages, item.rows, fields))
        return definition, reference

    def _vendor_fields(self, item: ItemDescription) -> list[bool]:
        """Return for each field that a variable was collected in whether it is of a file beside REDCap."""
        named = self.documents.vendor_fields
        return [one in named for one in collected_fields(item.dataset, item.variable.name)] if named else []

    def _sentences(self, item: ItemDescription, found: Sequence[str], has_data: bool) -> tuple[str, str]:
        """Return the OIDs of method and comment: what derives values is a method, everything else a comment."""
        text = item.method
        if found == [DERIVED]:
            text = text or lineage_sentence(item.dataset, item.variable.name)
            method = self.sentences.method(item.variable.name, text) if text else ""
            return method, "" if has_data else self.sentences.comment(item.variable.name, NULL)
        if found == [PREDECESSOR]:  # the origin names its source
            text = ""
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
        bound = len(item.codes) == 1 and not is_result and self._may_be_extended(item)
        code = fitting[0] if fitting else item.codes[0] if bound else ""
        if code:
            return self.codelists.of_terminology(code, dataset, texts, meanings, data_type)
        if has_values and (item.codes or is_result):
            return ""
        terms = meanings or dict(item.terms)
        terms |= {text: "" for text in texts if text not in terms} if terms else {}
        owner = self._list_owner(item, data_type)
        title = f"{item.label} ({owner.removeprefix(f'{EVERYWHERE}.')})"
        return self.codelists.of_study(owner, title, terms, data_type) if terms else ""

    def _list_owner(self, item: ItemDescription, data_type: str) -> str:
        """Return what a list of the study's own belongs to: numbers of another type than elsewhere have their own."""
        everywhere = self._everywhere.get(item.variable.name) if item.is_shared and not item.where else None
        if everywhere is None or kind_of_variable(item.variable, texts_of_numbers(everywhere)).data_type == data_type:
            return item.owner
        return f"{item.owner}.{data_type.upper()}"

    def _may_be_extended(self, item: ItemDescription) -> bool:
        """Return False for an analysis variable whose list is closed: values of its own are not from that list."""
        return not item.dataset.metadata.is_analysis or self.codelists.is_extensible(item.codes[0])

    def _is_shared(self, dataset: Dataset, variable: str) -> bool:
        """Return True for a variable that means the same in every dataset that has it.

        That is one of the subject level among analysis datasets, one without the domain's prefix among tabulations.
        """
        if dataset.metadata.is_analysis:
            return variable in self._subject_level
        own = dataset.name.startswith(("SUPP", "SQ")) and variable != "RDOMAIN"
        return not own and not variable.startswith(dataset.name)

    def _shared_numbers(self, datasets: Iterable[Dataset]) -> dict[str, np.ndarray]:
        """Return the different values of numeric variables that datasets share.

        An analysis variable of the subject level has one data type in all datasets. A variable of tabulations has in
        each dataset that of its values there: VISITNUM is a whole number where no visit was unplanned.
        """
        found: dict[str, list[np.ndarray]] = {}
        for dataset in datasets:
            for variable in dataset.metadata.variables:
                if variable.method == f"{SUBJECT_LEVEL}.{variable.name}":  # a copy of values that are looked at there
                    continue
                if variable.type == "Num" and self._is_shared(dataset, variable.name):
                    found.setdefault(variable.name, []).append(pd.unique(dataset.columns.numbers(variable.name)))
        return {name: np.concatenate(columns) for name, columns in found.items()}


def _is_mandatory(item: ItemDescription) -> bool:
    """Return True for a Required variable; in ADaM, where one may be null, only if none of its values is."""
    return item.variable.core == "Req" and (
        not item.dataset.metadata.is_analysis or bool(item.dataset.columns.filled(item.variable.name).all())
    )


def _sizes(kind: DefineType, item: ItemDescription) -> dict[str, Any]:
    """Return length, digits and display format: that of the transport file for an analysis dataset."""
    made: dict[str, Any] = {"Length": kind.length} if kind.data_type in NEEDS_LENGTH else {}
    made |= {"SignificantDigits": kind.digits} if kind.digits else {}
    shown = item.variable.format if item.dataset.metadata.is_analysis else kind.display_format
    return made | ({"DisplayFormat": shown} if shown else {})


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
