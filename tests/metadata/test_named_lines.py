"""Lines that name a field, written out or made by the words of ``for_each``."""

from __future__ import annotations

from pathlib import Path

from metadata.named_lines import named_lines
from metadata.yaml_source import load

MAPPING = """domain: LB
records:
  - form: chem
    for_each:
      alt: {test: ALT, measured_in: alt_unit, end: lo}
      ast: {test: AST, measured_in: ast_unit, end: low}
    tests:
      "{test}":
        result: "{each}"
        unit: "{measured_in}"
        variables: {LBORNRLO: {field: "{each}_{end}"}}
  - form: chem
    for_each: [a, b]
    tests: {GLUC: {result: "glu_{each}"}}
"""


def test_fields_made_by_words_of_an_item_are_named_where_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "lb.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    fields = {"alt", "alt_unit", "ast_unit", "alt_lo", "ast_low", "ast_lo", "glu_b", "glu_c"}
    found: dict[str, set[tuple[int, str]]] = {}
    for word, line in named_lines(load(path), fields):
        found.setdefault(word, set()).add((line.line, line.key))
    assert found == {
        "alt": {(9, "result"), (5, "alt")},
        "alt_unit": {(10, "unit"), (5, "alt")},
        "ast_unit": {(10, "unit"), (6, "ast")},
        "alt_lo": {(11, "variables")},
        "ast_low": {(11, "variables")},
        "glu_b": {(14, "tests")},
    }
