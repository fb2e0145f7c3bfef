"""The schemas for editors are schemas, and the bundled studies' files fit them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from flows.schemas import FILES, schemas, write_schemas
from metadata.study import BUNDLED
from metadata.yaml_source import load

STUDIES = sorted(path.parent for path in BUNDLED.glob("*/study.yaml"))
ALL = schemas()


@pytest.mark.parametrize("kind", sorted(FILES))
def test_each_is_a_schema(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(ALL[kind])
    assert ALL[kind]["title"]


def plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    return [plain(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("kind", sorted(set(FILES) - {"sdtm"}))
@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.name)
def test_the_bundled_studies_fit(study: Path, kind: str) -> None:
    validator = jsonschema.Draft202012Validator(ALL[kind])
    for pattern in FILES[kind]:
        for path in sorted(study.glob(pattern)):
            errors = [
                f"{path.name} {list(error.absolute_path)}: {error.message[:200]}"
                for error in validator.iter_errors(plain(load(path)))
            ]
            assert not errors


def test_what_does_not_fit() -> None:
    wrong = {"study": {"id": "S"}, "standards": {"sdtmig": "3.3"}, "redcap": {}, "cutoff": "31.12.2001", "visits": []}
    messages = [error.message for error in jsonschema.Draft202012Validator(ALL["study"]).iter_errors(wrong)]
    assert len(messages) == 2
    assert not jsonschema.Draft202012Validator(ALL["reports"]).is_valid({"populations": {}, "outputs": []})
    assert not jsonschema.Draft202012Validator(ALL["not_submitted"]).is_valid({"field": {"a": "b"}})


def test_they_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_schemas(tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(f"{kind}.schema.json" for kind in FILES)
    assert "yaml-language-server: $schema=" in capsys.readouterr().out
