"""Forms as PDF: blank ones, or with the values of a record."""

from __future__ import annotations

import io
from collections.abc import Iterator
from xml.sax.saxutils import escape

from metadata.dictionary import Field
from metadata.labels import plain_label
from metadata.records import EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT
from redcap_sandbox.answer import Answer
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.record_removal import visible_records
from redcap_sandbox.request import ApiError, ApiRequest
from redcap_sandbox.rights import NO_ACCESS

NOT_VALID = 'The value of the parameter "{}" is not valid'
NO_RECORD = 'The record "{}" does not exist'


def pdf_answer(served: SandboxProject, request: ApiRequest) -> Answer:
    """Return a PDF of one form or all, blank or with values: of one record, or of all with ``allRecords``.

    Forms without a value are left out with ``compactDisplay``. Raises ApiError (400) for a form, event or record that
    does not exist.
    """
    project, form, record = served.project, request.text("instrument"), request.text("record")
    if form and form not in project.dictionary.forms:
        raise ApiError(400, NOT_VALID.format("instrument"))
    event = request.text("event") if project.longitudinal else ""
    if event and event not in project.event_names:
        raise ApiError(400, NOT_VALID.format("event"))
    known = visible_records(served)
    if record and record not in known:
        raise ApiError(400, NO_RECORD.format(record))
    records = known if request.flag("allRecords") else [record] if record else []
    shown = [one for one in project.dictionary.forms if form in ("", one) and served.user.form_right(one) != NO_ACCESS]
    blocks = list(_of_records(served, request, shown, event, records) if records else _blank(served, shown))
    name = f"{form or 'all_forms'}.pdf"
    return Answer(200, _drawn(str(project.info.get("project_title", "")), blocks), f'application/pdf; name="{name}"')


Block = tuple[str, list[tuple[str, str]]]


def _title(served: SandboxProject, form: str) -> str:
    labels = {one["instrument_name"]: str(one["instrument_label"]) for one in served.project.instruments}
    return labels.get(form, form)


def _blank(served: SandboxProject, forms: list[str]) -> Iterator[Block]:
    for form in forms:
        fields = served.project.dictionary.form_fields(form)
        yield (
            _title(served, form),
            [(_label(one), " / ".join(map(plain_label, one.choices.values()))) for one in fields],
        )


def _label(field: Field) -> str:
    return plain_label(field.label) or field.name


def _of_records(
    served: SandboxProject, request: ApiRequest, forms: list[str], event: str, records: list[str]
) -> Iterator[Block]:
    project, frame = served.project, served.records.frame
    rows = frame[served.records.record.isin(records)]
    rows = rows[rows[EVENT] == event] if event else rows
    instance = request.text("repeat_instance")
    rows = rows[rows[REPEAT_INSTANCE].isin(["", instance])] if instance else rows
    for found in rows.to_dict("records"):
        row = {str(name): str(value) for name, value in found.items()}
        for form in forms:
            own = project.repeats(row[EVENT], form)
            if not project.designated(row[EVENT], form) or row[REPEAT_INSTRUMENT] != (form if own else ""):
                continue
            values = [
                (_label(one), _value(one, row))
                for one in project.dictionary.form_fields(form)
                if served.user.may_export(one)
            ]
            if any(value for _, value in values) or not request.flag("compactDisplay"):
                parts = [row[project.dictionary.record_id], row[EVENT], row[REPEAT_INSTANCE], _title(served, form)]
                yield " · ".join(part for part in parts if part), values


def _value(field: Field, row: dict[str, str]) -> str:
    if field.type == "checkbox":
        ticked = zip(field.columns, field.choices.values(), strict=True)
        return ", ".join(plain_label(label) for column, label in ticked if row.get(column) == "1")
    stored = row.get(field.name, "")
    return plain_label(field.choices[stored]) if stored in field.choices else stored


def _drawn(title: str, blocks: list[Block]) -> bytes:
    """Return the document; the same blocks always give the same bytes."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    styles, file = getSampleStyleSheet(), io.BytesIO()
    parts = [Paragraph(escape(title), styles["Title"])]
    for heading, lines in blocks:
        parts.append(Paragraph(escape(heading), styles["Heading2"]))
        parts += [Paragraph(f"{escape(label)}: <b>{escape(value)}</b>", styles["Normal"]) for label, value in lines]
    SimpleDocTemplate(file, title=title, invariant=1).build(parts)
    return file.getvalue()
