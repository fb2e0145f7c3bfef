"""The reference of the mapping language's operations, made from the operations themselves (docs/operations.md)."""

from __future__ import annotations

import inspect
from typing import Any

import sdtm.operations
from metadata.declaration_table import parameter_table
from metadata.registration import load_modules
from sdtm.operations.operation import RECORD_OPERATIONS, TABLE_OPERATIONS

HEAD = """# Operations of the mapping language

Made from the operations themselves by `python -m sdtm.mapping.operations_page > docs/operations.md`.
[mapping.md](mapping.md) tells how a mapping file is written. `when` restricts an operation to
the records for which a condition holds, `where` the records that it looks at.
"""
OF_RECORDS = """## From fields

They read fields of the block's form and make one value a record.
"""
OF_TABLES = """## From variables

They read variables that are tabulated already, and so decide in which order domains are made.
"""


def page() -> str:
    """Return the page in Markdown: each operation with what it does, its parameters and the origin it gives."""
    load_modules(sdtm.operations)
    parts = [
        HEAD,
        OF_RECORDS,
        *map(_operation, RECORD_OPERATIONS.values()),
        OF_TABLES,
        *map(_operation, TABLE_OPERATIONS.values()),
    ]
    return "\n".join(parts)


def _operation(kind: Any) -> str:
    lines = (inspect.getdoc(kind) or "").replace("``", "`").splitlines()
    ways = [line.startswith("`{") for line in lines]
    listed = "\n".join(f"* {line}" if way and sum(ways) > 1 else line for line, way in zip(lines, ways, strict=True))
    return f"### {kind.key}\n\n{listed}\n\n{parameter_table(kind.Keys)}\n\nOrigin: {kind.origin}.\n"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
