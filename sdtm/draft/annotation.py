"""What a field's annotation says of SDTM, next to REDCap's action tags.

Read are, after ``SDTM:`` and separated by ``;``, a comma or a new line: ``AE.AETERM``, ``AETERM``, ``LB.LBORRES.ALT``,
``LBORRES where LBTESTCD = ALT``, ``SUPPAE.AERELX``, ``NOT SUBMITTED``; and as REDCap2SDTM writes it, ``IT.DM.SEX``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SEEDS = re.compile(r"SDTM\s*[:=]\s*(?P<body>[^\n\]@]*)", re.IGNORECASE)
NOT_SUBMITTED = re.compile(r"not\s+(?:to\s+be\s+)?submitted", re.IGNORECASE)
WHERE = re.compile(r"^(?P<name>\S+)\s+(?:where|when|if)\s+\S*TESTCD\s*=\s*[\"']?(?P<test>\w+)", re.IGNORECASE)
ITEM = re.compile(r"^IT\.", re.IGNORECASE)
DOTTED = re.compile(r"^(?:(?P<domain>[A-Z][A-Z0-9]{1,7})\.)?(?P<name>[A-Z][A-Z0-9_]{1,7})(?:\.(?P<test>\w{1,8}))?$")


@dataclass(frozen=True)
class Seed:
    """One place that an annotation names: a variable of a domain, of a test or supplemental; or not submitted."""

    domain: str = ""
    variable: str = ""
    test: str = ""
    supplemental: bool = False
    not_submitted: bool = False


def seeds(annotation: str) -> tuple[list[Seed], list[str]]:
    """Return what an annotation names, and the pieces after ``SDTM:`` that cannot be read."""
    found: list[Seed] = []
    strange: list[str] = []
    for match in SEEDS.finditer(annotation):
        for piece in re.split(r"[;,]", match["body"]):
            text = piece.strip(" .\t\r\"'")
            if not text:
                continue
            made = _seed(ITEM.sub("", re.sub(r"^SDTM\s*[:=]\s*", "", text, flags=re.IGNORECASE)))
            if made is None:
                strange.append(text)
            else:
                found.append(made)
    return found, strange


def _seed(text: str) -> Seed | None:
    if NOT_SUBMITTED.fullmatch(text):
        return Seed(not_submitted=True)
    where = WHERE.match(text)
    named = DOTTED.match((where["name"] if where else text).upper())
    if not named:
        return None
    domain, test = named["domain"] or "", (where["test"] if where else named["test"] or "").upper()
    supplemental = domain.startswith("SUPP")
    domain = domain.removeprefix("SUPP") if supplemental else domain
    return Seed(domain or named["name"][:2], named["name"], test, supplemental)
