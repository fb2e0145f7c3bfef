"""What becomes of each field of a project's forms: the model of the annotated CRF, as the mapping declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Where = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FieldUse:
    """One use of a field: its value goes into ``variable`` of ``dataset``, in the records where ``where`` holds.

    ``where`` holds variables of the dataset and the value of each, that of --TESTCD or QNAM first. ``options`` are the
    codes of a checkbox that alone count, none if the whole field does. A field of the role "condition" gives no value:
    it decides whether there is one (``note`` says when); one of the role "date" is one of the many from which a derived
    date is chosen; one of the role "link" leads to another record, and ``note`` names the relation.
    """

    field: str
    domain: str
    dataset: str
    variable: str
    where: Where = ()
    options: tuple[str, ...] = ()
    role: Literal["value", "condition", "date", "link"] = "value"
    note: str = ""


@dataclass(frozen=True)
class FormUses:
    """All uses of the fields of a project, and why the values of the others are not submitted.

    ``labels`` are the labels of the domains, ``not_submitted`` reasons by field or form status (``FORM_complete``).
    """

    uses: tuple[FieldUse, ...]
    labels: Mapping[str, str]
    not_submitted: Mapping[str, str]
