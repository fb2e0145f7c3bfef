"""What of a package speaks against its release: open queries, unexplained findings, expectations that are not met."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metadata.errors import UsageError
from publish.disk import outside
from publish.manifest import CONFORMANCE

QUERIES = "validation/queries.csv"
ACCEPTANCE = "validation/acceptance.json"
OPEN = ("new", "open")
NOTE = "note"


@dataclass(frozen=True)
class OpenPoint:
    """One point: its id, by which it is waived, its kind, its severity, and what it is about, without any value.

    The id of a query holds as long as its value; that of a finding names the number of its records, and that of an
    expectation what was observed. So a waiver never covers what came later.
    """

    id: str
    kind: str
    severity: str
    sentence: str


def open_points(package: Path) -> list[OpenPoint]:
    """Return the points of a package in the order of its files; raises UsageError for files that cannot be read."""
    try:
        return [*_queries(package / QUERIES), *_findings(package / CONFORMANCE), *_unmet(package / ACCEPTANCE)]
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{package}: its queries, conformance or acceptance cannot be read; verify the package"
        ) from None


def _queries(path: Path) -> Iterator[OpenPoint]:
    import pandas as pd

    with outside(f"read {path}"):
        listed = pd.read_csv(path, dtype="str", keep_default_na=False)
    asked = listed[listed["status"].isin(list(OPEN))]
    columns = (asked[name].tolist() for name in ("query_id", "severity", "rule", "form", "field"))
    for number, severity, rule, form, field in zip(*columns, strict=True):
        place = "/".join(filter(None, (form, field)))
        yield OpenPoint(f"query:{number}", "query", severity, f"{rule} at {place}" if place else rule)


def _findings(path: Path) -> Iterator[OpenPoint]:
    for one in _read(path)["findings"]:
        if not one["explained"] and one["severity"] != NOTE:
            where = ":".join((one["rule"], one["dataset"], one["variable"] or "-", str(one["records"])))
            yield OpenPoint(f"finding:{where.replace(' ', '')}", "finding", one["severity"], one["sentence"])


def _unmet(path: Path) -> Iterator[OpenPoint]:
    for dataset in _read(path)["datasets"]:
        for one in dataset["expectations"]:
            if one["met"] is False:
                text = json.dumps({**one, "dataset": dataset["dataset"]}, sort_keys=True)
                number = hashlib.sha256(text.encode()).hexdigest()[:12]
                name = str(dataset["dataset"])
                yield OpenPoint(f"expectation:{name}:{number}", "expectation", "error", f"{name}: {one['sentence']}")


def _read(path: Path) -> dict[str, Any]:
    with outside(f"read {path}"):
        text = path.read_text("utf-8")
    content = json.loads(text)
    if not isinstance(content, dict):
        raise TypeError("no object")
    return content
