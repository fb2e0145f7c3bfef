"""Trial summary (TS): parameters that sdtm/ts.yaml declares, with values from study.yaml or from the subjects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from metadata import iso8601
from metadata.dataset import Dataset, Edges, join_edges
from metadata.declaration import read_document
from metadata.declaration_schema import document_schema
from metadata.errors import Gather, StudyError, nearest
from metadata.schema_errors import unknown_variable
from metadata.standards import COUNTRIES, NULL_FLAVORS, sdtm_variables
from metadata.study import Study
from metadata.study_declaration import PERIOD
from metadata.terminology import Terminology
from metadata.trial_summary import MEANT, WRITTEN, summary_parameters
from metadata.yaml_source import LocatedDict, complain
from sdtm.columns.text import chunks, transliterated
from sdtm.mapping.declared_rows import checked_rows, declared_dataset, file_of
from sdtm.mapping.domain_mapping import codelists
from sdtm.operations.operation import Target, check_term, located

if TYPE_CHECKING:
    import pandas as pd

DOMAIN = "TS"
SUBJECTS = "DM"


@dataclass(frozen=True)
class TrialSummaryParameter:
    """One parameter: its code (TSPARMCD), one of the ways to say its value, and what the value is coded by.

    ``study`` is a place in study.yaml, as ``study.title``; ``earliest``, ``latest`` and ``subjects`` (how many have it)
    are DM.VARIABLE; ``null_flavor`` is TSVALNF. ``codelist`` makes TSVALCD and its reference from the terminology;
    otherwise ``code``, ``dictionary`` and ``version`` say them. ``group_id`` is TSGRPID.
    """

    paramcd: str
    value: str | int | float | None = None
    study: str = ""
    earliest: str = ""
    latest: str = ""
    subjects: str = ""
    null_flavor: str = ""
    group_id: str = ""
    codelist: str = ""
    code: str = ""
    dictionary: str = ""
    version: str = ""

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("value",),
        ("study",),
        ("earliest",),
        ("latest",),
        ("subjects",),
        ("null_flavor",),
    )


@dataclass(frozen=True)
class SummaryFile:
    """The whole of sdtm/ts.yaml."""

    domain: Literal["TS"]
    parameters: list[TrialSummaryParameter]


def summary_schema() -> dict[str, Any]:
    """Return the JSON Schema of sdtm/ts.yaml."""
    return document_schema(SummaryFile, "trial summary")


OF_SUBJECTS = ("earliest", "latest", "subjects")
"""Keys of a parameter that is taken from the subjects: their first or last date, or the number that have a value."""


@dataclass(frozen=True)
class SummaryValue:
    """A parameter's value, and the subjects and the variable that it was made from."""

    value: str
    variable: str = ""
    rows: np.ndarray | None = None


def parameter_nodes(study: Study) -> list[LocatedDict]:
    """Return the declared parameters, none if the study has no file for them; raises StudyError."""
    if not study.path(file_of(DOMAIN)).is_file():
        return []
    body = study.read_yaml(file_of(DOMAIN))
    read_document(SummaryFile, body, f"{study.name}/{file_of(DOMAIN)}")
    return list(body["parameters"])


def check_summary(study: Study, terminology: Terminology) -> None:
    """Raise StudyError for all parameters that fit no codelist, as far as they need no subject."""
    nodes = parameter_nodes(study)
    names = _parameter_names(study, terminology) if nodes else {}
    with Gather() as gather:
        for node in nodes:
            with gather.part():
                code = _known(node, names)
                if any(key in node for key in ("value", "study", "null_flavor")):
                    said = value_of(study, node, None)
                    checked_rows(study, terminology, DOMAIN, [_row(node, names[code], 1, said, terminology)])
                    _check_form(node, code, said.value)
                for word in OF_SUBJECTS:
                    if word in node:
                        _check_of_subjects(study, node, word)


def _check_form(node: LocatedDict, code: str, value: str) -> None:
    """Raise StudyError for a value, if there is one, that is not written as its parameter asks."""
    form = next((one.form for one in summary_parameters() if one.paramcd == code), "")
    if value and form in WRITTEN and not WRITTEN[form](value):
        key = "value" if "value" in node else "study"
        raise complain(node, key, f"{code} is {MEANT[form]}, not '{value}'")


def _check_of_subjects(study: Study, node: LocatedDict, word: str) -> None:
    """Raise StudyError unless a parameter is taken from a variable that the guide gives DM, a date for the extremes."""
    domain, _, name = str(node[word]).partition(".")
    if domain != SUBJECTS:
        raise complain(node, word, f"'{node[word]}' must be a variable of {SUBJECTS}, such as {SUBJECTS}.RFSTDTC")
    known = [one.name for one in sdtm_variables(study.standards["sdtmig"], SUBJECTS)]
    if name not in known:
        raise unknown_variable(node, word, SUBJECTS, name, known)
    if word != "subjects" and not name.endswith("DTC"):
        raise complain(node, word, f"{SUBJECTS}.{name} is not a date")


def _known(node: LocatedDict, names: Mapping[str, str]) -> str:
    code = str(node["paramcd"])
    if code not in names:
        raise complain(node, "paramcd", f"'{code}' is not a term of TSPARMCD{nearest(code, names)}")
    return code


def trial_summary(study: Study, terminology: Terminology, subjects: Dataset | None) -> Dataset | None:
    """Return TS, with lineage to the subjects, or None if nothing is declared; raises StudyError."""
    nodes = parameter_nodes(study)
    if not nodes:
        return None
    names = _parameter_names(study, terminology)
    rows, values, sequence = [], {}, dict.fromkeys((str(node["paramcd"]) for node in nodes), 0)
    with Gather() as gather:
        for node in nodes:
            with gather.part():
                code = _known(node, names)
                sequence[code] += 1
                found = values[code, float(sequence[code])] = value_of(study, node, subjects)
                rows.append(_row(node, names[code], sequence[code], found, terminology))
    made = declared_dataset(study, terminology, DOMAIN, rows)
    return Dataset(made.metadata, made.frame, _lineage(made.frame, values))


def _parameter_names(study: Study, terminology: Terminology) -> Mapping[str, str]:
    """Return TSPARMCD to TSPARM, by the concept codes that their codelists share."""
    guide = {item.name: codelists(item) for item in sdtm_variables(study.standards["sdtmig"], DOMAIN)}
    return terminology.decode(guide["TSPARMCD"][0], guide["TSPARM"][0])


def value_of(study: Study, node: LocatedDict, subjects: Dataset | None) -> SummaryValue:
    """Return what a parameter says; raises StudyError if study.yaml or DM have no such place."""
    if "value" in node:
        return SummaryValue(str(node["value"]))
    if "null_flavor" in node:
        return SummaryValue("")
    if "study" in node:
        return SummaryValue(_in_study(study, node))
    word = next(key for key in OF_SUBJECTS if key in node)
    return _of_subjects(node, word, subjects)


def _in_study(study: Study, node: LocatedDict) -> str:
    if node["study"] == "cutoff":
        return study.cutoff  # of the run, which may be another than that of the file
    place: Any = study.declared.node
    for part in str(node["study"]).split("."):
        if not isinstance(place, dict) or part not in place:
            raise complain(node, "study", f"study.yaml has no {node['study']}")
        place = place[part]
    return str(len(place)) if isinstance(place, list) else str(place)


def _of_subjects(node: LocatedDict, word: str, subjects: Dataset | None) -> SummaryValue:
    domain, _, name = str(node[word]).partition(".")
    if domain != SUBJECTS or subjects is None or name not in subjects.frame:
        raise complain(node, word, f"'{node[word]}' is not a variable of the study's {SUBJECTS}")
    values = subjects.coded(name).array()
    rows = np.flatnonzero(values != "")
    if word == "subjects":
        return SummaryValue(str(len(rows)), name, rows)
    if not len(rows):
        return SummaryValue("", name, rows)
    best = min(values[rows]) if word == "earliest" else max(values[rows])
    return SummaryValue(str(best)[:10], name, rows[values[rows] == best])


def _row(node: LocatedDict, name: str, sequence: int, found: SummaryValue, terminology: Terminology) -> LocatedDict:
    flavor = Target(DOMAIN, "TSVALNF", dictionary=NULL_FLAVORS)
    check_term(node, "null_flavor", str(node.get("null_flavor") or ""), flavor, terminology)
    text, unknown = transliterated(found.value)
    if unknown:
        key = "value" if "value" in node else "study"
        raise complain(node, key, f"'{found.value}' holds characters that no dataset can hold: {unknown}")
    first, *rest = chunks(text)
    row: dict[str, Any] = {"TSSEQ": sequence, "TSGRPID": node.get("group_id"), "TSPARMCD": node["paramcd"]}
    row |= {
        "TSPARM": name,
        "TSVAL": first,
        "TSVALNF": node.get("null_flavor"),
        **_coded(node, found.value, terminology),
    }
    if not first and not node.get("null_flavor"):
        row["TSVALNF"] = "NA"
    row |= {f"TSVAL{number}": part for number, part in enumerate(rest, start=1)}
    return located(row, node)


def _check_iso_8601(node: LocatedDict, value: str) -> None:
    """Raise StudyError for a value that is neither a date nor a duration, where ISO 8601 is its dictionary."""
    of_moments = str(node.get("dictionary", "")).upper().startswith("ISO 8601")
    if of_moments and not (iso8601.is_date(value) or re.fullmatch(PERIOD.pattern, value)):
        problem = f"'{value}' is neither a date of ISO 8601, such as 2001-12-31, nor {PERIOD.description}"
        raise complain(node, "value" if "value" in node else "study", problem)


def _coded(node: LocatedDict, value: str, terminology: Terminology) -> dict[str, Any]:
    """Return code, reference and version of a value: those of its codelist, or as declared."""
    if "codelist" not in node:
        if str(node.get("dictionary", "")).upper().startswith("ISO 3166"):
            check_term(node, "dictionary", value, Target(DOMAIN, "TSVAL", dictionary=COUNTRIES), terminology)
        _check_iso_8601(node, value)
        return {
            "TSVALCD": node.get("code"),
            "TSVCDREF": node.get("dictionary"),
            "TSVCDVER": node.get("version"),
        }
    try:
        codelist = terminology.codelist(str(node["codelist"]))
    except StudyError as error:
        raise complain(node, "codelist", error.message) from None
    check_term(node, "value", value, Target(DOMAIN, "TSVAL", codelists=(str(node["codelist"]),)), terminology)
    code = codelist.terms[value].code if value else ""
    return {"TSVALCD": code, "TSVCDREF": "CDISC", "TSVCDVER": terminology.package.removeprefix("sdtm-ct-")}


def _lineage(frame: pd.DataFrame, values: dict[tuple[str, float], SummaryValue]) -> pd.DataFrame:
    """Return edges from values to the subjects that they were made from."""
    places = {key: row for row, key in enumerate(zip(frame["TSPARMCD"], frame["TSSEQ"], strict=True))}
    return join_edges(
        [
            Edges(np.full(len(found.rows), places[key]), "TSVAL", SUBJECTS, found.rows, found.variable)
            for key, found in values.items()
            if found.rows is not None and len(found.rows)
        ]
    )
