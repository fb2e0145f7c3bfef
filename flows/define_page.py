"""The page of a define.xml that somebody wrote, as a file."""

from __future__ import annotations

from pathlib import Path


def write_define_page(document: Path, out: Path) -> None:
    """Write the page; raises StudyError if the file is not a define.xml, OutsideError for a file out of reach."""
    from publish.define_page.page import define_page
    from publish.disk import outside, replacing

    with outside(f"read {document}"):
        content = document.read_bytes()
    page = define_page(content)
    with outside(f"write {out}"), replacing(out) as file:
        file.write(page)
    print(out)  # noqa: T201
