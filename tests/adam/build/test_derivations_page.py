"""docs/derivations.md is what the words say of themselves, and its examples run."""

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from adam.build.derivations_page import page
from adam.build.examples import (
    FAMILIES,
    all_examples,
    sections,
    shown_value,
    table_of,
)
from adam.build.schema import document
from adam.language.derivation import DERIVATIONS
from metadata.declaration import parameters
from metadata.yaml_source import load

DOCS = Path(__file__).resolve().parents[3] / "docs"


def nodes():
    """Yield each derivation and its example as it is written."""
    return [pair for path in sorted(FAMILIES.glob("*.yaml")) for pair in load(path).items()]


@pytest.fixture(scope="module")
def made():
    return page()


def test_the_page_is_up_to_date(made):
    assert (DOCS / "derivations.md").read_text(encoding="utf-8") == made, (
        "python -m adam.build.derivations_page > docs/derivations.md"
    )


def test_every_word_has_a_place_and_an_example(made):
    examples = all_examples()
    words = [word for under in sections(examples).values() for word in under]
    assert sorted(words) == sorted(examples) == sorted(DERIVATIONS)
    assert re.findall(r"^### (\w+)$", made, re.MULTILINE) == words
    assert all(sections(examples).values())


def test_an_example_under_no_heading_is_refused():
    stray = {key: replace(one, section="Elsewhere") for key, one in all_examples().items() if key == "merge"}
    with pytest.raises(ValueError, match="the example of merge names the section 'Elsewhere'"):
        sections(stray)


def test_every_parameter_is_in_the_table_of_its_word(made):
    for part in re.split(r"^### ", made, flags=re.MULTILINE)[1:]:
        word = part.split("\n", 1)[0]
        lacking = [name for name in parameters(DERIVATIONS[word]) if f"| `{name}` |" not in part and name != "when"]
        assert not lacking, (word, lacking)


def test_each_example_uses_its_word_and_makes_something():
    for word, example in all_examples().items():
        assert f"{word}:" in example.declared
        if DERIVATIONS[word].adds_rows:
            assert len(example.made), word
        else:
            new = [name for name in example.made if name not in example.given]
            assert new, word
            assert any(shown_value(name, value) for name in new for value in example.made[name].tolist()), word


def test_examples_fit_the_schema_for_editors():
    schema = document()
    steps = jsonschema.Draft202012Validator({"$defs": schema["$defs"], **schema["properties"]["derivations"]})
    for word, node in nodes():
        assert steps.is_valid(json.loads(json.dumps(node["derivation"]))), word
        assert not steps.is_valid([{word: {"no such parameter": 1}}]), word


def test_the_schema_offers_when_only_to_words_that_add_no_records():
    schema = document()
    steps = jsonschema.Draft202012Validator({"$defs": schema["$defs"], **schema["properties"]["derivations"]})
    for word, node in nodes():
        narrowed = [{word: {**node["derivation"][0][word], "when": {"AVAL": 1}}}]
        assert steps.is_valid(narrowed) == (not DERIVATIONS[word].adds_rows), word


def test_tables_of_examples():
    table = table_of('ADT         N  CODE\n2000-01-01  1  "2"\n.           .  .')
    assert table["ADT"].tolist()[0] == 14610.0
    assert np.isnan(table["ADT"][1])
    assert table["CODE"].tolist() == ["2", ""]
    assert [shown_value("ADT", value) for value in table["ADT"].tolist()] == ["2000-01-01", ""]


def test_each_derivation_says_in_a_sentence_how_each_of_its_variables_came_about() -> None:
    for key, example in all_examples().items():
        assert example.sentences, key
        for name, text in example.sentences.items():
            assert text.strip().endswith("."), (key, name, text)
            assert "None" not in text and "()" not in text, (key, name, text)
