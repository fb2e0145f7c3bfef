"""``python -m docs.site [FOLDER]``: build the pages; exit code 1 if Sphinx warns of anything."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from docs.site.sources import ROOT, write_sources


def build(out: Path) -> int:
    """Build the pages into a folder, which is replaced; what Sphinx reads and keeps goes to folders next to it."""
    from sphinx.cmd.build import build_main

    sources, doctrees = out.with_name(f"{out.name}-sources"), out.with_name(f"{out.name}-doctrees")
    for folder in (out, sources, doctrees):
        shutil.rmtree(folder, ignore_errors=True)
    write_sources(sources)
    settings = ["-c", str(Path(__file__).parent), "-d", str(doctrees)]
    return build_main(["-q", "-W", "--keep-going", *settings, str(sources), str(out)])


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs"
    code = build(target)
    if code == 0:
        print(f"open {target / 'index.html'}")  # noqa: T201
    sys.exit(code)
