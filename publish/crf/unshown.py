"""The fields of which the annotated CRF cannot show every letter: the font of the PDF documents has no sign for it."""

from __future__ import annotations

from collections.abc import Iterator

from metadata.dictionary import Field
from metadata.labels import plain_label
from metadata.project import Project
from publish.pdf.fonts import unshown

SHOWN = 10


def unshown_fields(project: Project) -> list[str]:
    """Return the forms and fields, in the order of the dictionary, whose texts have such a letter."""
    titles = {str(one["instrument_name"]): str(one["instrument_label"]) for one in project.instruments}
    found = []
    for form in (one for one in project.dictionary.forms if one not in project.sources):
        found += [form] if unshown([plain_label(titles.get(form, ""))]) else []
        found += [
            field.name for field in project.dictionary.form_fields(form) if unshown(map(plain_label, _texts(field)))
        ]
    return found


def _texts(field: Field) -> Iterator[str]:
    yield from (field.section_header, field.label, field.field_note)
    yield from field.choices.values()


def sentence(names: list[str]) -> str:
    """Say of which forms and fields letters show as boxes; blank if of none."""
    if not names:
        return ""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (
        "The font of this document has no sign for some letters of these forms and fields, which show as boxes:"
        f" {', '.join(names[:SHOWN])}{more}."
    )
