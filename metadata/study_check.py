"""What study.yaml may say, as a JSON Schema, and whether it fits the study's REDCap project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metadata.errors import Gather, StudyError, nearest
from metadata.project import Project
from metadata.standards import shipped, slug
from metadata.study import Study, events_of
from metadata.yaml_source import LocatedDict, LocatedList, complain

TEXT = {"type": ["string", "number"]}
NAME = {"type": "string"}
NAMES = {"type": "array", "items": NAME}
DATE = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}


def _of(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


STANDARDS = ("sdtm", "sdtmig", "sdtm_ct", "adamig", "occds", "adam_ct", "define")
REDCAP = ("base_url", "url_variable", "token_variable", "token_block", "answers")
VISIT = _of(
    ("visit", "event"),
    visitnum={"type": "number"},
    visit=NAME,
    event={
        "anyOf": [NAME, {**NAMES, "minItems": 1}],
        "description": "REDCap's unique event name; in a project with arms the list of the events, one of each arm",
    },
    day={"type": "integer", "not": {"const": 0}, "description": "planned study day; there is no day 0"},
    window={"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
    predose={"type": "boolean"},
    unscheduled={"type": "boolean"},
    forms={**NAMES, "description": "forms of the visit, in a classic project"},
)
ELEMENT = _of(
    ("etcd", "element", "epoch", "start"),
    etcd=NAME,
    element=NAME,
    epoch=NAME,
    start={"type": ["string", "object"]},
    rule=NAME,
)
PROPERTIES: dict[str, Any] = {
    "study": _of(("id",), id=TEXT, title=NAME, short_title=NAME, synthetic={"type": "boolean"}, analysis_plan=NAME),
    "standards": _of(("sdtmig", "sdtm_ct"), **dict.fromkeys(STANDARDS, TEXT)),
    "cutoff": {**DATE, "description": "last day of which data are reported, YYYY-MM-DD"},
    "redcap": _of((), **dict.fromkeys(REDCAP, NAME)),
    "identity": _of(("subject",), subject=NAME, site={"type": ["string", "object"]}, earlier=NAME),
    "terminology": _of((), sdtm_ct={**NAME, "description": "the study's own package file, instead of a shipped one"}),
    "arms": {"type": "array", "items": _of(("armcd", "arm"), armcd=NAME, arm=NAME)},
    "elements": {"type": "array", "items": ELEMENT},
    "visits": {"type": "array", "items": VISIT},
    "text_dates": {"type": "array", "items": _of(("fields", "order"), fields=NAMES, order=NAME, unknown=NAMES)},
}


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of study.yaml; other keys than these may stand in it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "redcap-cdisc: a study",
        "type": "object",
        "required": ["study", "standards", "redcap", "cutoff", "visits"],
        "properties": PROPERTIES,
    }


def terminology_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of terminology.yaml: terms added to extensible codelists, and own codelists."""
    meanings = {"type": "object", "additionalProperties": NAME, "description": "term: what it means"}
    own = {**_of(("terms",), label=NAME, terms=meanings), "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "redcap-cdisc: a study's terms beside its terminology package",
        "type": ["object", "null"],
        "properties": {
            "extensions": {"type": "object", "additionalProperties": meanings},
            "codelists": {"type": "object", "additionalProperties": own},
        },
        "additionalProperties": False,
    }


def check_terminology(study: Study) -> list[StudyError]:
    """Return what in terminology.yaml does not fit its schema; its codelists are checked by ``Terminology.open``."""
    gather = Gather()
    with gather.part():
        if study.path("terminology.yaml").is_file():
            _fits(study.read_yaml("terminology.yaml"), terminology_schema(), gather)
    return gather.found


def check_study(study: Study, project: Project) -> list[StudyError]:
    """Return all that is wrong with study.yaml: its keys, its versions, its visits against the project."""
    gather = Gather()
    _fits(study.config, study_schema(), gather)
    if gather.found:
        return gather.found
    _near_keys(study.config, gather)
    _versions(study, gather)
    _visits(study, project, gather)
    return gather.found


def _fits(config: Any, schema: dict[str, Any], gather: Gather) -> None:
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(schema).iter_errors(config):
        node, key = _place(config, list(error.absolute_path))
        with gather.part():
            raise complain(node, key, f"{error.message}, which does not fit")


def _place(node: Any, path: list[Any]) -> tuple[Any, Any]:
    key = None
    for step in path:
        node, key = (node if key is None else node[key]), step
    return node, key


def _near_keys(config: LocatedDict, gather: Gather) -> None:
    """Find keys that are nearly one of the known: other keys are the study's own affair."""
    for node, known in [(config, PROPERTIES), *_nodes(config)]:
        for key in node:
            near = "" if key in known else nearest(key, [name for name in known if name not in node])
            with gather.part():
                if near:
                    raise complain(node, key, f"there is no such key here{near}")


def _nodes(config: LocatedDict) -> Iterable[tuple[LocatedDict, dict[str, Any]]]:
    for key, schema in PROPERTIES.items():
        body = config.get(key)
        if isinstance(body, LocatedDict) and "properties" in schema:
            yield body, schema["properties"]
        elif isinstance(body, LocatedList):
            yield from ((item, schema["items"]["properties"]) for item in body)


def _versions(study: Study, gather: Gather) -> None:
    standards, known = study.config["standards"], shipped()
    prefix, suffix = "sdtmig-", "-variables"
    guides = [name.removeprefix(prefix).removesuffix(suffix) for name in known if name.startswith(prefix)]
    versions = [guide.replace("-", ".") for guide in guides if not guide.endswith("datasets")]
    with gather.part():
        if slug(standards["sdtmig"]) not in guides:
            problem = f"SDTMIG {standards['sdtmig']} is not among those shipped: {', '.join(versions)}"
            raise complain(standards, "sdtmig", problem)


def _visits(study: Study, project: Project, gather: Gather) -> None:
    """Check that each visit is an event of the project, or has forms of it, and that no number stands twice."""
    seen: set[str] = set()
    events: set[str] = set()
    for visit in study.visits:
        for event in events_of(visit):
            with gather.part():
                if project.longitudinal and event not in project.event_names:
                    raise complain(
                        visit, "event", f"the project has no event '{event}'{nearest(event, project.event_names)}"
                    )
            with gather.part():
                if event in events:
                    raise complain(visit, "event", f"the event '{event}' is of two visits")
            events.add(event)
        forms = project.dictionary.forms
        for form in visit.get("forms") or []:
            with gather.part():
                if form not in forms:
                    raise complain(visit, "forms", f"the dictionary has no form '{form}'{nearest(form, forms)}")
        number = str(visit.get("visitnum", ""))
        with gather.part():
            if number and number in seen:
                raise complain(visit, "visitnum", f"the visit number {number} stands twice")
        with gather.part():
            if not number and not visit.get("unscheduled"):
                raise complain(visit, None, "a planned visit needs its visitnum; say unscheduled: true otherwise")
        seen.add(number)
