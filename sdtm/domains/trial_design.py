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
from metadata.study_declaration import Element, Visit
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, complain
from sdtm.domains.elements import planned_elements, planned_orders
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
    elements = planned_elements(study)
    orders = planned_orders(elements)
    made = []
    for arm in study.declared.arms or []:
        for one, order in zip(elements, orders, strict=True):
            if one.arm in ("", arm.armcd):
                made.append(located({"ARMCD": arm.armcd, "ARM": arm.arm, **_in_an_arm(one, order)}, one.node))
    return made


def _in_an_arm(element: Element, order: int) -> dict[str, Any]:
    named = {"ETCD": element.etcd, "ELEMENT": element.element, "EPOCH": element.epoch}
    return {"TAETORD": order, **named, "TABRANCH": element.branch, "TATRANS": element.transition}


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
                "ETCD": one.etcd,
                "ELEMENT": one.element,
                "TESTRL": one.rule or labels.get(str(one.start), ""),
                "TEENRL": one.ends,
                "TEDUR": one.duration,
            },
            one.node,
        )
        for one in planned_elements(study)
    ]


def visit_rows(study: Study) -> list[LocatedDict]:
    """Return one row a planned visit; visits are the same in every arm, so that ARMCD is null."""
    return [
        located(
            {
                "VISITNUM": visit.visitnum,
                "VISIT": visit.visit,
                "VISITDY": visit.day,
                "TVSTRL": visit_rule(visit),
                "TVENRL": visit.ends,
            },
            visit.node,
        )
        for visit in study.visits
        if visit.visitnum is not None
    ]


def visit_rule(visit: Visit) -> str:
    """Return how a visit starts: its own rule, or a sentence of its planned day and window."""
    if visit.rule:
        return visit.rule
    if visit.day is None:
        return f"{visit.visit}, without a planned day"
    before, after = visit.window or (0, 0)
    if not before and not after:
        return f"Study day {visit.day}"
    return f"Study day {visit.day}, from {_days(-before)} before to {_days(after)} after it"


def _days(count: float) -> str:
    number = f"{count:g}"
    return f"{number} day" if number == "1" else f"{number} days"
