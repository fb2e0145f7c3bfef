"""What a reference of an expression means in a project, and what is wrong with it whatever the records are."""

from __future__ import annotations

from metadata.dictionary import Field, checkbox_column
from metadata.errors import nearest
from metadata.expression import EVENT_NAME, Reference
from metadata.project import Project
from metadata.smart_variables import AGGREGATES, ALL, EVENTS, NOT_IN_DATA


def referred_field(project: Project, reference: Reference) -> Field:
    """Return the field of a reference; raises LookupError with the nearest name if there is none."""
    fields = project.dictionary.fields
    if reference.name not in fields:
        raise LookupError(f"the dictionary has no field '{reference.name}'{nearest(reference.name, fields)}")
    return fields[reference.name]


def export_column(project: Project, field: Field, reference: Reference) -> str:
    """Return the export column of a reference; raises LookupError if it has no value or names no option."""
    if field.type == "descriptive":
        raise LookupError(f"the field '{field.name}' is descriptive and has no value")
    if (field.type == "checkbox") != (reference.code is not None):
        wanted = f"[{field.name}(code)]" if field.type == "checkbox" else f"[{field.name}]"
        raise LookupError(f"expected {wanted} but found {reference}")
    if reference.code is None:
        return field.name
    codes = {**field.choices, **project.missing_codes}
    if reference.code not in codes:
        raise LookupError(f"the checkbox '{field.name}' has no code '{reference.code}'{nearest(reference.code, codes)}")
    return checkbox_column(field.name, reference.code)


def check_event(project: Project, field: Field, event: str) -> None:
    """Raise LookupError unless the project has the event, and the field's form is in it."""
    if event not in project.event_names:
        raise LookupError(f"the project has no event '{event}'{nearest(event, project.event_names)}")
    if not project.designated(event, field.form):
        raise LookupError(f"the form '{field.form}' of field '{field.name}' is not in event '{event}'")


def check_one_instance(project: Project, field: Field, event: str) -> None:
    """Raise LookupError unless the field has exactly one value in the event of a record."""
    refuse_repeating(project, field, event)
    if project.event_repeats(event):
        raise LookupError(f"event '{event}' repeats, and which instance of it is meant is not said")


def refuse_repeating(project: Project, field: Field, event: str) -> None:
    """Raise LookupError if the field's form repeats in the event, so that one instance would have to be named."""
    if project.repeats(event, field.form):
        raise LookupError(f"the form '{field.form}' of field '{field.name}' repeats, and which instance is not said")


def check_option(field: Field, reference: Reference) -> None:
    """Raise LookupError if what follows the colon is not for fields of this type."""
    of_boxes = reference.option in ("checked", "unchecked")
    if of_boxes and (field.type != "checkbox" or reference.code is not None):
        raise LookupError(f"':{reference.option}' is for a whole checkbox, which '{field.name}' is not here")
    if reference.option == "label" and not field.choices:
        raise LookupError(f"':label' is for a field with choices, and '{field.name}' has none")


def check_reference(project: Project, reference: Reference) -> None:
    """Raise LookupError for what is wrong with a reference whatever the records are."""
    if reference.is_smart:
        check_smart(project, reference)
        return
    field = referred_field(project, reference)
    check_option(field, reference)
    if reference.option not in ("checked", "unchecked"):
        export_column(project, field, reference)
    if reference.event is not None and "-" not in reference.event:
        check_event(project, field, reference.event)
        if reference.instance is None:
            check_one_instance(project, field, reference.event)
    elif reference.event not in (None, EVENT_NAME, *EVENTS):
        raise LookupError(f"'[{reference.event}]' is no event{nearest(str(reference.event), [EVENT_NAME, *EVENTS])}")


def check_smart(project: Project, reference: Reference) -> None:
    """Raise LookupError for a smart variable that does not exist, or that the data do not decide."""
    name = reference.name
    if name not in ALL:
        raise LookupError(f"there is no smart variable '[{name}]'{nearest(name, ALL)}")
    if name in NOT_IN_DATA:
        raise LookupError(f"what the smart variable '[{name}]' is, the data do not say")
    if name in AGGREGATES:
        for field in aggregated_fields(reference):
            referred_field(project, Reference(field))
    elif reference.option is not None or (reference.event, reference.instance) != (None, None):
        raise LookupError(f"expected [{name}] but found {reference}")


def aggregated_fields(reference: Reference) -> list[str]:
    """Return the fields of ``[aggregate-mean:a,b]``; raises LookupError for further parameters, and for none."""
    names, *more = (reference.option or "").split(":")
    fields = [name.strip() for name in names.split(",") if name.strip()]
    if more or not fields:
        raise LookupError(f"expected [{reference.name}:field] but found {reference}: only fields are read here")
    return fields
