"""A REDCap project's structure: dictionary, events, instruments, the events of each form and what repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from metadata.dictionary import (
    FIELD_ATTRIBUTES,
    FIELD_COLUMNS,
    Dictionary,
    api_headers,
    checkbox_column,
    parse_choices,
)
from metadata.errors import Gather, StudyError, nearest
from metadata.redcap_csv import UTF_8, check_columns, read_rows

STRUCTURE_FILES = ("instruments", "arms", "events", "form_event_mapping", "repeating", "dags")
COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "project_info": ((), ("is_longitudinal", "missing_data_codes", "project_id", "project_title")),
    "instruments": (("instrument_name",), ("instrument_label",)),
    "arms": (("arm_num",), ("name",)),
    "events": (("unique_event_name",), ("event_name", "arm_num", "event_id")),
    "form_event_mapping": (("unique_event_name", "form"), ("arm_num",)),
    "repeating": (("form_name",), ("event_name", "custom_form_label")),
    "dags": (("unique_group_name",), ("data_access_group_name", "data_access_group_id")),
}
"""What we read of each structure file: columns that must be there, and columns that a version of REDCap may lack.

REDCap adds columns from version to version: those that we do not know are passed over, unless one of ours is missing
whose name is nearly the same.
"""


INFORMATION = (
    *("creation_time", "production_time", "in_production", "project_language", "purpose", "purpose_other"),
    *("project_notes", "custom_record_label", "secondary_unique_field", "has_repeating_instruments_or_events"),
    *("surveys_enabled", "scheduling_enabled", "record_autonumbering_enabled", "randomization_enabled", "ddp_enabled"),
    *("project_irb_number", "project_grant_number", "project_pi_firstname", "project_pi_lastname"),
    *("display_today_now_button", "external_modules", "bypass_branching_erase_field_prompt", "mycap_enabled"),
    *("data_resolution_workflow_enabled", "project_pi_mi", "project_pi_email"),
)
"""Further columns of REDCap's project information."""


def is_set(value: object) -> bool:
    """Return True for REDCap's flags: 1, "1" and true."""
    return str(value).strip().lower() in ("1", "true")


def _labelled(rows: Sequence[Mapping[str, Any]], name: str, label: str) -> list[dict[str, Any]]:
    """Return rows with a label each: their name where the payload has no column of labels."""
    return [{label: row[name], **row} for row in rows]


def _columns(payload: Any, needed: Sequence[str]) -> list[str]:
    """Return the columns of a payload; one without rows has none that could be wrong."""
    return list(payload if isinstance(payload, dict) else payload[0] if payload else needed)


def _check_information(columns: Sequence[str], file: str) -> None:
    """Raise StudyError for a changed name of a column that we read: one of REDCap's is missing, another is unknown."""
    ours = COLUMNS["project_info"][1]
    lost = next((name for name in ours if name not in columns), None)
    for name in columns if lost else ():
        if name not in (*ours, *INFORMATION):
            near = nearest(name, [one for one in ours if one not in columns])
            raise StudyError(f"unknown column '{name}'{near or f'; {lost} is missing'}", file, 1)


def _check_events(payloads: Mapping[str, Any], shown: Mapping[str, str]) -> None:
    """Raise StudyError for an event in two rows, and for events of which it is not said whether they are used."""
    file, names = shown.get("events", "events"), [row["unique_event_name"] for row in payloads.get("events") or []]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise StudyError(f"the event '{twice}' is in two rows", file, key="unique_event_name")
    if names and "is_longitudinal" not in _columns(payloads["project_info"], ()):
        raise StudyError("the column 'is_longitudinal' is missing", shown.get("project_info", "project_info"), 1)


@dataclass(frozen=True)
class Project:
    """The structure of one project, under REDCap's own names.

    ``form_events`` has arm_num, unique_event_name, form; ``repeating`` has event_name, form_name (blank if the whole
    event repeats) and custom_form_label. A classic project has no events, and its event name is an empty text.
    ``sources`` are the forms whose rows come from files beside REDCap (``metadata.other_sources``), each with its file,
    ``once`` those that have at most one row a subject.
    """

    dictionary: Dictionary
    info: dict[str, Any]
    instruments: list[dict[str, Any]]
    arms: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    form_events: list[dict[str, Any]] = field(default_factory=list)
    repeating: list[dict[str, Any]] = field(default_factory=list)
    dags: list[dict[str, Any]] = field(default_factory=list)
    sources: Mapping[str, str] = field(default_factory=dict)
    once: frozenset[str] = frozenset()

    @classmethod
    def read(cls, folder: Path, encoding: str = UTF_8, shown: str | None = None) -> Project:
        """Read the structure files of an exported project; events, arms, DAGs and repeating set-up may be absent.

        ``shown`` is the name that errors give the folder.
        """
        names = {name: f"{shown or folder}/{name}.csv" for name in (*STRUCTURE_FILES, "project_info", "dictionary")}
        present = [name for name in names if name not in STRUCTURE_FILES or (folder / f"{name}.csv").is_file()]
        payloads: dict[str, Any] = {}
        with Gather() as gather:
            for name in present:
                with gather.part():
                    payloads[name] = read_rows(folder / f"{name}.csv", encoding, names[name])
                    if name == "instruments" and not payloads[name]:
                        raise StudyError("the file has no row: every project has instruments", names[name])
                    if name == "project_info" and len(payloads[name]) != 1:
                        problem = "more than one row" if payloads[name] else "no row"
                        raise StudyError(f"the file has {problem}: it describes the project in one", names[name])
                    if name == "project_info":
                        _check_information(list(payloads[name][0]), names[name])
                    if name == "dictionary" and payloads[name]:
                        check_columns(api_headers(payloads[name][0]), FIELD_COLUMNS, (), names[name], FIELD_ATTRIBUTES)
        return cls.from_payloads(payloads, names)

    @classmethod
    def from_payloads(cls, payloads: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Project:
        """Build from what the API answered, by name: dictionary, project_info, instruments, arms, events, ...

        ``names`` are what errors call the payloads. Raises StudyError for a payload without a column that is needed.
        """
        shown = {"dictionary": "dictionary", **(names or {})}
        with Gather() as gather:
            for name, (needed, further) in COLUMNS.items():
                with gather.part():
                    check_columns(_columns(payloads.get(name), needed), needed, further, shown.get(name, name))
        _check_events(payloads, shown)
        info = payloads["project_info"]
        dictionary = Dictionary.from_rows(payloads["dictionary"], shown["dictionary"])
        instruments = payloads.get("instruments") or [{"instrument_name": form} for form in dictionary.forms]
        return cls(
            dictionary=dictionary,
            info=dict(info[0] if isinstance(info, list) else info),
            instruments=_labelled(instruments, "instrument_name", "instrument_label"),
            arms=list(payloads.get("arms") or []),
            events=_labelled(payloads.get("events") or [], "unique_event_name", "event_name"),
            form_events=list(payloads.get("form_event_mapping") or []),
            repeating=list(payloads.get("repeating") or []),
            dags=_labelled(payloads.get("dags") or [], "unique_group_name", "data_access_group_name"),
        )

    @cached_property
    def longitudinal(self) -> bool:
        """True if the project has events."""
        return is_set(self.info.get("is_longitudinal", 0))

    @cached_property
    def missing_codes(self) -> dict[str, str]:
        """The project's missing-data codes and their labels."""
        return parse_choices(str(self.info.get("missing_data_codes") or ""))

    @cached_property
    def missing_code_columns(self) -> dict[str, str]:
        """The columns that missing-data codes add to checkboxes, each with its field; exported where one is in use."""
        boxes = [one.name for one in self.dictionary.fields.values() if one.type == "checkbox"]
        owners = {checkbox_column(name, code): name for name in boxes for code in self.missing_codes}
        return {column: name for column, name in owners.items() if column not in self.dictionary.column_field}

    @cached_property
    def event_names(self) -> list[str]:
        """Unique event names in the project's order; one empty text for a classic project."""
        return [event["unique_event_name"] for event in self.events] if self.longitudinal else [""]

    @cached_property
    def _designated(self) -> dict[str, list[str]]:
        if not self.longitudinal:
            return {"": list(self.dictionary.forms)}
        pairs: dict[str, set[str]] = {}
        for row in self.form_events:
            pairs.setdefault(row["unique_event_name"], set()).add(row["form"])
        order = self.dictionary.forms
        return {event: [form for form in order if form in pairs.get(event, ())] for event in self.event_names}

    def forms_of(self, event: str) -> list[str]:
        """Return the instruments designated for an event, in the dictionary's order."""
        return self._designated.get(event, [])

    def designated(self, event: str, form: str) -> bool:
        """Return True if the form is designated for the event."""
        return form in self._designated.get(event, ())

    @cached_property
    def _repeating_pairs(self) -> set[tuple[str, str]]:
        return {(str(row.get("event_name") or ""), str(row.get("form_name") or "")) for row in self.repeating}

    def repeats(self, event: str, form: str) -> bool:
        """Return True if the form repeats on its own in the event."""
        return (event if self.longitudinal else "", form) in self._repeating_pairs

    @cached_property
    def repeating_forms(self) -> set[str]:
        """The forms that repeat on their own, or are in an event that repeats as a whole, somewhere."""
        of_events = {form for event, name in self._repeating_pairs if not name for form in self.forms_of(event)}
        return {name for _, name in self._repeating_pairs if name} | of_events

    def in_different_arms(self, events: Sequence[str]) -> bool:
        """Return True if no two of the events are of the same arm: a record, being in one arm, has one of them."""
        arms = [self.arm_of_event.get(event) for event in events]
        return None not in arms and len(set(arms)) == len(arms)

    @cached_property
    def arm_of_event(self) -> dict[str, str]:
        """The number of the arm that each event is of, as a text; of a classic project there is none."""
        return {str(event["unique_event_name"]): str(event["arm_num"]) for event in self.events if "arm_num" in event}

    @cached_property
    def arm_names(self) -> dict[str, str]:
        """The names of the arms that have events, by number, in the project's order."""
        known = {str(arm["arm_num"]): str(arm.get("name") or "") for arm in self.arms if "arm_num" in arm}
        return {number: known.get(number) or f"Arm {number}" for number in dict.fromkeys(self.arm_of_event.values())}

    def event_repeats(self, event: str) -> bool:
        """Return True if the whole event repeats."""
        return self.longitudinal and (event, "") in self._repeating_pairs

    @cached_property
    def has_repeating(self) -> bool:
        """True if anything repeats, so that exports have the two repeat columns."""
        return bool(self._repeating_pairs)
