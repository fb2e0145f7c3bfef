"""The project's log: who saved which form when, as REDCap's logging page exports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metadata.project import Project
from redcap_sandbox.generator_planted import Planted, values_at

COLUMNS = ["timestamp", "username", "action", "details", "record"]


def saved_forms(
    project: Project,
    tables: Mapping[str, pd.DataFrame],
    names: pd.Series,
    groups: pd.Series,
    plan: Mapping[str, Any],
    dates: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """Return one entry for each form saved, by day, record, form and instance; ``time`` is when it was saved.

    ``dates`` holds, by form, the day (datetime64[D]) on which each row was entered; ``plan`` gives the users by data
    access group, the hour at which entry starts and the minutes that a form takes.
    """
    pieces = []
    for position, form in enumerate(project.dictionary.forms):
        if form in tables:
            table = tables[form]
            pieces.append(
                pd.DataFrame(
                    {
                        "day": dates[form],
                        "record": names.to_numpy(object)[table["patient"]],
                        "username": groups.map(plan["users"]).to_numpy(object)[table["patient"]],
                        "form": position,
                        "instance": table["instance"].to_numpy(int),
                        "details": details(project, form, table),
                    }
                )
            )
    entries = pd.concat(pieces).sort_values(["day", "record", "form", "instance"], kind="stable", ignore_index=True)
    minute = entries.groupby(["day", "record"]).cumcount() * int(plan["minutes"]) + int(plan["hour"]) * 60
    entries["time"] = entries["day"].to_numpy("datetime64[m]") + minute.to_numpy().astype("timedelta64[m]")
    first = ~entries["record"].duplicated()
    entries["action"] = np.where(first, "Create record ", "Update record ") + entries["record"]
    return entries[["time", "day", "username", "action", "details", "record"]]


def details(project: Project, form: str, table: pd.DataFrame) -> list[str]:
    """Return ``field = 'value', box(1) = checked`` of every row without blanks; an instance after the first says so."""
    instance = table["instance"].astype("str")
    shown = ("[instance = " + instance + "], ").where(table["instance"] > 1, "").reset_index(drop=True)
    for item in project.dictionary.form_fields(form):
        for position, column in enumerate(item.columns):
            value = table[column].reset_index(drop=True).astype("str")
            if item.field_type == "checkbox":
                text = (value == "1").map({True: f"{item.name}({list(item.choices)[position]}) = checked, ", False: ""})
            else:
                text = (item.name + " = '" + value + "', ").where(value != "", "")
            shown = shown + text.astype("str")
    return list(shown + f"{form}_complete = '2'")


def corrections(
    project: Project, locked: pd.DataFrame, problems: Sequence[Planted], plan: Mapping[str, Any]
) -> pd.DataFrame:
    """Return one entry for each planted value that was put right before the lock."""
    changes = [change for problem in problems for change in problem.changes]
    rows = []
    for change, value in zip(changes, values_at(project, locked, changes), strict=True):
        instance = str(change.get("instance") or "")
        tag = f"[instance = {instance}], " if instance not in ("", "1") else ""
        name, box, code = change["field"].partition("___")
        text = f"{name}({code}) = {'checked' if value == '1' else 'unchecked'}" if box else f"{name} = '{value}'"
        rows.append((f"Update record {change['record']}", tag + text, str(change["record"])))
    start = np.datetime64(plan["cleaning_starts"], "m")
    time = start + (np.arange(len(rows)) * int(plan["cleaning_minutes"])).astype("timedelta64[m]")
    made = pd.DataFrame(rows, columns=["action", "details", "record"])
    return made.assign(time=time, day=time.astype("datetime64[D]"), username=plan["cleaner"])


def newest_first(saved: pd.DataFrame, corrected: pd.DataFrame) -> pd.DataFrame:
    """Return the log as exported: newest first, minutes without seconds."""
    both = stamped(pd.concat([saved, corrected], ignore_index=True))
    return both.iloc[newest_places(saved, corrected)].reset_index(drop=True)


def newest_places(saved: pd.DataFrame, corrected: pd.DataFrame) -> np.ndarray:
    """Return the places of all entries, those saved before those corrected, as they come in the log.

    ``saved`` may be shares of the patients one after the other, each as ``saved_forms`` returned it.
    """
    by_day = pd.concat([saved, corrected])[["time", "day", "record"]].reset_index(drop=True)
    by_day = pd.concat([by_day[: len(saved)].sort_values(["day", "record"], kind="stable"), by_day[len(saved) :]])
    return by_day.sort_values("time", kind="stable").index.to_numpy()[::-1]


def stamped(entries: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the log as exported."""
    stamp = pd.Series(np.datetime_as_string(entries["time"].to_numpy("datetime64[m]")), entries.index, dtype="str")
    return entries.assign(timestamp=stamp.str.replace("T", " "))[COLUMNS].astype("str")
