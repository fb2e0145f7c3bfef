"""docs/rules.md is the page of the rules, and what a rule covers is written as the publishers write it."""

from __future__ import annotations

import re
from pathlib import Path

from validation.conformance.rule import RULES
from validation.conformance.rules_page import page

DOCS = Path(__file__).resolve().parents[2] / "docs"
PUBLISHED = re.compile(r"CG\d{4}|FB\d{4}|SD\d{4}|17\d\d")


def test_the_page_is_the_one_in_docs() -> None:
    assert page() == (DOCS / "rules.md").read_text(encoding="utf-8")


def test_covered_rules_are_named_in_the_form_of_their_publishers() -> None:
    named = [name for rule in RULES.values() for name in rule.covers.split(", ") if rule.covers]
    assert len(set(named)) > 100 and all(map(PUBLISHED.fullmatch, named))
