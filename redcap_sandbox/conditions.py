"""Where a condition in REDCap's logic is true of a project's rows."""

from __future__ import annotations

import numpy as np

from metadata.errors import StudyError
from metadata.expression_context import FormContext
from metadata.expression_evaluator import evaluate_condition
from metadata.expression_parser import parse
from metadata.records import REPEAT_INSTRUMENT
from metadata.records_lookup import RecordsLookup
from redcap_sandbox.calculations import keys
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.request import ApiError

NOT_EVALUATED = "The filter logic cannot be carried out: {}"


def true_of(served: SandboxProject, logic: str, asked: np.ndarray) -> np.ndarray:
    """Return which of the ``asked`` rows meet a condition, by the values of the row's own event.

    A row of a repeating instrument is judged as one of that instrument. Raises ApiError (400) for logic that cannot be
    read or evaluated; it is never passed over.
    """
    instruments = served.records.frame[REPEAT_INSTRUMENT]
    held, found = np.zeros(len(instruments), bool), RecordsLookup(served.records)
    try:
        condition = parse(logic, "filterLogic")
        for form in instruments[asked].unique():
            rows = np.flatnonzero((instruments == form).to_numpy(bool) & asked)
            context = FormContext(found, form or served.project.dictionary.forms[0], keys(served, rows))
            held[rows] = evaluate_condition(condition, context)
    except (StudyError, LookupError) as error:
        raise ApiError(400, NOT_EVALUATED.format(error)) from None
    return held
