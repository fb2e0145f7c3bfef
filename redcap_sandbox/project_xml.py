"""A project as REDCap's XML: CDISC ODM 1.3.1 with REDCap's extensions, and line breaks raw inside attributes."""

from __future__ import annotations

import dataclasses
import html
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from metadata.dictionary import Field, checkbox_column
from metadata.labels import plain_label
from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT
from redcap_sandbox.file_store import FilePlace, StoredFile
from redcap_sandbox.project import Report
from redcap_sandbox.role_attributes import written_role

NAMESPACES = (
    'xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:redcap="https://projectredcap.org"'
)
FIELD_TYPES = {"dropdown": "select", "notes": "textarea"}
VALIDATIONS = {"number": "float", "integer": "int"}
STATUS = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
BOX = {"1": "Checked", "0": "Unchecked"}
CLASSIC_EVENT = "event_1_arm_1"
SETTINGS = {
    "RecordAutonumberingEnabled": "record_autonumbering_enabled",
    "CustomRecordLabel": "custom_record_label",
    "SecondaryUniqueField": "secondary_unique_field",
    "SchedulingEnabled": "scheduling_enabled",
    "SurveysEnabled": "surveys_enabled",
    "Purpose": "purpose",
    "PurposeOther": "purpose_other",
    "ProjectNotes": "project_notes",
}


@dataclass(frozen=True)
class ProjectExtras:
    """The roles, surveys and reports of a project, and the files that its XML includes."""

    roles: tuple[Mapping[str, str], ...] = ()
    surveys: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    files: Mapping[FilePlace, StoredFile] = dataclasses.field(default_factory=dict)


def project_xml(
    project: Project, records: pd.DataFrame | None, version: str, extras: ProjectExtras | None = None
) -> str:
    """Return the whole document; without ``records``, a flat export, the metadata alone."""
    beside = extras or ProjectExtras()
    title, oid = _names(project)
    parts = [
        *_head(title, version),
        f'<Study OID="Project.{oid}">',
        *_globals(project, title, beside),
        f"<MetaDataVersion{_given(OID=f'Metadata.{oid}', Name=title)} {_record_id(project)}>",
        *_events(project),
        *_forms(project, beside.surveys),
        *_items(project),
        *_survey_items(beside.surveys),
        "</MetaDataVersion>\n</Study>",
    ]
    if records is not None:
        parts += _clinical_data(project, records, oid, beside)
    return "\n".join([*parts, "</ODM>"])


def records_xml(project: Project, records: pd.DataFrame, version: str) -> str:
    """Return a document with the records only, as the export of records in the format odm has it."""
    title, oid = _names(project)
    return "\n".join([*_head(title, version), *_clinical_data(project, records, oid, ProjectExtras()), "</ODM>"])


def _names(project: Project) -> tuple[str, str]:
    title = str(project.info.get("project_title") or "Project")
    return title, "".join(letter for letter in title if letter.isalnum())[:30]


def _head(title: str, version: str) -> list[str]:
    head = f'<ODM {NAMESPACES} ODMVersion="1.3.1" FileOID="000-00-0000" FileType="Snapshot"{_given(Description=title)}'
    return ['<?xml version="1.0" encoding="UTF-8" ?>', f'{head} SourceSystem="REDCap" SourceSystemVersion="{version}">']


def _clinical_data(project: Project, records: pd.DataFrame, oid: str, beside: ProjectExtras) -> Iterator[str]:
    yield f'<ClinicalData StudyOID="Project.{oid}" MetaDataVersionOID="Metadata.{oid}">'
    yield from _subjects(project, records, beside)
    yield "</ClinicalData>"


def _escaped(text: object) -> str:
    return html.escape(str(text), quote=True).replace("&#x27;", "&#039;")


def _given(**attributes: object) -> str:
    """Return the attributes that have a value; a name with REDCAP_ before it is one of REDCap's own."""
    named = {name.replace("REDCAP_", "redcap:"): value for name, value in attributes.items()}
    return "".join(f' {name}="{_escaped(value)}"' for name, value in named.items() if value != "")


def _record_id(project: Project) -> str:
    return f'redcap:RecordIdField="{project.dictionary.record_id}"'


def _globals(project: Project, title: str, beside: ProjectExtras) -> Iterator[str]:
    codes = "\n".join(f"{code}, {label}" for code, label in project.missing_codes.items())
    yield f"<GlobalVariables>\n<StudyName>{_escaped(title)}</StudyName>\n<ProtocolName>{_escaped(title)}</ProtocolName>"
    for tag, name in SETTINGS.items():
        yield f"<redcap:{tag}>{_escaped(project.info.get(name) or '')}</redcap:{tag}>"
    yield f"<redcap:MissingDataCodes>{_escaped(codes)}</redcap:MissingDataCodes>"
    if project.repeating:
        yield "<redcap:RepeatingInstrumentsAndEvents>\n<redcap:RepeatingInstruments>"
        for row in project.repeating:
            event, form = str(row.get("event_name") or CLASSIC_EVENT), str(row.get("form_name") or "")
            kind, label = ("Instrument" if form else "Event"), str(row.get("custom_form_label") or "")
            named = _given(REDCAP_UniqueEventName=event, REDCAP_RepeatInstrument=form, REDCAP_CustomLabel=label)
            yield f"<redcap:Repeating{kind}{named}/>"
        yield "</redcap:RepeatingInstruments>\n</redcap:RepeatingInstrumentsAndEvents>"
    if project.dags:
        yield "<redcap:DataAccessGroupsGroup>"
        yield from (
            f"<redcap:DataAccessGroups{_given(group_name=one['data_access_group_name'])}/>" for one in project.dags
        )
        yield "</redcap:DataAccessGroupsGroup>"
    yield from _group("UserRoles", (written_role(role) for role in beside.roles))
    yield from _group("Surveys", ({"form_name": form, "survey_enabled": "1"} for form in beside.surveys))
    yield from _group(
        "Reports",
        (
            {"title": one.title, "advanced_logic": one.logic, "redcap_reports_fields": ",".join(one.fields)}
            for one in beside.reports
        ),
    )
    yield "</GlobalVariables>"


def _group(kind: str, rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    listed = list(rows)
    if listed:
        yield f"<redcap:{kind}Group>"
        yield from ("<redcap:" + kind + _given(**row) + "/>" for row in listed)
        yield f"</redcap:{kind}Group>"


def _events(project: Project) -> Iterator[str]:
    if not project.longitudinal:
        return
    arms = {str(arm["arm_num"]): str(arm.get("name", "")) for arm in project.arms}
    yield "<Protocol>"
    for number, event in enumerate(project.event_names, start=1):
        yield f'<StudyEventRef StudyEventOID="Event.{event}" OrderNumber="{number}" Mandatory="No"/>'
    yield "</Protocol>"
    for one in project.events:
        name, arm = str(one["unique_event_name"]), str(one.get("arm_num", "1"))
        named = _given(Name=one["event_name"], Type="Common", Repeating="No", REDCAP_EventName=one["event_name"])
        placed = _given(REDCAP_UniqueEventName=name, REDCAP_ArmNum=arm, REDCAP_ArmName=arms.get(arm, ""))
        days = [one.get(name, "") for name in ("day_offset", "offset_min", "offset_max")]
        offsets = _given(REDCAP_DayOffset=days[0], REDCAP_OffsetMin=days[1], REDCAP_OffsetMax=days[2])
        yield f'<StudyEventDef OID="Event.{name}"{named}{placed}{offsets}>'
        for form in project.forms_of(name):
            yield f'<FormRef FormOID="Form.{form}" Mandatory="No" redcap:FormName="{form}"/>'
        yield "</StudyEventDef>"


def _forms(project: Project, surveys: tuple[str, ...]) -> Iterator[str]:
    labels = {str(one["instrument_name"]): str(one["instrument_label"]) for one in project.instruments}
    for form in project.dictionary.forms:
        name = labels.get(form, form)
        yield f'<FormDef OID="Form.{form}"{_given(Name=name)} Repeating="No" redcap:FormName="{form}">'
        yield f'<ItemGroupRef ItemGroupOID="{form}.items" Mandatory="No"/>'
        yield f'<ItemGroupRef ItemGroupOID="{form}.{form}_complete" Mandatory="No"/>\n</FormDef>'
    for form in project.dictionary.forms:
        yield f'<ItemGroupDef OID="{form}.items"{_given(Name=labels.get(form, form))} Repeating="No">'
        if form in surveys:
            yield f'<ItemRef ItemOID="{form}_timestamp" Mandatory="No" redcap:Variable="{form}_timestamp"/>'
        for field in project.dictionary.form_fields(form):
            for item in field.columns or (field.name,):
                yield f'<ItemRef ItemOID="{item}" Mandatory="No" redcap:Variable="{field.name}"/>'
        yield f'</ItemGroupDef>\n<ItemGroupDef OID="{form}.{form}_complete" Name="Form Status" Repeating="No">'
        yield f'<ItemRef ItemOID="{form}_complete" Mandatory="No" redcap:Variable="{form}_complete"/>\n</ItemGroupDef>'


def _items(project: Project) -> Iterator[str]:
    lists: list[str] = []
    for field in project.dictionary.fields.values():
        for item in field.columns or (field.name,):
            yield _item(field, item)
            if field.choices:
                lists += _code_list(field, item)
    for form in project.dictionary.forms:
        name = f"{form}_complete"
        attributes = _given(DataType="text", Length="1", REDCAP_Variable=name, REDCAP_FieldType="select")
        yield f'<ItemDef OID="{name}" Name="{name}"{attributes} redcap:SectionHeader="Form Status">'
        yield "<Question><TranslatedText>Complete?</TranslatedText></Question>"
        yield f'<CodeListRef CodeListOID="{name}.choices"/>\n</ItemDef>'
        lists += _listed(name, name, STATUS, "")
    yield from lists


def _survey_items(surveys: tuple[str, ...]) -> Iterator[str]:
    """Yield the times of surveys, which are items without a field type."""
    for form in surveys:
        name = f"{form}_timestamp"
        yield f'<ItemDef OID="{name}"{_given(Name=name, DataType="datetime", REDCAP_Variable=name)}>'
        yield "<Question><TranslatedText>Survey Timestamp</TranslatedText></Question>\n</ItemDef>"


def _item(field: Field, item: str) -> str:
    attributes = _given(
        Name=item, DataType="text", Length="999", REDCAP_Variable=field.name,
        REDCAP_FieldType=FIELD_TYPES.get(field.type, field.type),
        REDCAP_TextValidationType=VALIDATIONS.get(
            field.text_validation_type_or_show_slider_number, field.text_validation_type_or_show_slider_number
        ),
        REDCAP_SectionHeader=field.section_header, REDCAP_FieldNote=field.field_note,
        REDCAP_Identifier=field.identifier, REDCAP_RequiredField=field.required_field,
        REDCAP_BranchingLogic=field.branching_logic,
        REDCAP_Calculation=field.select_choices_or_calculations if field.type == "calc" else "",
        REDCAP_SliderLabels=field.select_choices_or_calculations if field.type == "slider" else "",
        REDCAP_CustomAlignment=field.custom_alignment, REDCAP_QuestionNumber=field.question_number,
        REDCAP_MatrixGroupName=field.matrix_group_name, REDCAP_MatrixRanking=field.matrix_ranking,
        REDCAP_FieldAnnotation=field.field_annotation,
    )  # fmt: skip
    label = plain_label(field.label)
    formatted = f"<redcap:FormattedTranslatedText>{_escaped(field.label)}</redcap:FormattedTranslatedText>"
    question = f"<TranslatedText>{_escaped(label)}</TranslatedText>{formatted if label != field.label else ''}"
    limits = _limit("GE", field.text_validation_min) + _limit("LE", field.text_validation_max)
    reference = f'<CodeListRef CodeListOID="{item}.choices"/>\n' if field.choices else ""
    return f'<ItemDef OID="{item}"{attributes}>\n<Question>{question}</Question>\n{limits}{reference}</ItemDef>'


def _limit(comparator: str, value: str) -> str:
    checked = f"<CheckValue>{_escaped(value)}</CheckValue>"
    return f'<RangeCheck Comparator="{comparator}" SoftHard="Soft">{checked}</RangeCheck>\n' if value else ""


def _code_list(field: Field, item: str) -> list[str]:
    if field.type == "checkbox":
        return _listed(item, field.name, BOX, field.select_choices_or_calculations)
    return _listed(item, field.name, field.choices, "")


def _listed(item: str, variable: str, choices: dict[str, str], boxes: str) -> list[str]:
    head = f'<CodeList OID="{item}.choices" Name="{item}" DataType="text" redcap:Variable="{variable}"'
    terms = [
        f"<CodeListItem{_given(CodedValue=code)}><Decode><TranslatedText>{_escaped(label)}</TranslatedText></Decode></CodeListItem>"
        for code, label in choices.items()
    ]
    return [f"{head}{_given(REDCAP_CheckboxChoices=boxes)}>", *terms, "</CodeList>"]


def _subjects(project: Project, records: pd.DataFrame, beside: ProjectExtras) -> Iterator[str]:
    """Yield each record with the values of its forms. Forms without values are left out, as in REDCap's XML."""
    keyed = records.reindex(
        columns=list(dict.fromkeys([*records.columns, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE])), fill_value=""
    )
    for record, rows in keyed.groupby(project.dictionary.record_id, sort=False):
        yield f"<SubjectData{_given(SubjectKey=record)} {_record_id(project)}>"
        for number, row in enumerate(rows.to_dict("records")):
            once = {ACCESS_GROUP: ""} if number else {}
            yield from _row(project, {str(name): str(value) for name, value in row.items()} | once, beside)
        yield "</SubjectData>"


def _row(project: Project, row: dict[str, str], beside: ProjectExtras) -> Iterator[str]:
    event, instrument, instance = row[EVENT], row[REPEAT_INSTRUMENT], row[REPEAT_INSTANCE] or "1"
    whole = "1" if instrument else instance
    forms = [instrument] if instrument else project.forms_of(event)
    if project.longitudinal:
        named = _given(StudyEventOID=f"Event.{event}", StudyEventRepeatKey=whole, REDCAP_UniqueEventName=event)
        yield f"<StudyEventData{named}>"
    for form in forms:
        cells = list(_cells(project, form, row))
        if cells:
            yield f'<FormData FormOID="Form.{form}" FormRepeatKey="{instance if instrument else "1"}">'
            yield f'<ItemGroupData ItemGroupOID="{form}.items" ItemGroupRepeatKey="1">'
            stamp = row.get(f"{form}_timestamp", "") if form in beside.surveys else ""
            yield from ([f'<ItemData ItemOID="{form}_timestamp" Value="{_escaped(stamp)}"/>'] if stamp else [])
            place = FilePlace(row[project.dictionary.record_id], event, instrument, row[REPEAT_INSTANCE], "")
            yield from (_cell(name, value, beside.files.get(place._replace(field=name))) for name, value in cells)
            yield "</ItemGroupData>\n</FormData>"
    if project.longitudinal:
        yield "</StudyEventData>"


def _cell(name: str, value: str, file: StoredFile | None) -> str:
    """Return a stored value; a file with its content where it is at hand."""
    if file is None:
        return f'<ItemData{_given(ItemOID=name)} Value="{_escaped(value)}"/>'
    named = _given(ItemOID=name, REDCAP_DocName=file.name, REDCAP_MimeType=file.media)
    return f"<ItemDataBase64Binary{named}><![CDATA[{b64encode(file.content).decode()}]]></ItemDataBase64Binary>"


def _cells(project: Project, form: str, row: dict[str, str]) -> Iterable[tuple[str, str]]:
    """Return the items of a form that has any value; the first form also has the record's name."""
    dictionary = project.dictionary
    boxes = [box for one in dictionary.form_fields(form) if one.type == "checkbox" for box in _boxes(project, one)]
    listed = dict.fromkeys([*dictionary.export_columns(form), *boxes])
    own = [name for name in listed if row.get(name, "") != "" and name != dictionary.record_id]
    touched = [name for name in own if row[name] != "0" or name not in (*boxes, f"{form}_complete")]
    named = form == dictionary.forms[0] and not row[REPEAT_INSTRUMENT]
    if not touched and not named:
        return []
    keys = [dictionary.record_id, ACCESS_GROUP] if named else [ACCESS_GROUP]
    cells = {name: row.get(name, "") for name in [*keys, *own]}
    return [(name, value) for name, value in cells.items() if value != ""]


def _boxes(project: Project, field: Field) -> tuple[str, ...]:
    return tuple(checkbox_column(field.name, code) for code in {**field.choices, **project.missing_codes})
