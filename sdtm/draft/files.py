"""The texts of a drafted study: sdtm/<domain>.yaml and sdtm/not_submitted.yaml, and study.yaml to begin with."""

from __future__ import annotations

import re
from typing import Any

import yaml

from metadata.project import Project
from metadata.standards import shipped
from sdtm.draft.proposals import SUBJECTS, Draft, Proposal

MARK = "TODO(check)"
"""What is written before each doubt; the check lists these places."""
SECTIONS = ("variables", "tests", "supplemental")
LONGEST_ID = 40


def flow(value: Any) -> str:
    """Return a value in YAML's flow style, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=100_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def marked(doubt: str) -> str:
    """Return a comment with a doubt, on one line."""
    return f"  # {MARK}: {' '.join(doubt.split())}" if doubt else ""


def domain_files(draft: Draft) -> dict[str, str]:
    """Return the text of each domain's file, for domains with at least one line."""
    domains = sorted({proposal.domain for proposal in draft.proposals})
    return {f"sdtm/{domain.lower()}.yaml": _domain(domain, draft) for domain in domains}


def _domain(domain: str, draft: Draft) -> str:
    own = [proposal for proposal in draft.proposals if proposal.domain == domain]
    forms = list(dict.fromkeys(proposal.form for proposal in own))
    lines = [f"# Drafted from the dictionary. {MARK} marks what is uncertain; a line in a comment is not taken."]
    lines.append(f"domain: {domain}")
    if domain == SUBJECTS:
        lines += ["keys: [STUDYID, USUBJID]", "records:", "  each: subject", *_sections(own, "  ")]
        return "\n".join(lines) + "\n"
    lines.append("records:")
    for form in forms:
        lines += [f"  - form: {form}", *_sections([one for one in own if one.form == form], "    ")]
    return "\n".join(lines) + "\n"


def _sections(proposals: list[Proposal], indent: str) -> list[str]:
    lines = []
    for section in SECTIONS:
        own = [proposal for proposal in proposals if proposal.section == section]
        active = any(proposal.active for proposal in own)
        if own:
            lines.append(f"{indent}{section}:" if active else f"{indent}# {section}:")
        lines += [_line(proposal, f"{indent}  ") for proposal in sorted(own, key=lambda one: not one.active)]
    return lines


def _line(proposal: Proposal, indent: str) -> str:
    comment = "" if proposal.active else "# "
    return f"{indent}{comment}{proposal.key}: {flow(proposal.spec)}{marked(proposal.doubt)}"


def not_submitted_file(draft: Draft, project: Project, identified: str) -> str:
    """Return sdtm/not_submitted.yaml: what annotations say, and each field with a doubt as a comment.

    ``identified`` is the field that study.yaml takes the subject's number from.
    """
    kinds = {field.type for field in project.dictionary.fields.values()}
    lines = ["# Fields that are in no dataset, each with its reason; the check lists those that are nowhere."]
    lines.append("status: The form's status is REDCap's own book-keeping")
    if "descriptive" in kinds:
        lines.append("descriptive: Text on the form, no data")
    names = [project.dictionary.record_id, *draft.not_submitted]
    reasons = dict.fromkeys(names, "Annotated as not submitted")
    reasons[names[0]] = "REDCap's key of the record"
    mapped = {identified} | {word for proposal in draft.proposals if proposal.active for word in _texts(proposal.spec)}
    reasons = {name: reason for name, reason in reasons.items() if name not in mapped}
    if reasons:
        lines += ["fields:", *(f"  {name}: {reason}" for name, reason in reasons.items())]
    lines += [f"  # {name}:{marked(doubt)}" for name, doubt in sorted(draft.doubts.items())]
    return "\n".join(lines) + "\n"


def _texts(node: Any) -> set[str]:
    if isinstance(node, dict):
        return {word for value in node.values() for word in _texts(value)}
    if isinstance(node, list):
        return {word for item in node for word in _texts(item)}
    return {node} if isinstance(node, str) else set()


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
    named += [item.name for item in fields if item.name.replace("_", "") in ("subjid", "subjectid", "subjectnumber")]
    subject = named[0] if named else project.dictionary.record_id
    doubt = "" if named else "the field with the subject's number; taken is the record's name"
    lines = ["identity:", f"  subject: {subject}{marked(doubt)}"]
    groups = [str(row.get("unique_group_name") or "") for row in project.dags]
    sites = {group: f"{number:02d}" for number, group in enumerate(filter(None, groups), start=1)}
    return lines + ([f"  site: {flow(sites)}{marked('SITEID of each data access group')}"] if sites else [])


def _visits(project: Project) -> list[str]:
    if not project.longitudinal:
        doubt = "a classic project: write a visit for each, with the forms that are filled then"
        return [f"visits: []{marked(doubt)}"]
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
    """Return sdtm/sv.yaml for a longitudinal project: a visit has all dates of its forms, but for some."""
    if not project.longitudinal:
        return {}
    note = marked("dates that are not of the visit (birth, onset) go under dates: {except: [FIELD]}")
    return {"sdtm/sv.yaml": f"domain: SV\nkeys: [STUDYID, USUBJID, VISITNUM]\nrecords:\n  each: visit{note}\n"}


def _only_repeats(project: Project, event: str) -> bool:
    forms = project.forms_of(event)
    return bool(forms) and all(project.repeats(event, form) for form in forms)
