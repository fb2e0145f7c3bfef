"""The statistical analysis plan as a page: Markdown to HTML, sections findable by the ids that outputs name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from metadata.errors import StudyError, nearest
from metadata.study import Study

if TYPE_CHECKING:
    from markdown_it.token import Token

# A heading may end in its id: ## EDSS over time {#edss}
NAMED = re.compile(r"^(?P<title>.*?)\s*\{#(?P<id>[a-z0-9-]+)\}$")


@dataclass(frozen=True)
class Plan:
    """Title and body of the plan, and the title of each section by its id."""

    file: str
    html: str
    sections: dict[str, str]

    def section(self, identifier: str) -> str:
        """Title of a section; raises StudyError with the nearest id."""
        if identifier not in self.sections:
            raise StudyError(f"there is no section {{#{identifier}}}{nearest(identifier, self.sections)}", self.file)
        return self.sections[identifier]


def _line(token: Token) -> int | None:
    return token.map[0] + 1 if token.map else None


def read_plan(study: Study) -> Plan:
    """Read the plan that study.yaml names (``study.analysis_plan``, sap.md unless it says otherwise)."""
    from markdown_it import MarkdownIt

    file = study.declared.study.analysis_plan
    path = study.path(file)
    if not path.is_file():
        raise StudyError("the analysis plan does not exist; outputs refer to it", f"{study.name}/{file}")
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(study.read_text(file))
    sections: dict[str, str] = {}
    for opening, inline in pairwise(tokens):
        named = NAMED.match(inline.content) if opening.type == "heading_open" else None
        if named and named["id"] in sections:
            raise StudyError(f"two sections have the id {{#{named['id']}}}", f"{study.name}/{file}", _line(opening))
        if named:
            opening.attrSet("id", named["id"])
            sections[named["id"]] = named["title"]
            inline.children = reader.parseInline(named["title"])[0].children
    return Plan(f"{study.name}/{file}", reader.renderer.render(tokens, reader.options, {}), sections)
