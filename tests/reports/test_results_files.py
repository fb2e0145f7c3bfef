"""The results data as Dataset-JSON and CDISC ARS: nothing is lost, every reference resolves, the same bytes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jsonschema import Draft7Validator

from metadata.dataset import Dataset
from metadata.study import Study
from reports.compute import compute
from reports.exchange.ars import reporting_event
from reports.exchange.ars_subsets import common, condition, where_clause
from reports.exchange.dataset_json import dataset_json
from reports.results.index import rows_by_output
from reports.results.specification import read_specification
from reports.templates import KEYS

# Required properties of the classes of ars_ldm 1.0 (project/jsonschema/ars_ldm.schema.json of cdisc-org).
REQUIRED = {
    "analysisSets": {"id", "level", "order"}, "analysisGroupings": {"id", "dataDriven"},
    "dataGroupings": {"id", "dataDriven"}, "dataSubsets": {"id", "level", "order"},
    "methods": {"id", "operations", "name"},
    "analyses": {"id", "reason", "purpose", "methodId", "name"}, "outputs": {"id", "displays", "name"},
}  # fmt: skip


@pytest.fixture(scope="module")
def results(study: Study, adam: dict[str, Dataset]) -> pd.DataFrame:
    return compute(study, adam)


@pytest.fixture(scope="module")
def event(study: Study, results: pd.DataFrame) -> dict[str, Any]:
    specification = read_specification(study, KEYS)
    read: dict[str, Any] = json.loads("".join(reporting_event(study, specification, rows_by_output(results), {})))
    return read


def test_dataset_json_holds_every_row(study: Study, results: pd.DataFrame) -> None:
    text = "".join(dataset_json(results, study.studyid, "2001-12-31"))
    read = json.loads(text)
    assert read["records"] == len(read["rows"]) == len(results)
    written = [name for name in results.columns if name not in ("line", "analysed")]
    assert [column["name"].lower() for column in read["columns"]] == written
    back = pd.DataFrame(read["rows"], columns=written)
    assert back["text"].tolist() == results["text"].tolist()
    pd.testing.assert_series_equal(back["value"].astype(float), results["value"])
    assert read["datasetJSONCreationDateTime"] == "2001-12-31T00:00:00"
    longest = {column["name"]: column.get("length") for column in read["columns"]}
    assert longest["FILTER"] == results["filter"].str.len().max()
    assert text == "".join(dataset_json(results, study.studyid, "2001-12-31"))


def test_dataset_json_is_read_by_an_independent_model(study: Study, results: pd.DataFrame) -> None:
    from odmlib.dataset_json_1_1.model import Column, DatasetJSON

    content = json.loads("".join(dataset_json(results.head(50), study.studyid, "2001-12-31")))
    columns = [Column(**column) for column in content.pop("columns")]
    model = DatasetJSON(**content, columns=columns)
    assert model.records == 50
    assert model.to_dict()["columns"][8]["dataType"] == "double"


def test_a_value_that_is_not_estimable_is_null(study: Study, results: pd.DataFrame) -> None:
    missing = results.assign(value=math.nan).head(1)
    assert json.loads("".join(dataset_json(missing, study.studyid, "2001-12-31")))["rows"][0][8] is None


def test_the_event_has_what_the_model_requires(event: dict[str, Any]) -> None:
    assert {"id", "name", "mainListOfContents"} <= set(event)
    for name, required in REQUIRED.items():
        assert event[name], name
        for item in event[name]:
            assert required <= set(item), (name, item["id"])
        identifiers = [item["id"] for item in event[name]]
        assert len(set(identifiers)) == len(identifiers), name


def test_the_event_is_valid_against_the_schema_of_cdisc(event: dict[str, Any]) -> None:
    schema = json.loads((Path(__file__).parent / "ars_ldm.schema.json").read_text(encoding="utf-8"))
    Draft7Validator(schema).validate(event)
    wrong = {**event, "dataSubsets": [{key: value for key, value in event["dataSubsets"][0].items() if key != "name"}]}
    assert [error.message for error in Draft7Validator(schema).iter_errors(wrong)] == ["'name' is a required property"]


def test_every_statistic_is_a_result(event: dict[str, Any], results: pd.DataFrame) -> None:
    found = [result for analysis in event["analyses"] for result in analysis["results"]]
    assert len(found) == len(results)
    assert sorted(result["formattedValue"] for result in found) == sorted(results["text"])
    assert sum("rawValue" not in result for result in found) == int(results["value"].isna().sum())


def test_every_reference_resolves(event: dict[str, Any]) -> None:
    known = {name: {item["id"] for item in event[name]} for name in REQUIRED}
    groupings = known["analysisGroupings"] | known["dataGroupings"]
    operations = {operation["id"] for method in event["methods"] for operation in method["operations"]}
    groups = {group["id"] for grouping in event["analysisGroupings"] for group in grouping["groups"]}
    for analysis in event["analyses"]:
        assert analysis["methodId"] in known["methods"]
        assert analysis["analysisSetId"] in known["analysisSets"]
        assert analysis.get("dataSubsetId") in {None, *known["dataSubsets"]}
        assert {grouping["groupingId"] for grouping in analysis["orderedGroupings"]} <= groupings
        assert {result["operationId"] for result in analysis["results"]} <= operations
        used = [group for result in analysis["results"] for group in result.get("resultGroups", [])]
        assert {group["groupId"] for group in used if "groupId" in group} <= groups
    listed = event["mainListOfContents"]["contentsList"]["listItems"]
    assert {item["outputId"] for item in listed} == known["outputs"]
    assert {part["analysisId"] for item in listed for part in item["sublist"]["listItems"]} == known["analyses"]


def test_filters_become_where_clauses() -> None:
    assert condition("ADLB", "AVAL == AVAL") == {
        "dataset": "ADLB", "variable": "AVAL", "comparator": "NE", "value": [""],
    }  # fmt: skip
    assert condition("ADLB", "AVISITN in (0, 12)") == {
        "dataset": "ADLB", "variable": "AVISITN", "comparator": "IN", "value": ["0", "12"],
    }  # fmt: skip
    assert condition("ADLB", "ATOXGR > BTOXGR") is None
    shared = common(["A == 'Y' and B == 'and' and C > 1", "A == 'Y' and B == 'and'"])
    assert shared == ["A == 'Y'", "B == 'and'"]
    assert common(["A == 'x and y' and B in ('it\\'s', \"and 'so' and on\") and C > 1"]) == [
        "A == 'x and y'", "B in (\"it's\", \"and 'so' and on\")", "C > 1",
    ]  # fmt: skip
    assert common(["(A == 'x' and B == 'y') and C > 1"]) == ["A == 'x' and B == 'y'", "C > 1"]
    assert common(["(A == 'x' and B == 'y') or (C > 1)"]) == ["A == 'x' and B == 'y' or C > 1"]
    assert len(where_clause("ADLB", shared)["compoundExpression"]["whereClauses"]) == 2
    assert where_clause("ADLB", ["X > Y"]) == {}
