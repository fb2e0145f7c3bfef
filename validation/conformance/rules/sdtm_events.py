"""Rules about adverse events and other occurrences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets

ADVERSE = "SDTMIG 3.3, section 6.2.1"
CRITERIA = ("AESCONG", "AESDISAB", "AESDTH", "AESHOSP", "AESLIFE", "AESMIE", "AESCAN", "AESOD")
RESOLVED = ("RECOVERED/RESOLVED", "RECOVERED/RESOLVED WITH SEQUELAE", "FATAL")


def _adverse(data: SdtmDatasets) -> list[Domain]:
    return [domain for domain in data.of_domain("AE") if domain.has("AETERM")]


@rule(
    "serious.criterion",
    "A serious event meets a criterion of seriousness, and another event none.",
    ADVERSE,
    covers="CG0041, CG0042",
)
def serious_criterion(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _adverse(data):
        named = [name for name in CRITERIA if domain.has(name)]
        if domain.has("AESER") and named:
            met = np.logical_or.reduce([domain.equals(name, "Y") for name in named])
            yield Hit(domain.name, "AESER", domain.equals("AESER", "Y") & ~met | domain.equals("AESER", "N") & met)


@rule("serious.death", "A fatal outcome and a result of death come together.", ADVERSE)
def serious_death(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _adverse(data):
        if domain.has("AEOUT", "AESDTH"):
            yield Hit(domain.name, "AEOUT", domain.equals("AEOUT", "FATAL") != domain.equals("AESDTH", "Y"))


@rule(
    "outcome.end",
    "A resolved event has an end, and one that is not resolved has none.",
    ADVERSE,
    "warning",
    covers="FB3409, FB3410",
)
def outcome_end(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _adverse(data):
        if domain.has("AEOUT", "AEENDTC"):
            ended = domain.filled("AEENDTC")
            done, lasting = domain.equals("AEOUT", *RESOLVED), domain.equals("AEOUT", "NOT RECOVERED/NOT RESOLVED")
            yield Hit(domain.name, "AEENDTC", done & ~ended | lasting & ended)


@rule("occurrence.prespecified", "An occurrence is asked only of what is prespecified, and is answered or not done.",
      "SDTMIG 3.3, section 4.5.7", covers="CG0086, CG0087")  # fmt: skip
def occurrence_prespecified(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("--OCCUR"):
        asked = domain.equals("--PRESP", "Y")
        yield Hit(domain.name, domain.full("--OCCUR"), domain.filled("--OCCUR") & ~asked)
        undone = domain.equals("--STAT", "NOT DONE")
        yield Hit(domain.name, domain.full("--OCCUR"), asked & (domain.filled("--OCCUR") == undone))


@rule("criterion.violated", "IE holds only criteria that a subject did not meet.", "SDTMIG 3.3, section 6.3.4")
def criterion_violated(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("IE"):
        if domain.has("IECAT", "IEORRES"):
            wrong = domain.equals("IECAT", "INCLUSION") & ~domain.equals("IEORRES", "N")
            wrong |= domain.equals("IECAT", "EXCLUSION") & ~domain.equals("IEORRES", "Y")
            yield Hit(domain.name, "IEORRES", wrong)
