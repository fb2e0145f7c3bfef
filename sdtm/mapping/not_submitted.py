"""What is not submitted, and why: every field of the dictionary is mapped, or declared here with a reason."""

from __future__ import annotations

import pandas as pd

from metadata.dictionary import Dictionary
from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.yaml_source import LocatedDict, complain

FILE = "sdtm/not_submitted.yaml"
PARTS = ("status", "descriptive", "calculated", "forms", "fields", "without_record")


def not_submitted(study: Study, dictionary: Dictionary, mapped: set[str]) -> pd.DataFrame:
    """Return form, field and reason of every field (and form status) that is not tabulated (see reasons)."""
    rows = [*reasons(study, dictionary, mapped), *without_record(study, dictionary, mapped)]
    return pd.DataFrame(rows, columns=["form", "field", "reason"], dtype="str")


def reasons(study: Study, dictionary: Dictionary, mapped: set[str]) -> list[tuple[str, str, str]]:
    """Return form, field and reason of every field (and form status) that no mapping reads.

    ``sdtm/not_submitted.yaml`` declares reasons for the forms' status, for descriptive and calculated fields, for all
    fields of a form that no mapping reads, and for single fields. Raises StudyError if a field is neither mapped
    nor declared, or is both.
    """
    declared = study.read_yaml(FILE) if study.path(FILE).is_file() else LocatedDict()
    forms: LocatedDict = declared.get("forms") or LocatedDict()
    fields: LocatedDict = declared.get("fields") or LocatedDict()
    rows, missing = [], []
    for name, found in dictionary.fields.items():
        reason = fields.get(name)
        if reason is None and found.type in ("calc", "descriptive"):
            reason = declared.get("calculated" if found.type == "calc" else "descriptive")
        reason = reason or forms.get(found.form)
        if name in mapped:
            continue
        if reason:
            rows.append((found.form, name, str(reason)))
        else:
            missing.append(found)
    with Gather() as gather:
        with gather.part():
            _check(declared, forms, fields, dictionary, mapped)
        for found in missing:
            problem = f"field '{found.name}' is neither mapped nor declared not submitted (form '{found.form}')"
            with gather.part():
                raise StudyError(problem, f"{study.name}/{FILE}", key=found.name)
    status = declared.get("status")
    rows += [(form, f"{form}_complete", str(status)) for form in dictionary.forms if status]
    return rows


def without_record(study: Study, dictionary: Dictionary, mapped: set[str]) -> list[tuple[str, str, str]]:
    """Return form, field and reason of mapped fields whose values need not make a record (criteria that were met).

    Raises StudyError for a field that the dictionary lacks or that no mapping reads.
    """
    declared = study.read_yaml(FILE) if study.path(FILE).is_file() else LocatedDict()
    fields: LocatedDict = declared.get("without_record") or LocatedDict()
    with Gather() as gather:
        for name in fields:
            with gather.part():
                if name not in dictionary.fields:
                    near = nearest(name, dictionary.fields)
                    raise complain(fields, name, f"the dictionary has no field '{name}'{near}")
                if name not in mapped:
                    raise complain(fields, name, "no mapping reads the field: declare it under fields")
    return [(dictionary.fields[name].form, name, str(reason)) for name, reason in fields.items()]


def _check(
    declared: LocatedDict, forms: LocatedDict, fields: LocatedDict, dictionary: Dictionary, mapped: set[str]
) -> None:
    with Gather() as gather:
        for key in declared:
            with gather.part():
                if key not in PARTS:
                    raise complain(declared, key, f"there is no such key here{nearest(key, PARTS)}")
        for form in forms:
            with gather.part():
                if form not in dictionary.forms:
                    raise complain(forms, form, f"the dictionary has no form '{form}'{nearest(form, dictionary.forms)}")
        for name in fields:
            with gather.part():
                if name not in dictionary.fields:
                    near = nearest(name, dictionary.fields)
                    raise complain(fields, name, f"the dictionary has no field '{name}'{near}")
                if name in mapped:
                    raise complain(fields, name, "the field is mapped, so it cannot be declared not submitted")
