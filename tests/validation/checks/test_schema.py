"""The schema of checks.yaml accepts what the reader accepts."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest

from metadata.study import Study
from validation.checks.kind import KINDS
from validation.checks.schema import checks_schema

STUDY = Study.open("spms_aza")


def declared() -> dict[str, Any]:
    return copy.deepcopy(dict(STUDY.read_yaml("checks.yaml")))


def test_the_bundled_checks_fit_the_schema() -> None:
    schema = checks_schema(STUDY.project())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(declared(), schema)


def test_every_kind_is_described() -> None:
    kinds = checks_schema()["properties"]["checks"]["items"]["oneOf"]
    assert {kind["properties"]["kind"]["const"] for kind in kinds} == set(KINDS)
    assert all(len(kind["description"]) > 20 for kind in kinds)


@pytest.mark.parametrize("change", [{"kind": "nothing"}, {"severity": "bad"}, {"form": "no_form"}, {"odd": 1}])
def test_mistakes_do_not_fit(change: dict[str, object]) -> None:
    given = declared()
    given["checks"] = [{**given["checks"][0], **change}]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(given, checks_schema(STUDY.project()))
