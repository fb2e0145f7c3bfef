"""Saved reports: a choice of fields and a condition, exported like records."""

from __future__ import annotations

import pandas as pd

from redcap_sandbox.project import SandboxProject
from redcap_sandbox.records import export_records
from redcap_sandbox.request import ApiError, ApiRequest

PASSED = ("format", "rawOrLabel", "rawOrLabelHeaders", "exportCheckboxLabel", "csvDelimiter", "decimalCharacter")
NO_REPORT = 'The value of the parameter "report_id" is not valid'


def export_report(served: SandboxProject, request: ApiRequest) -> tuple[pd.DataFrame, list[str] | None]:
    """Return the frame of a report, and the labels that replace its headers if they were asked for."""
    wanted = request.text("report_id")
    found = next((one for one in served.reports if str(one.number) == wanted), None)
    if found is None:
        raise ApiError(400, NO_REPORT)
    passed = {name: request.raw(name) for name in PASSED} | {"filterLogic": found.logic}
    return export_records(served, ApiRequest(passed, {"fields": list(found.fields)}))
