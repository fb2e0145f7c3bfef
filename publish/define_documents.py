"""Documents that a define.xml refers to: annotated CRF with its pages, reviewer's guide, analysis plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from odmlib.arm_1_0 import model

from publish.crf.annotations import CrfPages
from publish.refusals import Standard


@dataclass(frozen=True)
class Document:
    """A file in the folder of define.xml, and what it is called."""

    leaf: str
    file: str
    title: str


CRF = Document("LF.acrf", "acrf.pdf", "Annotated Case Report Form")
PLAN = Document("LF.sap", "sap.pdf", "Statistical Analysis Plan")
GUIDES: Mapping[Standard, Document] = {
    "sdtm": Document("LF.csdrg", "csdrg.pdf", "Clinical Study Data Reviewer's Guide"),
    "adam": Document("LF.adrg", "adrg.pdf", "Analysis Data Reviewer's Guide"),
}


@dataclass(frozen=True)
class Documents:
    """The documents in the folder of define.xml, the pages of the annotated CRF, and those of the plan's sections.

    ``coming`` are files that are written after define.xml, ``parts`` the files in which a dataset is given as well,
    ``vendor_fields`` the fields that come from files beside REDCap, so that no page has them.
    """

    present: tuple[Document, ...] = ()
    pages: CrfPages = field(default_factory=dict)
    sections: Mapping[str, int] = field(default_factory=dict)
    coming: frozenset[str] = frozenset()
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vendor_fields: frozenset[str] = frozenset()

    @classmethod
    def of_folder(
        cls,
        folder: Path,
        standard: Standard,
        pages: CrfPages | None = None,
        sections: Mapping[str, int] | None = None,
        guide_comes: bool = False,
    ) -> Documents:
        """Return the documents of a standard that exist in a folder, and its guide if that comes later.

        Without the annotated CRF there are no pages.
        """
        coming = frozenset({GUIDES[standard].file} if guide_comes else ())
        expected = (CRF, GUIDES[standard]) if standard == "sdtm" else (GUIDES[standard], PLAN)
        present = tuple(one for one in expected if one.file in coming or (folder / one.file).is_file())
        return cls(present, pages if pages and CRF in present else {}, sections or {}, coming)

    @property
    def annotated_crf(self) -> bool:
        """True if the annotated CRF is there."""
        return CRF in self.present

    @property
    def plan(self) -> bool:
        """True if the analysis plan is there."""
        return PLAN in self.present

    @property
    def supplemental(self) -> list[Document]:
        """The documents other than the annotated CRF."""
        return [one for one in self.present if one != CRF]


def document_leaves(documents: Documents) -> list[model.leaf]:
    """Return the leaves of the documents that exist."""
    return [leaf(one.leaf, one.file, one.title) for one in documents.present]


def leaf(oid: str, href: str, title: str) -> model.leaf:
    """Return a leaf: a file in the folder of define.xml with its title."""
    return model.leaf(ID=oid, href=href, title=model.title(_content=title))
