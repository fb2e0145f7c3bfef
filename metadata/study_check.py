"""Whether study.yaml and terminology.yaml fit their declarations, and study.yaml the study's REDCap project."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from metadata.errors import Gather, StudyError, nearest
from metadata.other_sources import check_sources
from metadata.project import Project
from metadata.standards import COUNTRIES, dictionary_terms, shipped, slug
from metadata.study import Study
from metadata.study_declaration import OF_REDCAP, Arm, Element, Identity, Standards, StudyFacts, StudyFile, Visit
from metadata.terminology import read_terminology
from metadata.yaml_source import complain

VERSIONS = {
    "sdtmig": ("SDTMIG", r"sdtmig-([\d-]+)-variables"),
    "adamig": ("ADaMIG", r"adamig-([\d-]+)-variables"),
    "occds": ("OCCDS", r"adam-occds-([\d-]+)-variables"),
    "adam_ct": ("ADaM terminology", r"adam-ct-([\d-]+)"),
}
"""The standards whose tables are shipped: what errors call each, and the name of a version's table."""
DEFINE_XML = "2.1"


def check_terminology(study: Study) -> list[StudyError]:
    """Return what in terminology.yaml does not fit; its codelists are checked by ``Terminology.open``."""
    gather = Gather()
    with gather.part():
        read_terminology(study)
    return gather.found


def check_study(study: Study, project: Project) -> list[StudyError]:
    """Return all that is wrong with study.yaml: its keys, its versions, its visits against the project."""
    gather, declared = Gather(), study.declared
    with gather.part():
        _check_versions(declared.standards)
    with gather.part():
        _check_country(declared.study)
    for arms in (declared.arms or [], declared.elements or []):
        _check_arms(arms, gather)
    _check_arms_of_elements(declared, gather)
    _check_dosing(declared, gather)
    check_text_dates(study, project, gather)
    if declared.identity:
        _check_sites(declared.identity, project, gather)
    _check_visits(declared.visits, project, gather)
    gather.found += check_sources(declared, project)
    return gather.found


def check_received(study: Study) -> list[StudyError]:
    """Return all that is wrong with the study.yaml of a study that begins with datasets."""
    gather, declared = Gather(), study.declared
    with gather.part():
        _check_versions(declared.standards)
    with gather.part():
        _check_country(declared.study)
    for key in OF_REDCAP:
        if key in declared.node:
            with gather.part():
                problem = f"'{key}' is of a study with a REDCap project: one with 'input' begins with its datasets"
                raise complain(declared.node, key, problem)
    _check_arms(declared.arms or [], gather)
    _check_dosing(declared, gather)
    seen: dict[str, set[Any]] = {"visitnum": set(), "visit": set()}
    for visit in declared.visits:
        for key in ("event", "forms"):
            with gather.part():
                if key in visit.node:
                    raise complain(visit.node, key, f"'{key}' is of a study with a REDCap project")
        with gather.part():
            _check_once(visit, "visit", visit.visit, seen["visit"])
        with gather.part():
            _check_numbers(visit, seen["visitnum"])
    return gather.found


def _check_versions(standards: Standards) -> None:
    """Raise one StudyError for all versions whose tables are not shipped: they could not be followed."""
    with Gather() as gather:
        for key, (name, pattern) in VERSIONS.items():
            declared = str(getattr(standards, key))
            found = [re.fullmatch(pattern, table) for table in shipped()]
            known = {match[1]: match[1].replace("-", ".") if key != "adam_ct" else match[1] for match in found if match}
            if declared and (slug(declared) if key != "adam_ct" else declared) not in known:
                problem = f"{name} {declared} is not among those shipped: {', '.join(known.values())}"
                with gather.part():
                    raise complain(standards.node, key, problem)
        with gather.part():
            if standards.define not in ("", DEFINE_XML):
                raise complain(standards.node, "define", f"define.xml is written as Define-XML {DEFINE_XML} only")


def _check_country(facts: StudyFacts) -> None:
    if facts.country and facts.country not in dictionary_terms(COUNTRIES):
        problem = f"'{facts.country}' is not a country code: ISO 3166-1 has three letters, such as ESP"
        raise complain(facts.node, "country", problem)


def _check_arms(declared: Sequence[Arm | Element], gather: Gather) -> None:
    """Check that no two arms have one code, and that codes have the length that SDTM gives them."""
    longest = {"armcd": 20, "etcd": 8}
    key = "armcd" if declared and isinstance(declared[0], Arm) else "etcd"
    seen: set[str] = set()
    for one in declared:
        code, node = str(getattr(one, key)), one.node
        with gather.part():
            if len(code) > longest[key]:
                raise complain(node, key, f"'{code}' is longer than the {longest[key]} characters of {key.upper()}")
            if code in seen and key == "armcd":
                raise complain(node, key, f"the code '{code}' is that of two arms")
        seen.add(code)


def _check_arms_of_elements(declared: StudyFile, gather: Gather) -> None:
    """Check that an element of one arm names one that there is."""
    arms = [arm.armcd for arm in declared.arms or []]
    for element in declared.elements or []:
        with gather.part():
            if element.arm and element.arm not in arms:
                problem = f"there is no arm with the code '{element.arm}'{nearest(element.arm, arms)}"
                raise complain(element.node, "arm", problem)


def _check_dosing(declared: StudyFile, gather: Gather) -> None:
    """Check that arms and elements of the dosing plan are planned, go together, and have each treatment once."""
    arms, elements = [arm.armcd for arm in declared.arms or []], declared.elements or []
    codes = [element.etcd for element in elements]
    seen: set[tuple[str, str, str]] = set()
    for planned in declared.dosing or []:
        with gather.part():
            if planned.arm and planned.arm not in arms:
                problem = f"there is no arm with the code '{planned.arm}'{nearest(planned.arm, arms)}"
                raise complain(planned.node, "arm", problem)
        with gather.part():
            if planned.element and planned.element not in codes:
                problem = f"there is no element with the code '{planned.element}'{nearest(planned.element, codes)}"
                raise complain(planned.node, "element", problem)
            owners = {element.arm for element in elements if element.etcd == planned.element}
            if planned.arm in arms and planned.element and not owners & {"", planned.arm}:
                problem = f"the element '{planned.element}' is not one of the arm '{planned.arm}'"
                raise complain(planned.node, "element", problem)
        with gather.part():
            key = (planned.treatment, planned.arm, planned.element)
            if key in seen:
                problem = f"{planned.treatment} is planned twice for one arm and element: write all its doses in one"
                raise complain(planned.node, "treatment", problem)
            seen.add(key)


def check_text_dates(study: Study, project: Project, gather: Gather) -> None:
    """Check that each field of ``text_dates`` is one of the dictionary, a text without validation, and listed once."""
    fields, seen = project.dictionary.fields, set[str]()
    for one in study.declared.text_dates or []:
        for name in one.fields:
            found = fields.get(name)
            with gather.part():
                if not found:
                    raise complain(one.node, "fields", f"the dictionary has no field '{name}'{nearest(name, fields)}")
                if name in seen:
                    raise complain(one.node, "fields", f"the field '{name}' is listed twice")
                if found.type not in ("text", "notes") or found.validation:
                    kind = found.validation or found.type
                    raise complain(one.node, "fields", f"the field '{name}' is not free text, but of the type {kind}")
            seen.add(name)


def _check_sites(identity: Identity, project: Project, gather: Gather) -> None:
    """Check that the data access groups that make sites are those of the project, as far as its groups are known."""
    sites = identity.site
    if not isinstance(sites, dict):
        return
    groups = [str(row["unique_group_name"]) for row in project.dags]
    for group in sites if groups else ():
        with gather.part():
            if group and group not in groups:  # a blank one is that of records in no group
                problem = f"the project has no data access group '{group}'{nearest(group, groups)}"
                raise complain(identity.node["site"], group, problem)
    for group, site in sites.items():
        with gather.part():
            if not site.strip():
                raise complain(
                    identity.node["site"], group, f"the data access group '{group}' needs the number of its site"
                )
    for group in groups:
        with gather.part():
            if group not in sites:
                problem = f"the data access group '{group}' has no site: its subjects would have none either"
                raise complain(identity.node, "site", problem)


def _check_visits(visits: list[Visit], project: Project, gather: Gather) -> None:
    """Check that each visit is an event of the project, or has forms of it, and that nothing is declared twice."""
    seen: dict[str, set[Any]] = {"visitnum": set(), "visit": set(), "event": set(), "forms": set()}
    for visit in visits:
        with gather.part():
            if not visit.event:
                raise complain(visit.node, None, "a visit needs 'event', the name of its event in REDCap")
        for event in visit.event:
            with gather.part():
                if project.longitudinal and event not in project.event_names:
                    hint = nearest(event, project.event_names)
                    raise complain(visit.node, "event", f"the project has no event '{event}'{hint}")
        for form in visit.forms or []:
            forms = project.dictionary.forms
            with gather.part():
                if form not in forms:
                    raise complain(visit.node, "forms", f"the dictionary has no form '{form}'{nearest(form, forms)}")
        for key, values in (("event", visit.event), ("forms", visit.forms or []), ("visit", [visit.visit])):
            for value in values:
                with gather.part():
                    _check_once(visit, key, value, seen[key])
        with gather.part():
            _check_numbers(visit, seen["visitnum"])


def _check_once(visit: Visit, key: str, value: str, seen: set[Any]) -> None:
    if value in seen:
        what = {"event": "event", "forms": "form", "visit": "name"}[key]
        raise complain(visit.node, key, f"the {what} '{value}' is that of two visits")
    seen.add(value)


def _check_numbers(visit: Visit, numbers: set[Any]) -> None:
    """Raise StudyError for a planned visit without a number, two visits of one number, a window without its day."""
    if visit.visitnum is None and not visit.unscheduled:
        raise complain(visit.node, None, "a planned visit needs its visitnum; say unscheduled: true otherwise")
    if visit.visitnum in numbers:
        raise complain(visit.node, "visitnum", f"the visit number {visit.visitnum:g} is that of two visits")
    if visit.visitnum is not None:
        numbers.add(visit.visitnum)
    if visit.window:
        first, last = visit.window
        if first > last:
            raise complain(visit.node, "window", "the first day of the window comes after the last")
        if not first <= 0 <= last:
            raise complain(
                visit.node, "window", "a window holds the planned day: write days before and after as [-7, 7]"
            )
        if visit.day is None:
            raise complain(visit.node, "window", "a window needs the planned day from which it counts")
