"""The texts of a drafted study: sdtm/<domain>.yaml and sdtm/not_submitted.yaml, and study.yaml to begin with."""

from __future__ import annotations

import re
from typing import Any

import yaml

from metadata.dictionary import Field
from metadata.labels import plain_label
from metadata.project import Project
from metadata.standards import shipped
from sdtm.columns.text import transliterated
from sdtm.draft.names import names_of, stem_of
from sdtm.draft.proposals import Draft, Proposal, texts
from sdtm.draft.recognised import CERTAIN, SUBJECTS, text_dates
from sdtm.draft.vocabulary import every_word, vocabulary
from sdtm.mapping.not_submitted import UNDECIDED

MARK = "TODO(check)"
"""What is written before each doubt; the check lists these places."""
SECTIONS = ("variables", "tests", "supplemental")
LONGEST_ID, LONGEST_LABEL, SHORT = 40, 60, 6
NO_DEFAULT_KEYS = {"CO": ("STUDYID", "USUBJID", "RDOMAIN", "IDVARVAL", "COVAL")}
SUBJECT_NAMES = ("subjid", "subjectid", "subjectnumber", "participantid", "patientid", "numsujeto")
SITE_NAMES = ("siteid", "site", "sitenumber", "centre", "center", "centro")


def flow(value: Any) -> str:
    """Return a value in YAML's flow style, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=100_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def marked(doubt: str) -> str:
    """Return a comment with a doubt, on one line."""
    return f"  # {MARK}: {' '.join(doubt.split())}" if doubt else ""


def domain_files(draft: Draft) -> dict[str, str]:
    """Return the text of each domain's file, for domains with at least one line that is taken, and for DM."""
    domains = sorted({proposal.domain for proposal in draft.proposals if proposal.active})
    return {f"sdtm/{domain.lower()}.yaml": _domain(domain, draft) for domain in domains}


def _domain(domain: str, draft: Draft) -> str:
    own, placed = [proposal for proposal in draft.proposals if proposal.domain == domain], draft.placed()
    lines = [
        "# Drafted from the dictionary. Each line says how sure it is and why: certain, likely or a guess.",
        f"# {MARK} marks what is to be decided; a line in a comment is not taken.",
        f"domain: {domain}",
    ]
    if domain == SUBJECTS:
        lines += ["keys: [STUDYID, USUBJID]", "records:", "  each: subject", *_sections(own, "  ", placed)]
        return "\n".join(lines) + "\n"
    if any(f"{domain}REPNUM" in texts_of_keys(one.spec) for one in own if one.active):
        lines.append(f"keys: [{', '.join(_keys_of_repetitions(domain))}]")
    if domain in NO_DEFAULT_KEYS:
        lines.append(f"keys: [{', '.join(NO_DEFAULT_KEYS[domain])}]")
    if any(one.active and "not_done" in one.spec and "reason" not in one.spec for one in own):
        lines.append("reason_not_done: REASON NOT RECORDED")
    blocks = [block for owner, block in draft.blocks if owner == domain]
    active = {one.block for one in own if one.active}
    lines.append("records:")
    for block in sorted(blocks, key=lambda block: block not in active):
        mark = "" if block in active else "# "
        head = draft.blocks[domain, block]
        first, *rest = [f"{key}: {flow(value)}" for key, value in head.items()]
        lines += [f"  {mark}- {first}", *(f"    {mark}{line}" for line in rest)]
        lines += _sections([one for one in own if one.block == block], "    ", placed)
    return "\n".join(lines) + "\n"


def _keys_of_repetitions(domain: str) -> list[str]:
    """Return the keys of findings with repetitions; VISITNUM and --DTC where the guide has them."""
    known = names_of(f"{newest('sdtmig-', '-variables').replace('-', '.')}", domain)
    parted = [name for name in ("VISITNUM", f"{domain}DTC") if name in known]
    spid = [f"{domain}SPID"] if f"{domain}SPID" in known else []
    return ["STUDYID", "USUBJID", f"{domain}TESTCD", *parted, f"{domain}REPNUM", *spid]


def texts_of_keys(node: Any) -> set[str]:
    """Return all keys in a node."""
    if isinstance(node, dict):
        return set(node) | {key for value in node.values() for key in texts_of_keys(value)}
    return set()


def _sections(proposals: list[Proposal], indent: str, placed: set[str]) -> list[str]:
    lines = []
    for section in SECTIONS:
        own = [proposal for proposal in proposals if proposal.section == section]
        active = any(proposal.active for proposal in own)
        if own:
            lines.append(f"{indent}{section}:" if active else f"{indent}# {section}:")
        lines += [_line(proposal, f"{indent}  ", placed) for proposal in sorted(own, key=lambda one: not one.active)]
    return lines


def _line(proposal: Proposal, indent: str, placed: set[str]) -> str:
    """Return a line; one that is left out is marked only if not_submitted.yaml does not ask for its fields."""
    comment = "" if proposal.active else "# "
    said = f"{proposal.confidence}: {proposal.reason}"
    asked = proposal.active or texts(proposal.spec) & placed
    open_ = asked and (proposal.confidence != CERTAIN or proposal.doubt)
    text = "; ".join(filter(None, (said, proposal.doubt)))
    remark = marked(text) if open_ else f"  # {' '.join(text.split())}"
    return f"{indent}{comment}{proposal.key}: {flow(proposal.spec)}{remark}"


def other_files(draft: Draft) -> dict[str, str]:
    """Return terminology.yaml with the terms that are added, and sdtm/ti.yaml with the criteria of eligibility."""
    made = {}
    if draft.extensions:
        lines = [f"extensions:{marked('terms that the package lacks, from the labels of choices')}"]
        for name, terms in sorted(draft.extensions.items()):
            lines += [f"  {name}:", *(f"    {flow(term)}: {flow(said)}" for term, said in terms.items())]
        made["terminology.yaml"] = "\n".join(lines) + "\n"
    if draft.criteria:
        lines = ["domain: TI", f"rows:{marked('the texts are those of the form: write the protocol of each')}"]
        lines += [f"  - {flow({**row, 'IETEST': transliterated(row['IETEST'])[0][:200]})}" for row in draft.criteria]
        made["sdtm/ti.yaml"] = "\n".join(lines) + "\n"
    if draft.links:
        lines = ["# RELREC: the number of an instance that a field holds relates the records of both.", "relations:"]
        for link in draft.links:
            name = f"{link.to_domain}-{link.field.upper()}"
            source, to = (
                {"domain": link.domain, "field": link.field},
                {"domain": link.to_domain, "form": link.to_form},
            )
            said = marked("likely: its label says so")
            lines.append(f"  - {flow({'id': name, 'from': source, 'to': to})}{said}")
        made["sdtm/relations.yaml"] = "\n".join(lines) + "\n"
    return made


def not_submitted_file(draft: Draft, project: Project, read: set[str]) -> str:
    """Return sdtm/not_submitted.yaml: what is no data of the trial, and each field that has no place yet.

    ``read`` are the fields that the study reads elsewhere: study.yaml, the dates of its visits.
    """
    fields = project.dictionary.fields
    kinds = {field.type for field in fields.values()}
    lines = ["# Fields that are in no dataset, each with its reason."]
    lines.append("status: The form's status is REDCap's own book-keeping")
    if "descriptive" in kinds:
        lines.append("descriptive: Text on the form, no data")
    if any(item.type == "calc" and name not in read for name, item in fields.items()):
        lines.append("calculated: Calculated by REDCap from fields that are tabulated")
    mapped = {word for one in draft.proposals if one.active for word in texts(one.spec)} | read
    mapped |= {link.field for link in draft.links}
    taken = {(one.domain, one.block) for one in draft.proposals if one.active}
    heads = [head for block, head in draft.blocks.items() if block in taken]
    mapped |= {word for head in heads for word in texts_of_keys(head.get("where") or {})}
    named = [name for name, item in fields.items() if name not in mapped and item.type not in ("calc", "descriptive")]
    if named:
        lines.append("fields:")
    for name in named:
        doubt = draft.doubts.get(name) or _left_out(draft, name) or "no domain is recognised"
        reason = "REDCap's key of the record" if name == project.dictionary.record_id else draft.not_submitted.get(name)
        item = fields[name]
        shown = f"'{plain_label(item.label)[:LONGEST_LABEL]}' ({item.type} of {item.form}): {doubt}"
        lines.append(f"  {name}: {reason or UNDECIDED}{'' if reason else marked(shown)}")
    kept = {name: reason for name, reason in draft.without_record.items() if name in mapped}
    lines += ["without_record:", *(f"  {name}: {reason}" for name, reason in kept.items())] if kept else []
    return "\n".join(lines) + "\n"


def _left_out(draft: Draft, name: str) -> str:
    """Return what the line of a field says that is left out."""
    for one in draft.proposals:
        if not one.active and name in texts(one.spec):
            return f"thought to be {one.domain}.{one.key}, but {one.doubt}"
    return ""


def newest(prefix: str, suffix: str = "") -> str:
    """Return the newest shipped version of a standard, as file names write it."""
    names = [name for name in shipped() if name.startswith(prefix) and name.endswith(suffix)]
    return names[-1].removeprefix(prefix).removesuffix(suffix)


def study_file(project: Project, name: str) -> str:
    """Return study.yaml with what the project says; the rest is marked."""
    title = str(project.info.get("project_title") or name)
    lines = [
        "# Drafted from the REDCap project.",
        "study:",
        f"  id: {_study_id(name)}{marked('STUDYID of every dataset')}",
        f"  title: {flow(title)}",
        "",
        "standards:",
        '  sdtm: "1.7"',
        f'  sdtmig: "{newest("sdtmig-", "-variables").replace("-", ".")}"',
        f"  sdtm_ct: {newest('sdtm-ct-')}",
        "",
        f"cutoff: 2999-12-31{marked('the last day of which data are reported')}",
        "",
        "redcap:",
        f"  base_url: https://redcap.example.org/{marked('links in query listings start here')}",
        "  url_variable: REDCAP_URL",
        "  token_variable: REDCAP_TOKEN",
        "",
        *_identity(project),
        *_text_dates(project),
        "",
        *_visits(project),
    ]
    return "\n".join(lines) + "\n"


def _study_id(name: str) -> str:
    """Return the name of a folder as a study's id, of at most 40 letters, digits and hyphens."""
    return re.sub("[^A-Z0-9]+", "-", name.upper()).strip("-")[:LONGEST_ID].strip("-") or "STUDY"


def _identity(project: Project) -> list[str]:
    fields = project.dictionary.fields.values()
    named = [item.name for item in fields if "SUBJID" in item.field_annotation.upper()]
    named += [item.name for item in fields if stem_of(item).replace("_", "") in SUBJECT_NAMES]
    subject = named[0] if named else project.dictionary.record_id
    doubt = "" if named else "the field with the subject's number; taken is the record's name"
    return ["identity:", f"  subject: {subject}{marked(doubt)}", f"  site: {_site(project)}"]


def _site(project: Project) -> str:
    """Return where SITEID comes from: a field, the data access groups, or one number for all."""
    named = [name for name, item in project.dictionary.fields.items() if stem_of(item).replace("_", "") in SITE_NAMES]
    groups = [str(row.get("unique_group_name") or "") for row in project.dags]
    sites = {group: f"{number:02d}" for number, group in enumerate(filter(None, groups), start=1)}
    if named and not sites:
        said = "SITEID" in project.dictionary.fields[named[0]].field_annotation.upper()
        return f"{named[0]}{marked('' if said else 'SITEID of each subject')}"
    doubt = "SITEID of each data access group" if sites else "SITEID: the project has no data access group"
    shown = ", ".join(
        f"{group or chr(34) * 2}: {flow(site)}" for group, site in [*sites.items(), ("", f"{len(sites) + 1:02d}")]
    )
    return f"{{{shown}}}" + marked(f"{doubt}; the last is that of records in no group")


def _text_dates(project: Project) -> list[str]:
    """Return which fields of free text hold dates, as the notes of the fields say."""
    found = text_dates(project)
    lines = ["", f"text_dates:{marked('as the notes of the fields say how to write them')}"] if found else []
    for (order, unknown), names in found.items():
        more = {"unknown": [unknown]} if unknown else {}
        lines.append(f"  - {flow({'fields': names, 'order': order, **more})}")
    return lines


def _visits(project: Project) -> list[str]:
    if not project.longitudinal:
        return _visits_of_forms(project)
    lines, number = ["visits:"], 0
    for label, events in _by_label(project).items():
        name, first = [str(event["unique_event_name"]) for event in events], events[0]
        shown: dict[str, Any] = {"visit": label.upper(), "event": name if len(name) > 1 else name[0]}
        if project.event_repeats(name[0]):
            visit = {**shown, "unscheduled": True}
        elif _only_repeats(project, name[0]):
            lines.append(f"  # {', '.join(name)}: forms that repeat (logs), no visit")
            continue
        else:
            number += 1
            visit = {"visitnum": number, **shown}
            day = first.get("day_offset")
            if str(day or "").strip().lstrip("-").isdigit():
                visit["day"] = int(str(day)) + (1 if int(str(day)) >= 0 else 0)
        needed = "day" not in visit and "unscheduled" not in visit
        lines.append(f"  - {flow(visit)}{marked('the planned day and its window' if needed else '')}")
    return lines


def _visits_of_forms(project: Project) -> list[str]:
    """Return the visits of a classic project: what the names of forms end in that begin alike (vitals_v1, _v2)."""
    made = visit_forms(project)
    if not made:
        return [f"visits: []{marked('a classic project: write a visit for each, with the forms that are filled then')}"]
    lines = [f"visits:{marked('read from the ends of the names of forms: names, order, planned days and windows')}"]
    for number, (end, forms) in enumerate(made.items(), start=1):
        lines.append(f"  - {flow({'visitnum': number, 'visit': end.upper(), 'event': end, 'forms': forms})}")
    return lines


def visit_forms(project: Project) -> dict[str, list[str]]:
    """Return by the end of their names the forms of which others begin alike."""
    forms = [form for form in project.dictionary.forms if "_" in form and form not in project.repeating_forms]
    begins = [form.rpartition("_")[0] for form in forms]
    made: dict[str, list[str]] = {}
    for form, begin in zip(forms, begins, strict=True):
        end = form.rpartition("_")[2]
        if begins.count(begin) > 1 and len(end) <= SHORT:
            made.setdefault(end, []).append(form)
    return made if len(made) > 1 else {}


def _by_label(project: Project) -> dict[str, list[dict[str, Any]]]:
    """Return the events by their label; events of one label in different arms of the project are one visit."""
    made: dict[str, list[dict[str, Any]]] = {}
    for event in project.events:
        label = str(event.get("event_name") or event["unique_event_name"])
        together = [*made.get(label, []), event]
        if not project.in_different_arms([str(one["unique_event_name"]) for one in together]) and label in made:
            label, together = str(event["unique_event_name"]), [event]
        made[label] = together
    return made


def visits_file(project: Project) -> dict[str, str]:
    """Return sdtm/sv.yaml where there are visits: a visit has all dates of its forms, but those of other things."""
    if not project.longitudinal and not visit_forms(project):
        return {}
    other = [
        item.name
        for item in project.dictionary.fields.values()
        if item.validation.startswith(("date_", "datetime_")) and _at_a_visit(project, item.form) and _elsewhere(item)
    ]
    note = marked("dates that are not of the visit (birth, onset) go under dates: {except: [FIELD]}")
    lines = ["domain: SV", "keys: [STUDYID, USUBJID, VISITNUM]", "records:", f"  each: visit{note}"]
    lines += ["  dates:", f"    except: {flow(other)}"] if other else []
    return {"sdtm/sv.yaml": "\n".join(lines) + "\n"}


def _at_a_visit(project: Project, form: str) -> bool:
    if not project.longitudinal:
        return any(form in forms for forms in visit_forms(project).values())
    return any(
        project.designated(event, form) and (project.event_repeats(event) or not _only_repeats(project, event))
        for event in project.event_names
    )


def _elsewhere(item: Field) -> bool:
    """Return True for a date that is not that of the visit at which it is asked."""
    shown = set(every_word(item.label)) | set(item.name.split("_"))
    return bool(shown & set(vocabulary()["not_of_a_visit"]))


def _only_repeats(project: Project, event: str) -> bool:
    forms = project.forms_of(event)
    return bool(forms) and all(project.repeats(event, form) for form in forms)
