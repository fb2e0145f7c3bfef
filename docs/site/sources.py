"""The files that Sphinx reads: those of docs/, the four references cut into a page or an anchor a word, and the API.

Nothing is written here that docs/ or the code says: the first page is README.md, the words come from the pages that are
made of their declarations.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from docs.site.reference import reference_pages

ROOT = Path(__file__).resolve().parents[2]
WORD_PAGES = ("derivations", "operations", "checks")  # a page a word
RULES = "rules"  # an anchor a rule
FIRST_PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
CHAPTERS = {
    "Use": ["data-managers", "first-study", "other-sources", "releases", "monitoring", "server"],
    "Map a study": ["mapping", "study", "operations", "checks", "redcap-logic", "grammar"],
    "Analyse and review": ["analysts", "derivations", "reports", "gallery", "reviewers", "rules"],
    "Change": ["programmers", "contributing", "changelog", "api/index"],
}
HEADING = re.compile(r"^(#{2,3}) (.+)\n", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
RULE_LINE = re.compile(r"^\| `([\w.]+)` \|", re.MULTILINE)


def write_sources(folder: Path) -> None:
    """Write all that Sphinx reads into a folder, which must not be there."""
    shutil.copytree(ROOT / "docs" / "images", folder / "images")
    for name, text in source_pages().items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def source_pages() -> dict[str, str]:
    """Return every page by its name in the folder that Sphinx reads."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
    for word_page in WORD_PAGES:
        pages |= words_of(word_page, pages[f"{word_page}.md"])
    pages[f"{RULES}.md"] = RULE_LINE.sub(_with_anchor, pages[f"{RULES}.md"])
    for name, new in FIRST_PAGES.items():
        pages[new] = moved(ROOT / name)
    pages["index.md"] += contents(pages)
    return pages | reference_pages(ROOT)


def _with_anchor(line: re.Match[str]) -> str:
    """Return the begin of a rule's line with an anchor: hyphens in the place of what no anchor may have."""
    return f"| `{line[1]}`{{#{re.sub('[._]', '-', line[1])}}} |"


def moved(path: Path) -> str:
    """Return a page of the top folder as one of docs/; what is not part of the pages is named without a link."""

    def target(match: re.Match[str]) -> str:
        image, text, link = match.groups()
        new = FIRST_PAGES.get(link, link.removeprefix("docs/"))
        return f"{image}[{text}]({new})" if new != link or link in FIRST_PAGES else text

    return LINK.sub(target, path.read_text(encoding="utf-8"))


def contents(pages: dict[str, str]) -> str:
    """Return the side's contents: each page once; one that is in no chapter comes at the end."""
    placed = {name for names in CHAPTERS.values() for name in names}
    other = sorted(name[:-3] for name in pages if "/" not in name and name[:-3] not in {*placed, "index"})
    chapters = {**CHAPTERS, "More": other} if other else CHAPTERS
    return "".join(
        _toctree([name for name in names if name == "api/index" or f"{name}.md" in pages], f":caption: {title}")
        for title, names in chapters.items()
    )


def _toctree(names: list[str], option: str) -> str:
    return "\n```{toctree}\n:hidden:\n" + "\n".join([option, "", *names]) + "\n```\n"


def words_of(name: str, text: str) -> dict[str, str]:
    """Return a reference as a page that lists its words by section, and a page a word (``name/word.md``)."""
    pages: dict[str, str] = {}
    before, *sections = _split(text, 2)
    main = [before[1]]
    for section, whole in sections:
        (_, introduction), *words = _split(whole, 3)
        main.append(f"## {section}\n{introduction}")
        if words:
            lines = [f"| [{word}]({name}/{word}.md) | {_first_sentences(body)} |\n" for word, body in words]
            main.append("| word | |\n|---|---|\n" + "".join(lines) + "\n")
        for word, body in words:
            if f"{name}/{word}.md" in pages:
                raise ValueError(f"docs/{name}.md has the word {word!r} twice")
            pages[f"{name}/{word}.md"] = f"# {word}\n{_from_below(body)}"
    if not pages:
        raise ValueError(f"docs/{name}.md has no words (headings that begin with ###)")
    toctree = _toctree([page.removesuffix(".md") for page in pages], ":maxdepth: 1")
    return {f"{name}.md": "".join(main) + toctree, **pages}


def _split(text: str, level: int) -> list[tuple[str, str]]:
    """Return (heading, what is under it) at a level; the first has no heading. Headings in code are none."""
    code = [match.span() for match in FENCE.finditer(text)]
    headings = [
        match
        for match in HEADING.finditer(text)
        if len(match[1]) == level and not any(start < match.start() < end for start, end in code)
    ]
    ends = [*(match.start() for match in headings[1:]), len(text)]
    first = headings[0].start() if headings else len(text)
    return [("", text[:first]), *((m[2], text[m.end() : end]) for m, end in zip(headings, ends, strict=bool(headings)))]


def _first_sentences(body: str) -> str:
    """Return the first paragraph of a word as the text of a table's cell."""
    return body.strip().split("\n\n", 1)[0].replace("\n", " ").replace("|", "\\|")


def _from_below(text: str) -> str:
    """Return a text whose links begin one folder further down."""
    return LINK.sub(lambda m: f"{m[1]}[{m[2]}]({m[3] if m[3].startswith(('#', 'http')) else f'../{m[3]}'})", text)
