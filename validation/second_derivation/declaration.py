"""What is derived a second time, and with what it is compared: verify/verify.yaml and the queries beside it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.yaml_source import LocatedDict, complain

FOLDER = "verify"
FILE = f"{FOLDER}/verify.yaml"
RESULTS = "results"
"""Stands for the results data where an endpoint names a dataset."""
TOLERANCE = 1e-9
KEYS = {
    "tables": ("mapping", "tables that several queries read: name, and the file with its query, in this order"),
    "endpoints": ("list", "the endpoints that are derived a second time"),
}
ENDPOINT = {
    "id": ("text", "the endpoint's name in the findings, a word"),
    "title": ("text", "the endpoint in words"),
    "plan": ("text", "the section of the analysis plan that has the rule"),
    "query": ("text", "the file beside this one with one SELECT over SDTM datasets and the tables above"),
    "dataset": ("text", f"the analysis dataset that it is compared with, or {RESULTS} for the results data"),
    "where": ("mapping", "the records that are compared: column and value, or values; '' is missing"),
    "keys": ("texts", "columns of both sides that tell their records apart"),
    "variables": ("texts", "columns of both sides that must be equal"),
    "tolerance": ("number", f"relative difference that counts as equal, {TOLERANCE:g} unless given"),
    "may_be_empty": ("flag", "true where a trial that has only begun may have no such record"),
}
NEEDED = ("id", "title", "query", "dataset", "keys", "variables")
KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "text": ((str, int, float), "a text"),
    "texts": ((list,), "a list of columns"),
    "list": ((list,), "a list"),
    "mapping": ((dict,), "a mapping"),
    "number": ((int, float), "a number"),
    "flag": ((bool,), "true or false"),
}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: the file of its query, and the records and variables of ours that it must agree with."""

    id: str
    title: str
    query: str
    dataset: str
    keys: tuple[str, ...]
    variables: tuple[str, ...]
    where: Mapping[str, tuple[str, ...]]
    plan: str
    tolerance: float
    may_be_empty: bool
    node: LocatedDict

    def error(self, message: str, key: str | None = None) -> StudyError:
        """Return the error that names the endpoint's place in verify.yaml."""
        return complain(self.node, key, message)


@dataclass(frozen=True)
class Declaration:
    """All that a study declares: its own tables (name and file of the query) and endpoints, in their order."""

    tables: Mapping[str, str]
    endpoints: tuple[Endpoint, ...]


def read_declaration(study: Study) -> Declaration:
    """Read verify.yaml; a study without one declares nothing. Raises StudyError for each mistake, by file and line."""
    if not study.path(FILE).is_file():
        return Declaration({}, ())
    node = study.read_yaml(FILE)
    if not isinstance(node, dict):
        raise StudyError(f"the file is a mapping with the keys {', '.join(KEYS)}", f"{study.name}/{FILE}")
    endpoints: list[Endpoint] = []
    with Gather() as gather, gather.part():
        _check_keys(node, KEYS, ("endpoints",), "the file")
        for table, query in (node.get("tables") or {}).items():
            with gather.part():
                _check_table(study, node["tables"], table, query)
        for item in node["endpoints"]:
            with gather.part():
                endpoints.append(_endpoint(study, item, endpoints))
    return Declaration({str(name): str(file) for name, file in (node.get("tables") or {}).items()}, tuple(endpoints))


def _check_table(study: Study, tables: Any, name: str, query: Any) -> None:
    if not NAME.fullmatch(name):
        raise complain(tables, name, f"'{name}' is not a name: letters, digits and _")
    _check_query(study, tables, name, query)


def _check_query(study: Study, node: Any, key: str, query: Any) -> None:
    """Raise unless the query is a file in the folder of verify.yaml."""
    there = sorted(path.name for path in study.path(FOLDER).glob("*.sql"))
    if query not in there:
        raise complain(node, key, f"{FOLDER}/ has no query '{query}'{nearest(str(query), there)}")


def _check_keys(node: Any, known: Mapping[str, tuple[str, str]], needed: Collection[str], what: str) -> None:
    if not isinstance(node, dict):
        raise complain(node, None, f"{what} is a mapping with the keys {', '.join(known)}")
    for key, value in node.items():
        if key not in known:
            raise complain(node, key, f"{what} has no key '{key}'{nearest(key, known)}")
        types, said = KINDS[known[key][0]]
        if not isinstance(value, types) or isinstance(value, bool) != (types == (bool,)):
            raise complain(node, key, f"'{key}' is {said}")
    for key in needed:
        if not node.get(key):
            raise complain(node, None, f"{what} needs the key '{key}'")


def _endpoint(study: Study, node: Any, before: list[Endpoint]) -> Endpoint:
    _check_keys(node, ENDPOINT, NEEDED, "an endpoint")
    if not NAME.fullmatch(str(node["id"])) or node["id"] in [one.id for one in before]:
        raise complain(node, "id", f"'{node['id']}' is not a name of its own: letters, digits and _, once in the file")
    _check_query(study, node, "query", node["query"])
    return Endpoint(
        id=node["id"],
        title=str(node["title"]),
        query=node["query"],
        dataset=str(node["dataset"]),
        keys=tuple(map(str, node["keys"])),
        variables=tuple(map(str, node["variables"])),
        where={name: _values(value) for name, value in (node.get("where") or {}).items()},
        plan=str(node.get("plan", "")),
        tolerance=float(node.get("tolerance", TOLERANCE)),
        may_be_empty=bool(node.get("may_be_empty", False)),
        node=node,
    )


def _values(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def check_columns(endpoint: Endpoint, columns: Mapping[str, Collection[str]]) -> None:
    """Raise StudyError if the endpoint's dataset, or a column of it, is not there; ``columns`` are those of each."""
    if endpoint.dataset == RESULTS and RESULTS not in columns:
        raise endpoint.error("the study has no results: it has no reports.yaml", "dataset")
    if endpoint.dataset not in columns:
        raise endpoint.error(
            f"there is no analysis dataset '{endpoint.dataset}'{nearest(endpoint.dataset, columns)}", "dataset"
        )
    there = columns[endpoint.dataset]
    for key, names in (("where", endpoint.where), ("keys", endpoint.keys), ("variables", endpoint.variables)):
        for name in names:
            if name not in there:
                raise endpoint.error(f"{endpoint.dataset} has no variable '{name}'{nearest(name, there)}", key)


def verify_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of verify/verify.yaml."""
    value = {"type": ["string", "number"]}
    types: dict[str, dict[str, Any]] = {
        "text": {"type": "string"},
        "texts": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "number": {"type": "number"},
        "flag": {"type": "boolean"},
        "mapping": {
            "type": "object",
            "additionalProperties": {"anyOf": [value, {"type": "array", "items": value}]},
        },
    }
    endpoint = {
        "type": "object",
        "properties": {key: {"description": said, **types[kind]} for key, (kind, said) in ENDPOINT.items()},
        "required": list(NEEDED),
        "additionalProperties": False,
    }
    tables = {"description": KEYS["tables"][1], "type": "object", "additionalProperties": {"type": "string"}}
    endpoints = {"description": KEYS["endpoints"][1], "type": "array", "items": endpoint, "minItems": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Second derivation",
        "type": "object",
        "properties": {"tables": tables, "endpoints": endpoints},
        "required": ["endpoints"],
        "additionalProperties": False,
    }
