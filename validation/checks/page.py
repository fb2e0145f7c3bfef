"""The reference of the kinds of study checks, made from the kinds themselves and run examples (docs/checks.md)."""

from __future__ import annotations

from metadata.declaration import parameters
from metadata.declaration_table import parameter_table
from validation.checks.examples import CheckExample, all_examples
from validation.checks.kind import KINDS, own_keys

HEAD = """# Checks of the raw data

Made from the kinds themselves by `python -m validation.checks.page > docs/checks.md`; every example was run.

What the dictionary says of a field (type, format, range, choice, required, branching, place, calculation) is checked
by itself. Everything else that a data manager wants to ask is a list of checks in the study's `checks.yaml`.
Each has an `id`, a `kind`, a `severity` (error, warning or note), the `form` whose rows are judged and the `field` that
gets the query; `when_logic`, in REDCap's language, limits the rows. `problem` and `expected` may replace the kind's own
sentences: `{value}` is the queried value, `{field}` the value of a field and `{field.label}` its label. A check written
once for several fields has `for_each: [a, b]`, and `{each}` where their names differ. Partial dates are intervals, and
only what is certain is asked about. Blank values and missing-data codes are not judged unless the kind says so.

A key that takes `field or [event][field]` may also be `instance`, the number of a repeating instance.

The examples are of an invented study with three visits and a log that repeats.
"""


def page() -> str:
    """Return the page in Markdown: each kind with its sentence, its keys and an example."""
    examples = all_examples()
    families = dict.fromkeys(example.family for example in examples.values())
    parts = [HEAD]
    for family in families:
        parts.append(f"## {family.capitalize()}\n")
        parts += [_kind(name, example) for name, example in examples.items() if example.family == family]
    return "\n".join(parts)


def _kind(name: str, example: CheckExample) -> str:
    kind = KINDS[name]
    purpose = kind.purpose().replace("``", "`")
    common = [key for key in parameters(kind) if key not in own_keys(kind)]
    table = parameter_table(kind, but=common) if own_keys(kind) else "It needs no further key."
    return "\n\n".join([f"### {name}", purpose, table, f"```yaml\n{example.declared}\n```", _rows(example)]) + "\n"


def _rows(example: CheckExample) -> str:
    asked = dict(zip(example.found, example.problems, strict=True))
    names = [str(name) for name in example.rows]
    lines = [
        f"| {' | '.join(cells)} | {asked.get(number, '')} |"
        for number, cells in enumerate(example.rows.to_numpy().tolist(), start=1)
    ]
    return "\n".join([f"| {' | '.join(names)} | query |", f"|{'---|' * (len(names) + 1)}", *lines])


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
