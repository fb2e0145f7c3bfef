"""The structure of a project from its XML, as the API's payloads have it.

The XML has no ids of project and events, and data access groups by their names only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import normalize

from lxml import etree

from extract.odm.document import ODM, REDCAP, redcap, text_of
from metadata.errors import StudyError

FIELD_TYPES = {"select": "dropdown", "textarea": "notes"}
VALIDATIONS = {"float": "number", "int": "integer"}
LONGEST_GROUP = 18
INFORMATION = {
    "project_title": f"{ODM}StudyName",
    "project_notes": f"{REDCAP}ProjectNotes",
    "custom_record_label": f"{REDCAP}CustomRecordLabel",
    "secondary_unique_field": f"{REDCAP}SecondaryUniqueField",
    "surveys_enabled": f"{REDCAP}SurveysEnabled",
    "scheduling_enabled": f"{REDCAP}SchedulingEnabled",
    "record_autonumbering_enabled": f"{REDCAP}RecordAutonumberingEnabled",
    "purpose": f"{REDCAP}Purpose",
    "purpose_other": f"{REDCAP}PurposeOther",
}
Payload = list[dict[str, str]]


def structure_of(root: etree._Element, path: str | Path) -> dict[str, Any] | None:
    """Return the payloads by their names, or None if the file has data only.

    Raises StudyError if the description of the project lacks what it refers to.
    """
    study = root.find(f"{ODM}Study")
    version = None if study is None else study.find(f"{ODM}MetaDataVersion")
    if study is None or version is None:
        return None
    events = version.findall(f"{ODM}StudyEventDef")
    made: dict[str, Any] = {
        "dictionary": _dictionary(version, path),
        "project_info": [_information(study, bool(events))],
        "instruments": [
            {"instrument_name": redcap(form, "FormName"), "instrument_label": str(form.get("Name") or "")}
            for form in version.findall(f"{ODM}FormDef")
        ],
        "repeating": _repeating(study, bool(events)),
        "dags": _groups(study),
    }
    if events:
        made |= {"arms": _arms(events), "events": _events(events), "form_event_mapping": _form_events(events)}
    return {name: payload for name, payload in made.items() if payload}


def _information(study: etree._Element, longitudinal: bool) -> dict[str, str]:
    about = study.find(f"{ODM}GlobalVariables")
    found = {} if about is None else {name: text_of(about.find(tag)) for name, tag in INFORMATION.items()}
    codes = "" if about is None else text_of(about.find(f"{REDCAP}MissingDataCodes"))
    written = " | ".join(line.strip() for line in codes.splitlines() if line.strip())
    repeats = study.find(f".//{REDCAP}RepeatingInstrumentsAndEvents") is not None
    flags = {"is_longitudinal": longitudinal, "has_repeating_instruments_or_events": repeats}
    return {
        **found,
        "project_id": "",
        "missing_data_codes": written,
        **{name: str(int(flag)) for name, flag in flags.items()},
    }


def _repeating(study: etree._Element, longitudinal: bool) -> Payload:
    """Return what repeats; a classic project, which the XML gives an event, has none."""
    rows = [
        {
            "event_name": redcap(one, "UniqueEventName") if longitudinal else "",
            "form_name": redcap(one, "RepeatInstrument"),
            "custom_form_label": redcap(one, "CustomLabel"),
        }
        for one in study.iter(f"{REDCAP}RepeatingInstrument", f"{REDCAP}RepeatingEvent")
    ]
    return [dict(row) for row in dict.fromkeys(tuple(row.items()) for row in rows)]


def _groups(study: etree._Element) -> Payload:
    """Return the data access groups with the unique names that REDCap makes of their names."""
    made: Payload = []
    for one in study.iter(f"{REDCAP}DataAccessGroups"):
        name = str(one.get("group_name") or "")
        plain = normalize("NFKD", name.lower().strip()).replace(" ", "_")
        unique = re.sub(r"[^a-z0-9_]", "", plain)[:LONGEST_GROUP]
        taken = [group["unique_group_name"] for group in made]
        made.append({"data_access_group_name": name, "unique_group_name": unique + "b" * (unique in taken)})
    return made


def _arms(events: list[etree._Element]) -> Payload:
    named = dict.fromkeys((redcap(event, "ArmNum"), redcap(event, "ArmName")) for event in events)
    return [{"arm_num": number, "name": name} for number, name in named]


def _events(events: list[etree._Element]) -> Payload:
    return [
        {
            "event_name": redcap(event, "EventName"),
            "arm_num": redcap(event, "ArmNum"),
            "day_offset": redcap(event, "DayOffset"),
            "offset_min": redcap(event, "OffsetMin"),
            "offset_max": redcap(event, "OffsetMax"),
            "unique_event_name": redcap(event, "UniqueEventName"),
        }
        for event in events
    ]


def _form_events(events: list[etree._Element]) -> Payload:
    return [
        {
            "arm_num": redcap(event, "ArmNum"),
            "unique_event_name": redcap(event, "UniqueEventName"),
            "form": redcap(form, "FormName"),
        }
        for event in events
        for form in event.findall(f"{ODM}FormRef")
    ]


def _dictionary(version: etree._Element, path: str | Path) -> Payload:
    """Return a row a field in the order of the forms; the options of a checkbox are one field."""
    items = {str(item.get("OID")): item for item in version.findall(f"{ODM}ItemDef")}
    lists = {str(one.get("OID")): one for one in version.findall(f"{ODM}CodeList")}
    rows: dict[str, dict[str, str]] = {}
    for form, item_id in _item_order(version):
        if item_id not in items:
            raise StudyError(f"the item '{item_id}' of the form '{form}' is not defined", path)
        item = items[item_id]
        name, kind = redcap(item, "Variable"), redcap(item, "FieldType")
        if kind and name != f"{form}_complete" and name not in rows:
            rows[name] = _field(item, form, lists)
    return list(rows.values())


def _item_order(version: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield form and item as the forms show them."""
    groups = {str(one.get("OID")): one for one in version.findall(f"{ODM}ItemGroupDef")}
    for form in version.findall(f"{ODM}FormDef"):
        for group in form.findall(f"{ODM}ItemGroupRef"):
            for item in groups[str(group.get("ItemGroupOID"))].findall(f"{ODM}ItemRef"):
                yield redcap(form, "FormName"), str(item.get("ItemOID"))


def _field(item: etree._Element, form: str, lists: dict[str, etree._Element]) -> dict[str, str]:
    kind = redcap(item, "FieldType")
    validation = redcap(item, "TextValidationType")
    return {
        "field_name": redcap(item, "Variable"),
        "form_name": form,
        "section_header": redcap(item, "SectionHeader"),
        "field_type": FIELD_TYPES.get(kind, kind),
        "field_label": _label(item),
        "select_choices_or_calculations": _choices(item, kind, lists),
        "field_note": redcap(item, "FieldNote"),
        "text_validation_type_or_show_slider_number": VALIDATIONS.get(validation, validation),
        "text_validation_min": _limit(item, "GE"),
        "text_validation_max": _limit(item, "LE"),
        "identifier": redcap(item, "Identifier"),
        "branching_logic": redcap(item, "BranchingLogic"),
        "required_field": redcap(item, "RequiredField"),
        "custom_alignment": redcap(item, "CustomAlignment"),
        "question_number": redcap(item, "QuestionNumber"),
        "matrix_group_name": redcap(item, "MatrixGroupName"),
        "matrix_ranking": redcap(item, "MatrixRanking"),
        "field_annotation": redcap(item, "FieldAnnotation"),
    }


def _label(item: etree._Element) -> str:
    """Return the label, with its formatting where it has any."""
    formatted = item.find(f"{ODM}Question/{REDCAP}FormattedTranslatedText")
    return text_of(formatted if formatted is not None else item.find(f"{ODM}Question/{ODM}TranslatedText"))


def _choices(item: etree._Element, kind: str, lists: dict[str, etree._Element]) -> str:
    """Return choices, calculation or slider labels; yes-no and true-false fields have none in the dictionary."""
    if kind == "calc":
        return redcap(item, "Calculation")
    if kind == "slider":
        return redcap(item, "SliderLabels")
    reference = item.find(f"{ODM}CodeListRef")
    listed = None if reference is None else lists.get(str(reference.get("CodeListOID")))
    if kind in ("yesno", "truefalse") or listed is None:
        return ""
    if kind == "checkbox":
        return redcap(listed, "CheckboxChoices")
    pairs = [
        (one.get("CodedValue"), text_of(one.find(f"{ODM}Decode/{ODM}TranslatedText")))
        for one in listed.findall(f"{ODM}CodeListItem")
    ]
    return " | ".join(f"{code}, {label}" for code, label in pairs)


def _limit(item: etree._Element, comparator: str) -> str:
    for one in item.findall(f"{ODM}RangeCheck"):
        if one.get("Comparator") == comparator:
            return text_of(one.find(f"{ODM}CheckValue"))
    return ""
