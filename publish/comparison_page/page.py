"""A comparison as a page: what was added, changed and gone in each dataset, variables, findings, other files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metadata.html_page import page_templates
from publish.disk import write_bytes
from publish.study_page.page import FOLDER as INDEX

FOLDER = Path(__file__).resolve().parent
TEMPLATE = "comparison.html.jinja"


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the comparison, as the command's JSON has it, as one page; raises OutsideError."""
    page = page_templates(FOLDER, base=INDEX).get_template(TEMPLATE).render(found=content)
    write_bytes(path, page.encode())
