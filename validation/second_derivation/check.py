"""Every endpoint of verify.yaml derived a second time and compared; the result as JSON, and what stops a build."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.condition import DatasetKinds
from metadata.dataset import Dataset
from metadata.errors import StudyError, nearest
from metadata.frame_columns import FrameColumns
from metadata.study import Study
from validation.second_derivation.comparison import DIFFERS, Compared, compare
from validation.second_derivation.declaration import (
    FOLDER,
    RESULTS,
    Declaration,
    VerifiedEndpoint,
    check_columns,
    read_declaration,
)
from validation.second_derivation.tables import SqlTables, check_queries, shown_query

if TYPE_CHECKING:
    import pandas as pd


def second_derivation(
    study: Study, sdtm: Mapping[str, Dataset], adam: Mapping[str, Dataset], results: pd.DataFrame | None
) -> dict[str, Any]:
    """Return what deriving the endpoints again from ``sdtm`` shows, as plain data, the same from run to run.

    Keys: study, engine, counts (endpoints, records, values, differences, empty), endpoints (each with its numbers) and
    findings (see ``comparison.Compared``). Raises StudyError for a declaration or a query that does not fit, and
    for an endpoint that would compare nothing.
    """
    declaration = read_declaration(study)
    ours = {name: one.frame for name, one in adam.items()} | ({} if results is None else {RESULTS: results})
    for endpoint in declaration.endpoints:
        check_columns(endpoint, {name: FrameColumns(frame).kinds for name, frame in ours.items()})
    kinds = {name: one.metadata.kinds for name, one in adam.items()}
    compared = list(_compared(study, declaration, sdtm, ours, kinds))
    findings = [finding for one in compared for finding in one.findings]
    pairs = list(zip(declaration.endpoints, compared, strict=True))
    return {
        "study": study.studyid,
        "engine": _engine(),
        "counts": {
            "endpoints": len(pairs),
            "records": sum(one.ours for one in compared),
            "values": sum(one.judged for one in compared),
            "differences": len(findings),
            "empty": sum(not one.ours and not one.second for one in compared),
        },
        "endpoints": [_entry(endpoint, one) for endpoint, one in pairs],
        "findings": findings,
    }


def _engine() -> str:
    import duckdb

    return f"DuckDB {duckdb.__version__}"


def _compared(
    study: Study, declaration: Declaration, sdtm: Mapping[str, Dataset], ours: Mapping[str, pd.DataFrame],
    kinds: DatasetKinds,
) -> Iterator[Compared]:  # fmt: skip
    if not declaration.endpoints:
        return
    with SqlTables(study, declaration, sdtm) as tables:
        for endpoint in declaration.endpoints:
            second = tables.ask(endpoint.query, {*endpoint.keys, *endpoint.variables})
            place = shown_query(study, endpoint.query)
            yield compare(endpoint, ours[endpoint.dataset], second, place, kinds.get(endpoint.dataset))


def _entry(endpoint: VerifiedEndpoint, compared: Compared) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "title": endpoint.title,
        "plan": endpoint.plan,
        "query": f"{FOLDER}/{endpoint.query}",
        "dataset": endpoint.dataset,
        "where": endpoint.node["where"] if endpoint.where else {},
        "records_compared": str(endpoint.condition),
        "keys": list(endpoint.keys),
        "variables": list(endpoint.variables),
        "tolerance": endpoint.tolerance,
        "records": compared.ours,
        "records_second": compared.second,
        "values": compared.judged,
        "differences": len(compared.findings),
    }


def write_json(result: Mapping[str, Any], path: Path) -> None:
    """Write the result as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def stop_at_differences(result: Mapping[str, Any]) -> None:
    """Raise StudyError if any endpoint differs: names the first, its place without its values, and how many more."""
    findings = result["findings"]
    if not findings:
        return
    first = findings[0]
    endpoint = next(one for one in result["endpoints"] if one["id"] == first["endpoint"])
    what = f"{first['variable']} differs" if first["finding"] == DIFFERS else f"a record is {first['finding']}"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    raise StudyError(
        f"{endpoint['title']}: {first['dataset']} and the second derivation ({endpoint['query']}) do not agree,"
        f" {what} where {first['keys']}{more}"
    )


def check_second_derivation(
    study: Study, kinds: DatasetKinds, sections: Collection[str], tabulated: DatasetKinds
) -> Iterator[StudyError]:
    """Yield what is wrong with the declaration and its queries, without data.

    ``kinds`` are those of the columns of each dataset that is compared, ``sections`` those of the analysis plan,
    ``tabulated`` the kinds of the variables of the SDTM datasets, as far as they are known.
    """
    declaration = read_declaration(study)
    for endpoint in declaration.endpoints:
        try:
            check_columns(endpoint, kinds)
        except StudyError as error:
            yield error
        if endpoint.plan and endpoint.plan not in sections:
            sentence = f"the analysis plan has no section '{endpoint.plan}'{nearest(endpoint.plan, sections)}"
            yield endpoint.error(sentence, "plan")
    if declaration.endpoints:
        yield from check_queries(study, declaration, tabulated)
