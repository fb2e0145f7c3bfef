"""Studies cut down from a whole one, to measure the laboratory path: with LB and ADLB, and with all but these two."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

import yaml

from adam.specification import read_specifications
from metadata.study import Study

RESULTS, ANALYSIS = "LB", "ADLB"
UNDER_RESULTS = {"DM", "EX", "DS", "SV", "SE"}  # they date the records: reference dates, visits and epochs
REASON = "not in this benchmark"


def cut(study: Study, target: Path, analysis: Collection[str]) -> Path:
    """Copy a study with those mappings only that the named analysis datasets need, and what dates their records.

    Fields that no mapping reads any longer are declared not submitted, form by form.
    """
    needed = _closure(study, analysis)
    shutil.copytree(study.folder, target, ignore=shutil.ignore_patterns("records_*", "log*.csv"))
    for path in (*target.glob("sdtm/*.yaml"), *target.glob("adam/*.yaml")):
        if path.stem.upper() not in needed | UNDER_RESULTS:
            path.unlink()
    forms = dict.fromkeys(study.project().dictionary.forms, REASON)
    content = yaml.safe_dump({"status": REASON, "forms": forms})
    (target / "sdtm" / "not_submitted.yaml").write_text(content, "utf-8")
    return target


def _closure(study: Study, wanted: Collection[str]) -> set[str]:
    """Return the analysis datasets wanted and every dataset that they read, directly or through another."""
    uses = {specification.name: specification.uses() for specification in read_specifications(study)}
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += uses.get(name, ())
    return found
