"""What is not submitted, and why: every field of the dictionary is mapped, or declared here with a reason."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from metadata.declaration import Place, read_document
from metadata.declaration_limits import NOT_BLANK
from metadata.declaration_schema import document_schema
from metadata.dictionary import Dictionary
from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.yaml_source import complain

if TYPE_CHECKING:
    import pandas as pd

FILE = "sdtm/not_submitted.yaml"
UNDECIDED = "Not decided yet"
"""The reason that a draft gives for a field without a place: `check` counts these as open."""
Reason = Annotated[str, NOT_BLANK]


@dataclass(frozen=True)
class NotSubmitted:
    """The whole of not_submitted.yaml: a reason, or a reason for each form or field.

    ``status`` is that of the forms, ``descriptive`` and ``calculated`` are fields of these types, ``without_record``
    are mapped fields whose values may be left without a record (criteria that were met).
    """

    status: Reason | None = None
    descriptive: Reason | None = None
    calculated: Reason | None = None
    forms: dict[str, Reason] = field(default_factory=dict)
    fields: dict[str, Reason] = field(default_factory=dict)
    without_record: dict[str, Reason] = field(default_factory=dict)
    node: Place = field(default=None, compare=False, repr=False)


def not_submitted_schema() -> dict[str, Any]:
    """Return the JSON Schema of not_submitted.yaml."""
    return document_schema(NotSubmitted, "what is not submitted, and why")


def read_not_submitted(study: Study) -> NotSubmitted:
    """Return what the study declares, nothing if it has no such file; raises StudyError."""
    if not study.path(FILE).is_file():
        return NotSubmitted()
    return read_document(NotSubmitted, study.read_yaml(FILE), f"{study.name}/{FILE}")


def not_submitted(study: Study, dictionary: Dictionary, mapped: set[str]) -> pd.DataFrame:
    """Return form, field and reason of every field (and form status) that is not tabulated (see reasons)."""
    import pandas as pd

    rows = [*reasons(study, dictionary, mapped), *without_record(study, dictionary, mapped)]
    return pd.DataFrame(rows, columns=["form", "field", "reason"], dtype="str")


def reasons(
    study: Study, dictionary: Dictionary, mapped: set[str], perhaps: Set[str] = frozenset()
) -> list[tuple[str, str, str]]:
    """Return form, field and reason of every field (and form status) that no mapping reads.

    ``perhaps`` are fields that a mapping with mistakes may read: they are not reported.

    ``sdtm/not_submitted.yaml`` declares reasons for the forms' status, for descriptive and calculated fields, for all
    fields of a form that no mapping reads, and for single fields. Raises StudyError if a field is neither mapped
    nor declared, or is both.
    """
    declared = read_not_submitted(study)
    of_type = {"calc": declared.calculated, "descriptive": declared.descriptive}
    rows, missing = [], []
    for name, found in dictionary.fields.items():
        reason = declared.fields.get(name) or of_type.get(found.type) or declared.forms.get(found.form)
        if name in mapped or (name in perhaps and not reason):
            continue
        if reason:
            rows.append((found.form, name, reason))
        else:
            missing.append(found)
    with Gather() as gather:
        with gather.part():
            _check(declared, dictionary, mapped)
        for found in missing:
            problem = f"field '{found.name}' is neither mapped nor declared not submitted (form '{found.form}')"
            with gather.part():
                raise StudyError(problem, f"{study.name}/{FILE}", key=found.name)
    rows += [(form, f"{form}_complete", declared.status) for form in dictionary.forms if declared.status]
    return rows


def without_record(study: Study, dictionary: Dictionary, mapped: set[str]) -> list[tuple[str, str, str]]:
    """Return form, field and reason of mapped fields whose values may be without a record (criteria that were met).

    Raises StudyError for a field that the dictionary lacks or that no mapping reads.
    """
    declared = read_not_submitted(study)
    with Gather() as gather:
        for name in declared.without_record:
            place = declared.node["without_record"]
            with gather.part():
                if name not in dictionary.fields:
                    near = nearest(name, dictionary.fields)
                    raise complain(place, name, f"the dictionary has no field '{name}'{near}")
                if name not in mapped:
                    raise complain(place, name, "no mapping reads the field: declare it under fields")
    return [(dictionary.fields[name].form, name, reason) for name, reason in declared.without_record.items()]


def _check(declared: NotSubmitted, dictionary: Dictionary, mapped: set[str]) -> None:
    with Gather() as gather:
        for form in declared.forms:
            with gather.part():
                if form not in dictionary.forms:
                    hint = nearest(form, dictionary.forms)
                    raise complain(declared.node["forms"], form, f"the dictionary has no form '{form}'{hint}")
        for name in declared.fields:
            place = declared.node["fields"]
            with gather.part():
                if name not in dictionary.fields:
                    near = nearest(name, dictionary.fields)
                    raise complain(place, name, f"the dictionary has no field '{name}'{near}")
                if name in mapped:
                    raise complain(place, name, "the field is mapped, so it cannot be declared not submitted")
