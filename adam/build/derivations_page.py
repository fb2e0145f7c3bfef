"""The reference of the derivation language, made from the words themselves and run examples (docs/derivations.md)."""

from __future__ import annotations

import inspect

import pandas as pd

from adam.build.examples import (
    Example,
    all_examples,
    sections,
    shown,
)
from adam.language.derivation import WORDS, Derivation
from metadata.declaration_table import parameter_table, part_tables

HEAD = """# Derivations of the analysis datasets

Made from the words themselves by `python -m adam.build.derivations_page > docs/derivations.md`; every example was run.

An analysis dataset is declared in the study's `adam/<dataset>.yaml` as a list of derivations, each one word with its
parameters. The order in which they are written does not matter: each says what it reads and makes, and the order is
computed from that. Only a word that adds records divides the list: what stands before it is done before it, what stands
after it is done for the added records too. A word that adds none may have `when`, a condition: where it does not hold,
the new variables are missing. `redcap-cdisc check STUDY` says what is wrong without any data, with file, line and key,
and editors complete the words from the schema that `redcap-cdisc schema --out schemas` writes.

A condition names variables and what must hold: `{SAFFL: Y, AVAL: {below: 1.5}}`; all of it must hold, and of a list of
such conditions any. The tests are `is` (which need not be written), `not`, `missing`, `below`, `at_most`, `above` and
`at_least`; a comparison may be with another variable and an offset, `{above: {variable: TRTEDT, plus: 30}}`.

Dates are numbers, days since 1960-01-01; datetimes are seconds. The examples show them as dates. Missing is an empty
cell. "Rule" names where a word's rule comes from; where guides leave a choice it is a parameter, and its default is in
the table. A `variable` is one of the dataset in the making, a `new variable` one that the word makes.
"""


def page() -> str:
    """Return the page in Markdown."""
    examples = all_examples()
    parts = [HEAD]
    for heading, words in sections().items():
        parts += [f"## {heading}\n", *(_word(WORDS[word], examples[word]) for word in words)]
    return "\n".join(parts)


def _word(word: type[Derivation], example: Example) -> str:
    purpose, _, rest = (inspect.getdoc(word) or "").replace("``", "`").partition("\n\n")
    parts = [f"### {word.word}", purpose, rest, f"Rule: {example.source}.", parameter_table(word, but=("when",))]
    parts += part_tables(word)
    parts += ["Given", _table(example.given)]
    for name, frame in example.datasets.items():
        parts += [f"and {name}", _table(frame)]
    for name, text in example.files.items():
        parts += [f"and the study's {name}", f"```{'python' if name.endswith('.py') else 'text'}\n{text.strip()}\n```"]
    parts += [f"```yaml\n{example.declared}\n```", "adds" if word.adds_rows else "gives", _table(example.made)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(frame: pd.DataFrame) -> str:
    names = [str(name) for name in frame]
    columns = [[shown(name, value) for value in frame[name].tolist()] for name in names]
    rows = [" | ".join(row) for row in zip(*columns, strict=True)]
    return "\n".join([f"| {' | '.join(names)} |", f"|{'---|' * len(names)}", *(f"| {row} |" for row in rows)])


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
