"""What a conformance rule is, and the register of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

Severity = Literal["error", "warning", "note"]
Standard = Literal["sdtm", "adam", "package"]


@dataclass(frozen=True)
class Hit:
    """What a rule found in one variable (or none) of one dataset.

    ``rows`` is True where a record breaks the rule; None if the finding is about the dataset as a whole. ``places``
    names records that are not in the dataset, such as a visit that should be there. ``detail`` says more, and
    ``severity`` is another than the rule's where a part of the rule is less certain.
    """

    dataset: str
    variable: str = ""
    rows: np.ndarray | None = None
    detail: str = ""
    places: tuple[str, ...] = ()
    severity: Severity | None = None

    @property
    def is_found(self) -> bool:
        """True unless no record breaks the rule."""
        return self.rows is None or bool(self.rows.any())


NEEDED = {
    "study": "the study's folder, with what it declares",
    "dosing": "a dosing plan (dosing) in study.yaml",
    "define": "a define.xml",
    "define_sdtm": "a define.xml of the SDTM datasets",
    "define_adam": "a define.xml of the ADaM datasets",
    "manifest": "the manifest of a package that this software made",
    "lengths": "transport files",
    "transport": "transport files",
    "formats": "files that keep display formats, or a define.xml",
    "pdf": "PDF files",
    "guide": "the version of the guide, which define.xml does not name",
    "backbone": "the study tagging file of the eCTD backbone, which lies outside m5",
    "sdtm": "the SDTM datasets",
}
"""What a rule may need, as it is called in reports."""
EVERYTHING_OF_A_BUILD = frozenset(
    {"study", "define", "define_sdtm", "define_adam", "formats", "sdtm", "guide", "terminology"}
)
"""What a build has: its own study, whose metadata define.xml is written from."""

Check = Callable[[Any], Iterator[Hit]]
"""What looks at tabulations.Tabulations, or at adam_datasets.Analyses, and yields what it finds."""


@dataclass(frozen=True)
class ConformanceRule:
    """A check under its id: one plain sentence of what must hold, and the section that says so.

    ``covers`` names the published rules that it covers (CDISC conformance rules CG, FDA business rules FDAB, validator
    rules SD). ``needs`` says without what it is not judged (see ``NEEDED``). A rule that follows a ``version``, that of
    the guide or of the terminology, only warns where the datasets are not known to be of it.
    """

    id: str
    sentence: str
    source: str
    severity: Severity
    check: Check
    standard: Standard = "sdtm"
    covers: str = ""
    needs: tuple[str, ...] = ()
    version: Literal["", "guide", "terminology"] = ""


RULES: dict[str, ConformanceRule] = {}


def rule(
    name: str,
    sentence: str,
    source: str,
    severity: Severity = "error",
    standard: Standard = "sdtm",
    covers: str = "",
    needs: tuple[str, ...] = (),
    version: Literal["", "guide", "terminology"] = "",
) -> Callable[[Check], Check]:
    """Register a check under ``name``; it yields hits, and those without a record are left out."""

    def register(check: Check) -> Check:
        if name in RULES:
            raise ValueError(f"rule {name} is registered twice")
        RULES[name] = ConformanceRule(name, sentence, source, severity, check, standard, covers, needs, version)
        return check

    return register


analysis_rule = partial(rule, standard="adam")
"""Register a check of the analysis datasets."""
