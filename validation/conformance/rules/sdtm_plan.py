"""Rules about elements and milestones of subjects, as the design has them (TA, TM)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from metadata.coded_matching import first_match
from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, repeated


@rule("element.arm", "A subject's element is one of its arm, with the epoch and in the order of the arm.",
      "SDTMIG 3.3, sections 5.3 and 7.2.1", covers="CG0414")  # fmt: skip
def element_arm(data: SdtmDatasets) -> Iterator[Hit]:
    elements, design, subjects = data.get("SE"), data.get("TA"), data.get("DM")
    if elements is None or design is None or subjects is None or not elements.has("ETCD", "USUBJID"):
        return
    if not design.has("ARMCD", "ETCD", "EPOCH", "TAETORD"):
        return
    arms = zip(design.text("ARMCD"), design.text("ETCD"), design.text("EPOCH"), design.text("TAETORD"), strict=True)
    plan = {(arm, element): (epoch, order) for arm, element, epoch, order in arms}
    planned, actual = (data.subject_text(elements, name) for name in ("ARMCD", "ACTARMCD"))
    own = elements.text("ETCD")
    found = [_planned(plan, one, (a, p)) for one, a, p in zip(own, actual, planned, strict=True)]
    unplanned = elements.equals("ETCD", "UNPLAN", "")
    yield Hit("SE", "ETCD", ~unplanned & np.array([one is None for one in found], bool))
    for at, name in enumerate(("EPOCH", "TAETORD")):
        if elements.has(name):
            wanted = np.array([one[at] if one else "" for one in found], object)
            wrong = elements.filled(name) & (wanted != "") & (wanted != elements.text(name))
            yield Hit("SE", name, wrong & ~unplanned)
    if elements.has("SESTDTC"):
        order = np.array([float(one[1]) if one else np.nan for one in found])
        yield Hit("SE", "SESTDTC", _backwards(elements, order), "The elements are in another order.")


def _planned(
    plan: dict[tuple[str, str], tuple[str, str]], element: str, arms: tuple[str, str]
) -> tuple[str, str] | None:
    """Return epoch and order of an element in one of the subject's arms; without an arm, in any arm."""
    own = [plan[arm, element] for arm in arms if (arm, element) in plan]
    if own:
        return own[0]
    known = {arm for arm, _ in plan}
    if known.isdisjoint(arms):
        return next((where for (_, name), where in plan.items() if name == element), None)
    return None


def _backwards(elements: Domain, order: np.ndarray) -> np.ndarray:
    """Return True for an element that starts after one that comes later in the arm."""
    start, owner = elements.bounds("SESTDTC")[0], elements.column("USUBJID").codes
    known = np.flatnonzero(~np.isnan(order) & ~np.isnat(start))
    rows = known[np.lexsort((order[known], start[known], owner[known]))]
    wrong = np.zeros(elements.size, bool)
    wrong[rows[1:]] = (owner[rows[1:]] == owner[rows[:-1]]) & (order[rows[1:]] < order[rows[:-1]])
    return wrong


@rule("element.unplanned", "An unplanned element (UNPLAN) says what it was (SEUPDES), and no other does.",
      "SDTMIG 3.3, section 5.3", covers="CG0206, CG0210, CG0211")  # fmt: skip
def element_unplanned(data: SdtmDatasets) -> Iterator[Hit]:
    elements = data.get("SE")
    if elements is not None and elements.has("ETCD"):
        unplanned = elements.equals("ETCD", "UNPLAN")
        yield Hit("SE", "SEUPDES", unplanned != elements.filled("SEUPDES"))
        yield Hit("SE", "TAETORD", unplanned & elements.filled("TAETORD"))


@rule("milestone.planned", "A milestone is of a type that TM has, once if TM says so, and its name is used once by a"
      " subject.", "SDTMIG 3.3, sections 5.4 and 7.3.3", covers="CG0501, CG0545")  # fmt: skip
def milestone_planned(data: SdtmDatasets) -> Iterator[Hit]:
    milestones, design = data.get("SM"), data.get("TM")
    if milestones is None or not milestones.has("MIDSTYPE", "USUBJID"):
        return
    if design is None:
        yield Hit("TM", detail="SM is there, and TM is missing.")
        return
    yield Hit("SM", "MIDSTYPE", ~milestones.equals("MIDSTYPE", *design.column("MIDSTYPE").held))
    yield Hit("SM", "MIDS", repeated(milestones.group("USUBJID", "MIDS")))
    if design.has("TMRPT"):
        single = design.column("MIDSTYPE").take(design.equals("TMRPT", "N")).held
        once = milestones.equals("MIDSTYPE", *single)
        yield Hit("SM", "MIDSTYPE", once & repeated(np.where(once, milestones.group("USUBJID", "MIDSTYPE"), -1)))


@rule("milestone.known", "The milestone of a record is one of the subject's in SM.", "SDTMIG 3.3, section 5.4",
      covers="CG0502")  # fmt: skip
def milestone_known(data: SdtmDatasets) -> Iterator[Hit]:
    milestones = data.get("SM")
    for domain in data.having("USUBJID"):
        if domain.has("MIDS") and domain.name != "SM":
            row = np.full(domain.size, -1)
            if milestones is not None:
                keys = ("USUBJID", "MIDS")
                row = first_match([domain.column(key) for key in keys], [milestones.column(key) for key in keys])
            yield Hit(domain.name, "MIDS", domain.filled("MIDS") & (row < 0))
