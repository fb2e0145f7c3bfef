"""Where values come from: origin and source (Define-XML 2.1, 5.3.11.3), and the pages of the annotated CRF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from odmlib.define_2_1 import model

from metadata.dataset import Dataset

CRF_FILE, GUIDE_FILE = "acrf.pdf", "csdrg.pdf"
CRF_LEAF, GUIDE_LEAF = "LF.acrf", "LF.csdrg"
COLLECTED, DERIVED, NOT_AVAILABLE = "Collected", "Derived", "Not Available"
EVALUATORS = {
    "STUDY SUBJECT": "Subject",
    "INDEPENDENT ASSESSOR": "Vendor",
    "ADJUDICATION COMMITTEE": "Vendor",
    "VENDOR": "Vendor",
}
"""Evaluators (C78735) whose observations did not come from the investigator's site."""


@dataclass(frozen=True)
class Documents:
    """Documents in the folder of define.xml, and the pages of the annotated CRF.

    ``pages`` is keyed by dataset, variable and the value of --TESTCD or QNAM (blank for the whole variable).
    """

    annotated_crf: bool = False
    reviewers_guide: bool = False
    pages: Mapping[tuple[str, str, str], Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of_folder(cls, folder: Path, pages: Mapping[tuple[str, str, str], Sequence[int]] | None = None) -> Documents:
        """Return the documents that exist in a folder."""
        return cls((folder / CRF_FILE).is_file(), (folder / GUIDE_FILE).is_file(), pages or {})


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
    dataset: Dataset, found: Sequence[str], pages: Sequence[int], rows: np.ndarray
) -> list[model.Origin]:
    """Return one origin for each way in which values come about."""
    return [_element(dataset, origin, pages, rows) for origin in found]


def _element(dataset: Dataset, origin: str, pages: Sequence[int], rows: np.ndarray) -> model.Origin:
    if origin == NOT_AVAILABLE:
        return model.Origin(Type=origin)
    made = model.Origin(Type=origin, Source=_evaluator(dataset, rows) if origin == COLLECTED else "Sponsor")
    if origin == COLLECTED and pages:
        reference = model.DocumentRef(leafID=CRF_LEAF)
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


def document_leaves(documents: Documents) -> list[model.leaf]:
    """Return the leaves of the documents that exist."""
    given = [
        (documents.annotated_crf, CRF_LEAF, CRF_FILE, "Annotated Case Report Form"),
        (documents.reviewers_guide, GUIDE_LEAF, GUIDE_FILE, "Clinical Study Data Reviewer's Guide"),
    ]
    return [leaf(oid, name, title) for exists, oid, name, title in given if exists]


def leaf(oid: str, href: str, title: str) -> model.leaf:
    """Return a leaf: a file in the folder of define.xml with its title."""
    return model.leaf(ID=oid, href=href, title=model.title(_content=title))
