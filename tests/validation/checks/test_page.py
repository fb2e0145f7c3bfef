"""Every kind of check has an example that finds what its file says, and docs/checks.md is the page of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from validation.checks.declaration import load_checks  # noqa: F401 registers the kinds
from validation.checks.examples import CheckExample, all_examples
from validation.checks.kind import KINDS
from validation.checks.page import page

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture(scope="module")
def examples() -> dict[str, CheckExample]:
    return all_examples()


def test_every_kind_has_one_example_beside_its_module(examples: dict[str, CheckExample]) -> None:
    assert {name: kind.judge.__module__.rpartition(".")[2] for name, kind in KINDS.items()} == {
        name: example.family for name, example in examples.items()
    }


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_example_asks_about_the_rows_that_its_file_names(kind: str, examples: dict[str, CheckExample]) -> None:
    assert examples[kind].found == examples[kind].expected
    assert len(examples[kind].found) > 0


def test_the_page_is_the_one_in_docs() -> None:
    assert page() == (DOCS / "checks.md").read_text(encoding="utf-8")
