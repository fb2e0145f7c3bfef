"""The reference of the modules that docs/programmers.md names: a page a module, with texts from its docstrings.

These are the modules that somebody needs who adds to the engine or calls it; other modules are its inside.
"""

from __future__ import annotations

import re
from pathlib import Path

NAMED = re.compile(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+)\.py`|^from ([a-z_0-9.]+) import", re.MULTILINE)
HEAD = """API reference
=============

The modules that :doc:`/programmers` names, with their public classes and functions.

.. toctree::
   :maxdepth: 1

"""


def reference_pages(root: Path) -> dict[str, str]:
    """Return a page ``api/MODULE.rst`` of each module, and ``api/index.rst``."""
    modules = named_modules(root)
    pages = {
        f"api/{name}.rst": f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :members:\n" for name in modules
    }
    return {"api/index.rst": HEAD + "".join(f"   {name}\n" for name in modules), **pages}


def named_modules(root: Path) -> list[str]:
    """Return the names of the modules of the engine that docs/programmers.md names, by their file or in an import."""
    text = (root / "docs" / "programmers.md").read_text(encoding="utf-8")
    names = {path.replace("/", ".") or module for path, module in NAMED.findall(text)}
    return sorted(name for name in names if "." in name and _is_ours(root, name))


def _is_ours(root: Path, name: str) -> bool:
    return name.partition(".")[0] != "tests" and (root / name.replace(".", "/")).with_suffix(".py").is_file()
