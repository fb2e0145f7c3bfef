"""The planned course of a trial, from arms, elements and visits of study.yaml: TA, TE, TV (SDTMIG 3.3, 7.2 and 7.3).

``study.yaml`` says of an element its ``rule`` (how it starts), and if the protocol does, its ``ends``, its
``duration`` (ISO 8601), and for the arms its ``branch`` and ``transition``. A visit may have a ``rule`` (how it
starts); without one the sentence is made from its planned day and window.
"""

from __future__ import annotations

from typing import Any

from metadata.dataset import Dataset
from metadata.errors import Gather
from metadata.standards import sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, complain
from sdtm.domains.elements import element_nodes, planned_orders
from sdtm.mapping.declared_rows import declared_dataset
from sdtm.operations.operation import located


def trial_design(study: Study, terminology: Terminology) -> dict[str, Dataset]:
    """Return TA, TE and TV as far as study.yaml plans them; raises StudyError for what does not fit."""
    return {name: declared_dataset(study, terminology, name, made) for name, made in design_rows(study).items()}


def design_rows(study: Study) -> dict[str, list[LocatedDict]]:
    """Return the rows of TA, TE and TV, of each that has any."""
    rows = {"TA": arm_rows(study), "TE": element_rows(study), "TV": visit_rows(study)}
    return {name: made for name, made in rows.items() if made}


def arm_rows(study: Study) -> list[LocatedDict]:
    """Return one row an arm and element on its way."""
    nodes = element_nodes(study)
    orders = planned_orders(nodes)
    made = []
    for arm in study.config.get("arms") or []:
        for node, order in zip(nodes, orders, strict=True):
            if node.get("arm", arm["armcd"]) == arm["armcd"]:
                made.append(located({"ARMCD": arm["armcd"], "ARM": arm["arm"], **_on_the_way(node, order)}, node))
    return made


def _on_the_way(node: LocatedDict, order: int) -> dict[str, Any]:
    said = {"TABRANCH": node.get("branch"), "TATRANS": node.get("transition")}
    return {"TAETORD": order, "ETCD": node["etcd"], "ELEMENT": node["element"], "EPOCH": node["epoch"], **said}


def element_rows(study: Study) -> list[LocatedDict]:
    """Return one row an element, which may be part of several arms; raises StudyError if it then differs."""
    made: dict[str, LocatedDict] = {}
    with Gather() as gather:
        for row in _each_element(study):
            first = made.setdefault(str(row["ETCD"]), row)
            differs = [name for name in row if row[name] != first[name]]
            with gather.part():
                if differs:
                    labels = {item.name: item.label for item in sdtm_variables(study.standards["sdtmig"], "TE")}
                    sentence = f"the element {row['ETCD']} is there twice, with another {labels[differs[0]].lower()}"
                    raise complain(row, None, sentence)
    return list(made.values())


def _each_element(study: Study) -> list[LocatedDict]:
    labels = {item.name: item.label for item in sdtm_variables(study.standards["sdtmig"], "DM")}
    return [
        located(
            {
                "ETCD": node["etcd"],
                "ELEMENT": node["element"],
                "TESTRL": node.get("rule") or labels.get(str(node["start"]), ""),
                "TEENRL": node.get("ends"),
                "TEDUR": node.get("duration"),
            },
            node,
        )
        for node in element_nodes(study)
    ]


def visit_rows(study: Study) -> list[LocatedDict]:
    """Return one row a planned visit; visits are the same in every arm, so that ARMCD is null."""
    return [
        located(
            {
                "VISITNUM": node["visitnum"],
                "VISIT": node["visit"],
                "VISITDY": node.get("day"),
                "TVSTRL": visit_rule(node),
                "TVENRL": node.get("ends"),
            },
            node,
        )
        for node in study.visits
        if "visitnum" in node
    ]


def visit_rule(node: LocatedDict) -> str:
    """Return how a visit starts: its own rule, or a sentence of its planned day and window."""
    if node.get("rule"):
        return str(node["rule"])
    if "day" not in node:
        return f"{node['visit']}, without a planned day"
    before, after = node.get("window") or (0, 0)
    if not before and not after:
        return f"Study day {node['day']}"
    return f"Study day {node['day']}, from {_days(-before)} before to {_days(after)} after it"


def _days(count: float) -> str:
    number = f"{count:g}"
    return f"{number} day" if number == "1" else f"{number} days"
