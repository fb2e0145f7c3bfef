"""The JSON Schema that editors complete mapping files with."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from metadata.study import BUNDLED
from sdtm.build.study_mapping import OTHER_FILES
from sdtm.mapping.schema import mapping_schema
from sdtm.operations.operation import RECORD_OPERATIONS, TABLE_OPERATIONS

FILES = sorted(path for path in BUNDLED.glob("*/sdtm/*.yaml") if f"sdtm/{path.name}" not in OTHER_FILES)


def texts(node: Any) -> Any:
    """Keys of mapping files are texts, whatever YAML makes of 1 and Y."""
    if isinstance(node, dict):
        return {str(key): texts(value) for key, value in node.items()}
    return [texts(item) for item in node] if isinstance(node, list) else node


def test_the_schema_is_one() -> None:
    assert RECORD_OPERATIONS
    assert TABLE_OPERATIONS
    jsonschema.Draft202012Validator.check_schema(mapping_schema())


def test_every_word_is_described() -> None:
    described = {entry["required"][0] for entry in mapping_schema()["$defs"]["operation"]["anyOf"]}
    assert described == {*RECORD_OPERATIONS, *TABLE_OPERATIONS}
    assert all(entry["description"] for entry in mapping_schema()["$defs"]["operation"]["anyOf"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_the_bundled_mappings_fit_it(path: Any) -> None:
    jsonschema.validate(texts(yaml.safe_load(path.read_text(encoding="utf-8"))), mapping_schema())


def test_an_unknown_word_does_not_fit() -> None:
    body = {"domain": "AE", "records": {"form": "f", "variables": {"AETERM": {"feild": "x"}}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, mapping_schema())
