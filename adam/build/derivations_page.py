"""The reference of the derivations, made from their declarations and from run examples (docs/derivations.md)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

import pandas as pd

from adam.build import admiral
from adam.build.examples import (
    Example,
    all_examples,
    sections,
    shown_value,
)
from adam.derivations.formula_records import FormulaRecords
from adam.language.clinical_formulas import FORMULAS, UNITS
from adam.language.derivation import DERIVATIONS, Derivation
from metadata.declaration_table import parameter_table, part_tables

HEAD = """# Derivations of the analysis datasets

Made from their declarations by `python -m adam.build.derivations_page > docs/derivations.md`; every example was run.

An analysis dataset is declared in the study's `adam/<dataset>.yaml` as a list of derivations, each with its parameters.
The order in which they are written does not matter: each says what it reads and makes, and the order is computed from
that. Only a derivation that adds records divides the list: what is written before it is done before it, what is written
after it is done for the added records too. `redcap-cdisc check STUDY` says what is wrong without any data, with file,
line and key, and editors complete derivations and keys from the schema that `redcap-cdisc schema --out schemas` writes.

One key has one role in all derivations:

{keys}

Named inputs (`value`, `base`, `date`, `start`, `end`, `reference`, `low`, `high`) are variables. What ADaM itself names
(PARAMCD, PARAM, AVISIT, AVISITN, DTYPE, AWTARGET, CNSR) is read or made under that name and has no key.

A condition names variables and what must hold: `{SAFFL: Y, AVAL: {below: 1.5}}`; all of it must hold, and of a list of
such conditions any. The tests are `is` (which need not be written), `not`, `missing`, `below`, `at_most`, `above` and
`at_least`; a comparison may be with another variable and an offset, `{above: {variable: TRTEDT, plus: 30}}`. `from` and
`to` are days of the calendar: `{ADT: {from: 2019-01-01}}`. A bare text is a text, never the name of a variable.

A variable holds texts, numbers, dates (days since 1960-01-01), datetimes (seconds) or times (seconds since midnight).
It is known before any data which: by the display format of its dataset, or by the derivation that makes it. A parameter
that is a `date or datetime variable` looks at the day of a datetime; of another kind it is refused. `plus` of a
condition counts days, whether the variables are dates or datetimes; a date is not compared with a datetime (take its
`date_of` first), nor with a number. What the dataset lists holds what its format says, else what the end of its name
says (ADaMIG 1.3, section 3.1.2): DT a date, DTM a datetime, TM a time, DY a number.

Where `order` sorts, a missing value comes last in either direction, so that `mode: last` takes the highest value that
is there (admiral, by R's order, takes a missing one). The records of a finished dataset are sorted by its keys with
missing values first, as SAS has them, and `sequence` numbers them so.

The examples show dates and datetimes as such. Missing is an empty cell. "Rule" names where a derivation's rule comes
from; where guides leave a choice it is a parameter, and its default is in the table. A `variable` is one of the dataset
in the making, a `new variable` one that the derivation makes.

## Where a rule differs from admiral's

The values of admiral's own tests hold here too (`tests/adam/*_as_admiral.py`), but where the derivation has another
default, or an error in place of a choice:

{differences}

## Coming from admiral

What answers each function of admiral 1.x here. Where the answer is put together of several derivations, or is another
one, the last column says so; `-` is a way of writing programs that a declaration does not need.

{admiral}
"""

KEYS = {
    "`source`": "the variable, or the variables, that the new one is made of",
    "`to`": "the new variable; a further one has a key that begins with `to_` (`to_flag`, `to_number`, `to_unit`)",
    "`variables`": "new variables, each with the one that it copies (`NEW: OLD`, or a list of equal names)",
    "`where`": "condition: the records that are looked at, of this dataset or of the other one (`dataset`)",
    "`when`": "condition: the records that are written; elsewhere the new variables are missing",
    "`condition`": "condition: what is judged",
    "`by`": "variables whose values make a group",
    "`order`, `mode`": "how a group is sorted (`-` before a name: descending), and which of it is taken",
    "`dataset`": "another dataset, whose records with the same values of `by` are looked at",
    "`paramcd`, `param`, `paramn`, `parcat1`": "code, label, number and category of a parameter that is made",
    "`from_paramcd`": "codes of the parameters that it is made of",
    "`set`, `blank`": "texts and numbers that added records get, and variables that they do not copy",
    "`text`, `otherwise`, `if_missing`": "what is written where a condition holds, where not, where nothing is known",
    "`unit_factors`": "factors from one unit to another",
}


DIFFERENCES = {
    "`order` with missing values": "`mode: last` takes the highest value; admiral the missing one, which R sorts last",
    "records that `order` does not tell apart": "an error, also of merged and added records; admiral warns and takes"
    " the first",
    "`date`, `datetime`": "an imputed date is never after the cut-off; a limit beyond what is known of the date leaves"
    " it missing, admiral passes over it (`limits: compatible`)",
    "`exists`": 'N without a record; admiral leaves it missing (`otherwise: ""`)',
    "`shift`": 'missing unless both values are there; admiral writes NULL (`if_missing: "NULL"`)',
    "`treatment_emergent`": "up to 30 days after treatment; admiral has no last day (`days: null`)",
    "`on_treatment`": "from the day after the first dose to 30 days after the last, of dated records; admiral"
    " `skip_first_day: false, days: 0, undated: true`",
    "`range_indicator`": "equal to 12 significant digits; admiral to 15 (`digits: 15`)",
    "`grade`": "the baseline record and earlier ones are graded as with a normal baseline; admiral grades them by their"
    " own multiple of it. A result in another unit than the table's needs a factor; admiral gives it no grade",
    "`time_to_event`": "makes AVAL, too. An event before the start or without a date is asked about; admiral sets the"
    " first to the start (`earlier: at_start`) and leaves out the second (`without_date: ignored`). A date that was"
    " moved to the start has the start as its source; admiral keeps that of the record. Of one day and kind the lowest"
    " `sequence` counts",
    "`summary`, `summary_records`": "missing values are passed over, as with na.rm; variables in which the records of a"
    " group differ are missing in the new one",
    "`change`, `product`, `quotient`, sums, means": "rounded to 12 significant digits, so that 1.32 - 1.5 is -0.18",
}


def page() -> str:
    """Return the page in Markdown."""
    examples = all_examples()
    keys = "\n".join(["| key | role |", "|---|---|", *(f"| {key} | {role} |" for key, role in KEYS.items())])
    differences = [f"| {what} | {how} |" for what, how in DIFFERENCES.items()]
    head = HEAD.replace("{keys}", keys)
    head = head.replace("{admiral}", admiral.table())
    parts = [
        head.replace("{differences}", "\n".join(["| derivation | here, and in admiral |", "|---|---|", *differences]))
    ]
    for heading, keys_ in sections(examples).items():
        parts += [f"## {heading}\n", *(_derivation(DERIVATIONS[key], examples[key]) for key in keys_)]
    return "\n".join(parts)


def _derivation(made: type[Derivation], example: Example) -> str:
    purpose, _, rest = (inspect.getdoc(made) or "").replace("``", "`").partition("\n\n")
    parts = [
        f"### {made.key}",
        purpose,
        rest,
        f"Rule: {example.source}.",
        admiral.sentence(made.key),
        parameter_table(made, but=("when",)),
    ]
    parts += part_tables(made)
    parts += [_formulas()] if made is FormulaRecords else []
    parts += ["Given", _table(example.given)]
    for name, frame in example.datasets.items():
        parts += [f"and {name}", _table(frame)]
    for name, text in example.files.items():
        parts += [f"and the study's {name}", f"```{'python' if name.endswith('.py') else 'text'}\n{text.strip()}\n```"]
    parts += [f"```yaml\n{example.declared}\n```", "adds" if made.adds_rows else "gives", _table(example.made)]
    parts += ["and define.xml says", _sentences(example.sentences)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _formulas() -> str:
    """Return a table of the published formulas."""
    rows = ["| formula | is | takes | gives | published |", "|---|---|---|---|---|"]
    for name, one in FORMULAS.items():
        taken = [f"{symbol} ({', '.join(UNITS[unit])})" for symbol, unit in one.units.items()]
        taken += [{"AGE": "`age`", "FEMALE": "`sex`", "BLACK": "`race`"}[each] for each in one.subject]
        rows.append(f"| `{name}` | {_escaped(one.text)} | {', '.join(taken)} | {one.result} | {one.source} |")
    return "\n".join(rows)


def _sentences(sentences: Mapping[str, str]) -> str:
    """Return the variables with their sentences; those with the same sentence together."""
    together: dict[str, list[str]] = {}
    for name, text in sentences.items():
        together.setdefault(text, []).append(name)
    return "\n".join(f"* {', '.join(names)}: {_escaped(text)}" for text, names in together.items())


def _escaped(text: str) -> str:
    """Return a text in which nothing is Markdown."""
    return re.sub(r"([\\*_<`|\[\]])", r"\\\1", text)


def _table(frame: pd.DataFrame) -> str:
    names = [str(name) for name in frame]
    columns = [[shown_value(name, value) for value in frame[name].tolist()] for name in names]
    rows = [" | ".join(row) for row in zip(*columns, strict=True)]
    return "\n".join([f"| {' | '.join(names)} |", f"|{'---|' * len(names)}", *(f"| {row} |" for row in rows)])


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
