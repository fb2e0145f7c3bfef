"""The project's log: who saved which form when, as REDCap's logging page exports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metadata.project import Project
from metadata.records import REPEAT_INSTANCE
from redcap_sandbox.generator_planted import Planted

COLUMNS = ["timestamp", "username", "action", "details", "record"]


def saved_forms(
    project: Project, tables: Mapping[str, pd.DataFrame], names: pd.Series, groups: pd.Series, plan: Mapping[str, Any],
    dates: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """Return one entry for each form saved, in the order in which they were saved.

    ``dates`` holds, by form, the day (datetime64[D]) on which each row was entered; ``plan`` gives the users by data access
    group, the hour at which entry starts and the minutes that a form takes.
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
    return entries[["time", "username", "action", "details", "record"]]


def details(project: Project, form: str, table: pd.DataFrame) -> list[str]:
    """Return ``field = 'value', box(1) = checked`` of every row, blanks left out; a repeat says its instance after the first."""
    shown = pd.Series(np.full(len(table), "", object), dtype="str")
    later = table["instance"].astype("str").where(table["instance"] > 1, "")
    shown = shown.mask((later != "").to_numpy(), "[instance = " + later.astype("str").reset_index(drop=True) + "], ")
    for item in project.dictionary.form_fields(form):
        for column, code in zip(item.columns, item.choices if item.field_type == "checkbox" else [""], strict=False):
            values = table[column].reset_index(drop=True).astype("str")
            box = item.field_type == "checkbox"
            text = pd.Series(f"{item.name}({code}) = checked, ", index=values.index, dtype="str") if box else None
            said = text if text is not None else item.name + " = '" + values + "', "
            shown = shown + said.where(values == "1" if box else values != "", "")
    return list(shown + f"{form}_complete = '2'")


def corrections(problems: Sequence[Planted], clean: Mapping[tuple[str, ...], str], plan: Mapping[str, Any]) -> pd.DataFrame:
    """Return one entry for each planted value that was corrected before the lock; ``clean`` has the value put right."""
    rows = []
    for problem in problems:
        for change in problem.changes:
            key = (str(change["record"]), change["event"], change["form"], str(change.get("instance") or ""), change["field"])
            tag = f"[instance = {key[3]}], " if key[3] not in ("", "1") else ""
            rows.append((f"Update record {key[0]}", f"{tag}{key[4]} = '{clean.get(key, '')}'", key[0]))
    start = np.datetime64(plan["cleaning_starts"], "m")
    time = start + (np.arange(len(rows)) * int(plan["cleaning_minutes"])).astype("timedelta64[m]")
    made = pd.DataFrame(rows, columns=["action", "details", "record"])
    return made.assign(time=time, username=plan["cleaner"])


def newest_first(*entries: pd.DataFrame) -> pd.DataFrame:
    """Return the log as exported: newest first, minutes without seconds."""
    log = pd.concat(entries, ignore_index=True).sort_values("time", kind="stable", ignore_index=True).iloc[::-1]
    stamp = np.char.replace(np.datetime_as_string(log["time"].to_numpy("datetime64[m]")), "T", " ")
    return log.assign(timestamp=stamp.astype(object))[COLUMNS].reset_index(drop=True).astype("str")


def lookup(project: Project, frame: pd.DataFrame, problems: Sequence[Planted]) -> dict[tuple[str, ...], str]:
    """Return the clean value of everything that planted problems change, by record, event, form, instance and column."""
    found: dict[tuple[str, ...], str] = {}
    key = [project.dictionary.record_id, "redcap_event_name", "redcap_repeat_instrument", REPEAT_INSTANCE]
    rows = frame.set_index(key)
    for change in (change for problem in problems for change in problem.changes):
        form = change["form"] if project.repeats(change["event"], change["form"]) else ""
        instance = str(change.get("instance") or "")
        at = (str(change["record"]), change["event"], form, instance)
        if at in rows.index:
            found[at[0], at[1], change["form"], instance, change["field"]] = str(rows.at[at, change["field"]])
    return found
