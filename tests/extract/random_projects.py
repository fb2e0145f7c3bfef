"""Random small projects with records that try every way of writing a value, and random faults of their server."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pandas as pd

from metadata.dictionary import checkbox_column
from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records
from redcap_sandbox.faults import Fault
from redcap_sandbox.project import LOG_COLUMNS, SandboxProject
from tests.redcap_sandbox.small_projects import DICTIONARY_HEAD, STUDY, write

TEXTS = [
    "plain", "Núñez, Ana", 'say "no"', 'say \\"hi\\" ok', '5\\" tall', "ends \\", "two\nlines", " blanks ", "a,b;c\td",
    "=1+1", "]]>", "ÅÆ 日本", '","', "0", "1", "UNK", 'x\\" y "z"', "'", "\\\\", "ERROR: no", "NA", "null", "1e3",
]  # fmt: skip
NAMES = ["1", "2", "10", "007", "A-1", "b c", "12", "x.y", "ß9", "0a" * 16]
TYPES = [
    "text", "notes", "radio", "checkbox", "yesno", "calc", "date", "slider", "sql", "descriptive", "file", "signature",
    "calctext",
]  # fmt: skip
GROUPS = ["north", "south"]
ONE_ARM = {"scr_arm_1": "1", "m1_arm_1": "1", "log_arm_1": "1"}
TWO_ARMS = {"scr_arm_1": "1", "m1_arm_1": "1", "scr_arm_2": "2", "m1_arm_2": "2"}
"""Events and their arms; the same name of an event is in each arm, and a record may be in both."""
KINDS = [
    "missing_records", "missing_column", "missing_row", "duplicate_row", "foreign_record", "empty_body", "cut", "cut",
    "truncated", "status", "memory", "drop", "html", "forbidden", "edit_record", "delete_record",
]  # fmt: skip
CHANGES = ("edit_record", "delete_record")
CONTENTS = ["record", "record", "record", "record", "", "metadata", "exportFieldNames", "event", "log", "dag"]


@dataclass(frozen=True)
class Trial:
    """A random project, who asks for it, for which group, and what goes wrong meanwhile."""

    folder: Path
    served: SandboxProject
    user: str
    group: str
    faults: tuple[Fault, ...]


def random_trial(seed: int, folder: Path) -> Trial:
    """Make the trial of a seed in a study's folder."""
    random = Random(seed)
    files = _structure(random)
    write(folder, {"study.yaml": STUDY.replace("SMALL", f"RANDOM-{seed}")})
    write(folder / "redcap", files)
    project = Project.read(folder / "redcap")
    frame = _records(random, project)
    log = pd.DataFrame(
        [[f"2001-01-{1 + place:02} 08:00", "owner", f"Create record {name}", "", name]
         for place, name in enumerate(dict.fromkeys(frame[project.dictionary.record_id]))],
        columns=LOG_COLUMNS, dtype="str",
    )  # fmt: skip
    users = _users(random, project)
    served = SandboxProject(
        project, Records.from_frame(project, frame), users, log, doubled_quotes=random.random() < 0.5
    )
    user = random.choice(["owner", "owner", "owner", "member", "blind", "designless"])
    group = random.choice(["", "", "", "south"]) if project.dags else ""
    faults = tuple(_fault(random, project) for _ in range(random.choice([0, 1, 1, 1, 2])))
    return Trial(folder, served, user, group, faults)


def _table(rows: list[list[str]]) -> str:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows(rows)
    return sink.getvalue()


def _structure(random: Random) -> dict[str, str]:
    """The files of a project: some longitudinal, some with repeating forms or events, groups, missing-data codes."""
    forms = [f"form{number}" for number in range(1, random.randint(2, 4))]
    longitudinal, grouped = random.random() < 0.6, random.random() < 0.5
    codes = random.choice(["", "UNK, Unknown", "-99, Unknown | 9.1, Refused"])
    rows = [["rec", forms[0], "", "text", "Record"]]
    for form in forms:
        for number in range(random.randint(1, 5)):
            rows.append(_field(random, form, f"{form}_f{number}"))
    dictionary = DICTIONARY_HEAD + _table([row + [""] * (18 - len(row)) for row in rows])
    repeating = (
        [["event_name", "form_name", "custom_form_label"]] if longitudinal else [["form_name", "custom_form_label"]]
    )
    designated = [["arm_num", "unique_event_name", "form"]]
    events = random.choice([ONE_ARM, TWO_ARMS]) if longitudinal else {"": "1"}
    for event, arm in events.items():
        own = random.sample(forms, random.randint(1, len(forms)))
        designated += [[arm, event, form] for form in own]
        if longitudinal and random.random() < 0.3:
            repeating.append([event, "", ""])
        else:
            loose = own if longitudinal else forms[1:]
            repeating += [[*([event] if longitudinal else []), form, ""] for form in loose if random.random() < 0.3]
    files = {
        "dictionary.csv": dictionary,
        "project_info.csv": _table(
            [["project_id", "is_longitudinal", "has_repeating_instruments_or_events", "missing_data_codes"],
             ["1", str(int(longitudinal)), str(int(len(repeating) > 1)), codes]]
        ),
        "instruments.csv": _table([["instrument_name", "instrument_label"], *([form, form.upper()] for form in forms)]),
    }  # fmt: skip
    if longitudinal:
        files["arms.csv"] = _table([["arm_num", "name"], *([arm, f"Arm {arm}"] for arm in sorted({*events.values()}))])
        header = ["event_name", "arm_num", "unique_event_name", "custom_event_label", "event_id"]
        files["events.csv"] = _table(
            [
                header,
                *([name.partition("_")[0], arm, name, "", str(40 + n)] for n, (name, arm) in enumerate(events.items())),
            ]
        )
        files["form_event_mapping.csv"] = _table(designated)
    if len(repeating) > 1:
        files["repeating.csv"] = _table(repeating)
    if grouped:
        header = ["data_access_group_name", "unique_group_name", "data_access_group_id"]
        files["dags.csv"] = _table([header, *([name.title(), name, str(n)] for n, name in enumerate(GROUPS, 1))])
    return files


def _field(random: Random, form: str, name: str) -> list[str]:
    kind = random.choice(TYPES)
    choices = {"radio": "1, Yes | 2, No", "checkbox": "1, A | -9, B | Aa, C | 1.5, D | x-2, E", "calc": "1+1"}.get(
        kind, ""
    )
    label = random.choice(["Label", 'A \\"quoted\\" label', "Two\nlines"])
    types = {"date": "text", "signature": "file", "calctext": "text"}
    row = [name, form, "", types.get(kind, kind), label, choices, ""]
    identifier = "y" if random.random() < 0.1 and types.get(kind, kind) != "file" else ""  # rights alone hide those
    validation = {"date": "date_ymd", "signature": "signature", "slider": "number"}.get(kind, "")
    annotation = "@CALCTEXT(if([rec]='1', 'a', 'b'))" if kind == "calctext" else ""
    return [*row, validation, "", "", identifier, *[""] * 6, annotation]


def _records(random: Random, project: Project) -> pd.DataFrame:
    """Rows as REDCap exports them: base rows by event, then repeating rows; values only where a form applies."""
    dictionary = project.dictionary
    coded = [name for name in project.missing_code_columns if random.random() < 0.5]
    rows = []
    for name in random.sample(NAMES, random.randint(0 if random.random() < 0.1 else 1, 7)):
        group = random.choice(["", *GROUPS]) if project.dags else ""
        for event, form, instance in _places(random, project):
            row = {dictionary.record_id: name, EVENT: event, REPEAT_INSTRUMENT: form, REPEAT_INSTANCE: instance}
            row[ACCESS_GROUP] = group
            own = [form] if form else [one for one in project.forms_of(event) if not project.repeats(event, one)]
            for one in own:
                row |= _values(random, project, one, coded)
            rows.append(row)
    keys = [dictionary.record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE, ACCESS_GROUP]
    columns = [*keys, *(column for form in dictionary.forms for column in dictionary.export_columns(form)), *coded]
    frame = pd.DataFrame(rows, columns=columns, dtype="str").fillna("")
    return frame.drop(columns=[one for one in coded if not (frame[one] == "1").any()])  # exported where one is in use


def _places(random: Random, project: Project) -> list[tuple[str, str, str]]:
    """Event, form and instance of each row of a record."""
    base, repeated = [], []
    for event in project.event_names:
        if project.event_repeats(event):
            base += [(event, "", str(number)) for number in range(1, random.randint(1, 3))]
        elif random.random() < 0.8 or event == project.event_names[0]:
            base.append((event, "", ""))
        for form in project.forms_of(event):
            if project.repeats(event, form):
                repeated += [(event, form, str(number)) for number in range(1, random.randint(1, 4))]
    return base + repeated


def _values(random: Random, project: Project, form: str, coded: list[str]) -> dict[str, str]:
    values = {}
    for field in project.dictionary.form_fields(form):
        for column in field.columns:
            if column == project.dictionary.record_id:
                continue
            if field.type == "checkbox":
                values[column] = random.choice("01")
            elif field.type in ("radio", "yesno", "slider", "sql"):
                values[column] = random.choice(["", "1", *project.missing_codes])
            elif field.type == "file":
                values[column] = random.choice(["", "[document]"])
            elif field.validation:
                values[column] = random.choice(["", "2001-02-03", *project.missing_codes])
            else:
                values[column] = random.choice(TEXTS) if random.random() < 0.6 else ""
        boxes = (
            [checkbox_column(field.name, code) for code in project.missing_codes] if field.type == "checkbox" else []
        )
        values |= {column: random.choice("01") for column in boxes if column in coded}
    return values | {f"{form}_complete": random.choice("012")}


def _users(random: Random, project: Project) -> list[dict[str, str]]:
    """Owner; a member of a group; one who may not see all values nor the log; one who may not see the set-up."""
    rights = {"data_access_groups": "1", "logging": "1", "design": "1", "api_export": "1"}
    forms = ",".join(f"{form}:{random.choice([0, 1, 2, 3])}" for form in project.dictionary.forms)
    return [
        {"username": "owner", **rights},
        {"username": "member", **rights, "data_access_group": "south" if project.dags else ""},
        {"username": "blind", **rights, "logging": "0", "data_access_groups": "0", "forms_export": forms},
        {"username": "designless", **rights, "design": "0", "logging": random.choice("01")},
    ]


def _fault(random: Random, project: Project) -> Fault:
    kind = random.choice(KINDS)
    columns = ["", *(column for form in project.dictionary.forms for column in project.dictionary.export_columns(form))]
    content = "record" if kind in CHANGES else random.choice(CONTENTS)
    times, after = random.choice([1, 1, 2, 5, None]), random.choice([0, 0, 1, 1, 2, 3, 4])
    if kind == "missing_row":
        times = 1  # a row of a repeating form that is in no answer at all cannot be known
    return Fault(
        kind,  # type: ignore[arg-type]
        content=content,
        times=times,
        after=after,
        more_than=random.choice([None, None, None, 0, 1]),
        status=random.choice([500, 502, 503, 504]),
        at=random.randint(0, 3000),
        column=random.choice(columns),
        record=random.choice(["", "1", "10"]),
    )
