"""REDCap's smart variables: which the data decide, and which are known only to who is logged in or to the server.

The names are those of REDCap's help, "Smart Variables".
"""

from __future__ import annotations

EVENTS = ("first-event-name", "last-event-name", "previous-event-name", "next-event-name")
"""Events of the row's arm that hold the form: the first and last of them, and those before and after the row's."""
INSTANCES = ("first-instance", "last-instance", "previous-instance", "next-instance", "current-instance")
"""Instances of a repeating form or event."""
OF_ROW = (
    *("record-name", "record-dag-name", "record-dag-label", "event-name", "event-label", "arm-number", "arm-label"),
    *("instrument-name", "instrument-label"),
)
"""What a row's key and the project's structure say."""
AGGREGATES = tuple(f"aggregate-{name}" for name in ("count", "max", "mean", "median", "min", "stdev", "sum", "unique"))
"""Over the values that all rows of the project have in the fields behind the colon."""
NOT_IN_DATA = (
    *("user-name", "user-fullname", "user-email", "user-dag-name", "user-dag-id", "user-dag-label"),
    *("user-role-name", "user-role-id", "user-role-label", "record-dag-id", "record-id", "event-id", "event-number"),
    *("new-instance", "is-form", "is-survey", "form-url", "form-link", "instrument-id", "survey-queue-url"),
    *("survey-queue-link", "survey-url", "survey-link", "survey-title", "survey-access-code", "survey-return-code"),
    *("survey-time-started", "survey-date-started", "survey-time-completed", "survey-date-completed"),
    *("survey-duration", "survey-duration-completed", "survey-base-url", "project-id", "redcap-base-url"),
    *("redcap-version", "redcap-version-url", "rand-number", "rand-time", "rand-utc-time", "calendar-url"),
    *("calendar-link", "file-repository-file-url", "stats-table", "bar-chart", "line-chart", "pie-chart"),
    *("donut-chart", "scatter-plot", "dashboard-url", "dashboard-link", "report-url", "report-link"),
    *("mycap-project-code", "mycap-participant-code", "mycap-participant-url", "mycap-participant-link"),
)
"""What depends on the user, the server, a survey's link or the moment."""
ALL = (*EVENTS, *INSTANCES, *OF_ROW, *AGGREGATES, *NOT_IN_DATA)
