"""Relations of a draft: a field that holds the number of an instance of a repeating form (RELREC, SDTMIG 3.3, 8.2)."""

from __future__ import annotations

from metadata.dictionary import Field
from metadata.project import Project
from sdtm.draft.proposals import Draft, Link
from sdtm.draft.recognised import FormGuess, label_of_form
from sdtm.draft.vocabulary import Phrases, every_word, vocabulary


def linked_form(item: Field, kinds: dict[str, FormGuess], project: Project) -> str:
    """Return the repeating form whose instance's number a field holds, as its label says; blank if it does not."""
    number = item.type == "text" and item.validation in ("", "integer", "number")
    if not number or not set(vocabulary()["numbers_of_instances"]) & set(every_word(item.label)):
        return ""
    known = vocabulary()["forms"]
    repeating = [form for form in kinds if form in project.repeating_forms and form != item.form]
    for form in repeating:
        domain = kinds[form].domain
        texts = (form.replace("_", " "), label_of_form(project, form), *known.get(domain, ()))
        match = Phrases.of((text, form) for text in texts if text).find(item.label) if domain else None
        if match is not None and len("".join(every_word(item.label))) > len(form):
            return form
    return ""


def settle_links(draft: Draft) -> None:
    """Keep the relations of which both ends have records; the fields of the others are open again."""
    active = {(one.domain, one.block) for one in draft.proposals if one.active}
    given = {(domain, str(draft.blocks[domain, block].get("form"))) for domain, block in active}

    def stands(link: Link) -> bool:
        return (link.domain, link.form) in given and (link.to_domain, link.to_form) in given

    gone = {link.field for link in draft.links if not stands(link)}
    draft.links = [link for link in draft.links if stands(link)]
    draft.placements = [place for place in draft.placements if place.field not in gone]
