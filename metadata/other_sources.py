"""Files beside REDCap as forms of the project: a row is an instance of a repeating form, its key the instance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from metadata.dictionary import Dictionary, Field
from metadata.errors import Gather, StudyError, nearest
from metadata.project import Project
from metadata.study_declaration import OtherSource, SourceField, StudyFile
from metadata.yaml_source import complain

FOLDER = "sources"
"""The folder of a study that no package names the files of: the snapshot's id covers what is read of them."""
NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
VALIDATION = {
    "text": "",
    "integer": "integer",
    "number": "number",
    "date": "date_ymd",
    "datetime": "datetime_ymd",
    "time": "time",
}
"""REDCap's validation of each kind."""
UNKNOWN_SUBJECT, UNKNOWN_VISIT = "source.unknown_subject", "source.unknown_visit"
"""Rules of the queries on rows that have no place in the records."""
ROW = "#row"
"""The column of the table of a source that numbers the rows of its file; the header is row 1."""


def with_sources(project: Project, sources: Mapping[str, OtherSource]) -> Project:
    """Return the project with a form for each source; raises StudyError for names that it has already."""
    if not sources:
        return project
    dictionary = project.dictionary
    with Gather() as gather:
        for form, source in sources.items():
            for name in (form, *source.fields):
                with gather.part():
                    _check_name(name, form, source, project)
    fields = [_field(form, name, one) for form, source in sources.items() for name, one in source.fields.items()]
    events = [(form, event) for form, source in sources.items() for event in events_of(source)]
    return replace(
        project,
        dictionary=Dictionary([*dictionary.fields.values(), *fields]),
        instruments=[
            *project.instruments,
            *({"instrument_name": form, "instrument_label": source.label} for form, source in sources.items()),
        ],
        form_events=[*project.form_events, *({"unique_event_name": event, "form": form} for form, event in events)],
        repeating=[*project.repeating, *({"event_name": event, "form_name": form} for form, event in events)],
        sources={form: source.file for form, source in sources.items()},
        once=frozenset(form for form, source in sources.items() if source.key == (source.subject,)),
    )


def _check_name(name: str, form: str, source: OtherSource, project: Project) -> None:
    if not NAME.fullmatch(name):
        raise complain(source.node, "fields", f"'{name}' is not a name: small letters, digits and _, a letter first")
    if name == form and form in project.dictionary.forms:
        raise complain(source.node, None, f"the project has a form '{form}': give the source another name")
    if name != form and name in project.dictionary.column_field:
        raise complain(source.node, "fields", f"the project has a field '{name}': give this one another name")


def events_of(source: OtherSource) -> list[str]:
    """Return the events that rows of a source may be of; one empty text for a project without events."""
    return list(dict.fromkeys(source.visit.events.values())) if source.visit else [source.event]


def _field(form: str, name: str, declared: SourceField) -> Field:
    return Field(
        name,
        form,
        field_type="dropdown" if declared.choices else "text",
        field_label=declared.label,
        select_choices_or_calculations=" | ".join(f"{code}, {text}" for code, text in (declared.choices or {}).items()),
        text_validation_type_or_show_slider_number=VALIDATION[declared.kind],
        identifier="y" if declared.identifier else "",
    )


def check_sources(declared: StudyFile, project: Project) -> Iterator[StudyError]:
    """Yield what is wrong with the declared sources, held against the project (REDCap's own part is enough)."""
    yield from _wrong_blinding(declared)
    taken: dict[str, str] = {}
    for form, source in (declared.sources or {}).items():
        yield from _wrong_places(source, project)
        yield from _wrong_columns(source)
        subject = source.subject_field or (declared.identity.subject if declared.identity else "")
        if subject not in project.dictionary.fields:
            near = nearest(subject, project.dictionary.fields)
            yield complain(source.node, "subject_field", f"the dictionary has no field '{subject}'{near}")
        for name in source.fields:
            if name in taken:
                yield complain(source.node, "fields", f"the field '{name}' is one of '{taken[name]}' too")
            taken[name] = form


def _wrong_blinding(declared: StudyFile) -> Iterator[StudyError]:
    blinding, sources = declared.blinding, declared.sources or {}
    if blinding is None:
        return
    if blinding.list_ not in sources:
        near = nearest(blinding.list_, sources)
        yield complain(blinding.node, "list", f"'{blinding.list_}' is none of the sources{near}")
        return
    source = sources[blinding.list_]
    if blinding.dummy == source.file:
        yield complain(blinding.node, "dummy", "the dummy is the real list: give it a file of its own")
    for node, key, path in ((blinding.node, "dummy", blinding.dummy), (source.node, "file", source.file)):
        if path.partition("/")[0] != FOLDER:
            problem = f"the list of a blinded study lies in {FOLDER}/, of which no package names the files"
            yield complain(node, key, problem)


def _wrong_places(source: OtherSource, project: Project) -> Iterator[StudyError]:
    if not project.longitudinal:
        for key in ("event", "visit"):
            if getattr(source, key):
                yield complain(source.node, key, "the project has no events: leave the key out")
        return
    if bool(source.event) == bool(source.visit):
        yield complain(source.node, "event", "name the event of all rows, or under visit the column that tells it")
    for event in [one for one in events_of(source) if one and one not in project.event_names]:
        node, key = (source.visit.node, "events") if source.visit else (source.node, "event")
        yield complain(node, key, f"the project has no event '{event}'{nearest(event, project.event_names)}")


def _wrong_columns(source: OtherSource) -> Iterator[StudyError]:
    columns = [one.column for one in source.fields.values()]
    known = {*columns, source.subject, *([source.visit.column] if source.visit else [])}
    for name in sorted({name for name in columns if columns.count(name) > 1}):
        yield complain(source.node, "fields", f"the column '{name}' is that of two fields")
    for name in source.key:
        if name not in known:
            yield complain(source.node, "key", f"no field is made from the column '{name}'{nearest(name, known)}")
    for name in sorted(set(source.ignored) & known):
        yield complain(source.node, "ignored", f"the column '{name}' is read: it cannot be ignored as well")
    for name, reason in source.ignored.items():
        if not reason.strip():
            yield complain(source.node, "ignored", f"say why the column '{name}' is ignored")
    for one in source.fields.values():
        for code, text in (one.choices or {}).items():
            if "|" in code + text or "," in code or not code.strip():
                yield complain(one.node, "choices", f"the code '{code}' or its label holds | or a comma, or is blank")
        if one.choices and one.kind != "text":
            yield complain(one.node, "kind", "a column with choices is a text: leave the kind out")
    if source.sheet and not source.file.endswith(".xlsx"):
        yield complain(source.node, "sheet", "only a workbook (.xlsx) has sheets")
