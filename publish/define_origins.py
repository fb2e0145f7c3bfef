"""Where values come from: origin and source (Define-XML 2.1, 5.3.11.3), and the pages of the annotated CRF."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from odmlib.arm_1_0 import model

from metadata.dataset import Dataset
from publish.define_documents import CRF
from publish.define_sentences import description

COLLECTED, DERIVED, NOT_AVAILABLE, PREDECESSOR = "Collected", "Derived", "Not Available", "Predecessor"
VENDOR = "Vendor"
EVALUATORS = {
    "STUDY SUBJECT": "Subject",
    "INDEPENDENT ASSESSOR": VENDOR,
    "ADJUDICATION COMMITTEE": VENDOR,
    "VENDOR": VENDOR,
}
"""Evaluators (C78735) whose observations did not come from the investigator's site."""


def origins(dataset: Dataset, variable: str, declared: str, rows: np.ndarray) -> list[str]:
    """Return the origins of a variable: those declared, else what its lineage shows."""
    if declared:
        return declared.split(";")
    if not dataset.columns.filled(variable)[rows].any():
        return [NOT_AVAILABLE]
    edges = dataset.lineage[(dataset.lineage["variable"] == variable).to_numpy()]
    if not len(edges):
        return ["Assigned"]
    return [COLLECTED] if (edges["source"] == "REDCAP").any() else [DERIVED]


def lineage_sentence(dataset: Dataset, variable: str) -> str:
    """Say from which variables a variable comes, where no method is declared."""
    edges = dataset.lineage[(dataset.lineage["variable"] == variable).to_numpy()]
    pairs = edges[["source", "source_variable"]].drop_duplicates().astype("str")
    names = sorted(pairs["source"] + "." + pairs["source_variable"])
    return f"From {', '.join(names)}." if names else ""


def origin_elements(
    dataset: Dataset,
    found: Sequence[str],
    source: str,
    pages: Sequence[int],
    rows: np.ndarray,
    fields: Sequence[bool] = (),
) -> list[model.Origin]:
    """Return one origin for each way in which values come about; ``source`` is that of an unchanged copy, DM.AGE.

    ``fields`` says of each field that values were collected in whether it is of a file beside REDCap: these come from a
    vendor, and no page of the CRF has them.
    """
    from_vendor = bool(fields) and all(fields)
    made = [
        _element(dataset, origin, source, pages, rows) for origin in found if not (origin == COLLECTED and from_vendor)
    ]
    vendor = [model.Origin(Type=COLLECTED, Source=VENDOR)] if COLLECTED in found and any(fields) else []
    return made + vendor


def collected_fields(dataset: Dataset, variable: str) -> list[str]:
    """Return the fields from which a variable was collected."""
    edges = dataset.lineage[(dataset.lineage["variable"] == variable).to_numpy()]
    return [str(name) for name in edges.loc[edges["source"] == "REDCAP", "source_variable"].unique()]


def _element(dataset: Dataset, origin: str, source: str, pages: Sequence[int], rows: np.ndarray) -> model.Origin:
    if origin == NOT_AVAILABLE:
        return model.Origin(Type=origin)
    if origin == PREDECESSOR:
        return model.Origin(Type=origin, Description=description(source))
    made = model.Origin(Type=origin, Source=_evaluator(dataset, rows) if origin == COLLECTED else "Sponsor")
    if origin == COLLECTED and pages:
        reference = model.DocumentRef(leafID=CRF.leaf)
        reference.PDFPageRef.append(
            model.PDFPageRef(Type="PhysicalRef", PageRefs=" ".join(str(page) for page in sorted(set(pages))))
        )
        made.DocumentRef.append(reference)
    return made


def _evaluator(dataset: Dataset, rows: np.ndarray) -> str:
    """Return who observed: the one evaluator of these records (--EVAL), else the investigator."""
    name = next((name for name in dataset.frame.columns if name in (f"{dataset.name}EVAL", "QEVAL")), "")
    found = set(dataset.coded(name).among(rows)) - {""} if name else set()
    return EVALUATORS.get(found.pop(), "Investigator") if len(found) == 1 else "Investigator"
