"""The documentation as pages: a page a word, an anchor a rule, no warning, nothing from outside."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import adam.derivations
import sdtm.operations
from adam.language.derivation import DERIVATIONS
from docs.site.reference import named_modules
from docs.site.sources import ROOT, source_pages, words_of
from metadata.registration import load_modules
from sdtm.operations.operation import RECORD_OPERATIONS, TABLE_OPERATIONS
from validation.checks.declaration import load_checks  # noqa: F401 registers the kinds
from validation.checks.kind import KINDS
from validation.conformance.check import RULES

LOADED = re.compile(
    r"<(?:link|script|img|iframe|source|audio|video|object|use)\b[^>]*?\b(?:href|src|data)=\"([^\"]+)\""
)
IMPORTED = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])\s*((?:https?:)?//[^\"')]+)")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return source_pages()


def words_of_the_code() -> dict[str, set[str]]:
    load_modules(adam.derivations)
    load_modules(sdtm.operations)
    operations = {*RECORD_OPERATIONS, *TABLE_OPERATIONS}
    return {"derivations": set(DERIVATIONS), "operations": operations, "checks": set(KINDS)}


@pytest.mark.parametrize("name", ["derivations", "operations", "checks"])
def test_each_word_has_a_page_which_the_reference_lists(pages: dict[str, str], name: str) -> None:
    words = words_of_the_code()[name]
    assert len(words) > 10
    made = {page.split("/")[1].removesuffix(".md") for page in pages if page.startswith(f"{name}/")}
    assert made == words
    for word in words:
        assert pages[f"{name}/{word}.md"].startswith(f"# {word}\n")
        assert pages[f"{name}.md"].count(f"[{word}]({name}/{word}.md)") == 1


def test_nothing_of_a_reference_is_lost_when_it_is_cut(pages: dict[str, str]) -> None:
    for name in ("derivations", "operations", "checks"):
        lines = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8").splitlines()
        cut = {
            line
            for page, text in pages.items()
            if page.partition("/")[0] in {name, f"{name}.md"}
            for line in text.splitlines()
        }
        lost = [line for line in lines if line not in cut and not line.startswith("### ") and "](" not in line]
        assert not lost


def test_each_rule_has_an_anchor(pages: dict[str, str]) -> None:
    found = re.findall(r"^\| `([\w.]+)`\{#([\w-]+)\} \|", pages["rules.md"], re.MULTILINE)
    assert sorted(rule for rule, _ in found) == sorted(RULES)
    assert len({anchor for _, anchor in found}) == len(RULES)


def test_every_page_of_the_documents_is_in_the_contents(pages: dict[str, str]) -> None:
    listed = re.findall(r"^[\w/-]+$", pages["index.md"].split("```{toctree}", 1)[1], re.MULTILINE)
    own = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert own <= set(listed)
    assert len(listed) == len(set(listed))


def test_the_reference_of_modules_has_those_that_a_derivation_needs() -> None:
    assert {"adam.language.derivation", "adam.columns.columns", "validation.conformance.rule"} <= set(
        named_modules(ROOT)
    )


def test_a_heading_in_code_begins_no_word() -> None:
    made = words_of("some", "# Some\n\n## Part\n\n### one\n\nText.\n\n```yaml\n### no word\n```\n\n[x](y.md)\n")
    assert sorted(made) == ["some.md", "some/one.md"]
    assert "### no word" in made["some/one.md"]
    assert "[x](../y.md)" in made["some/one.md"]


def test_a_word_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="the word 'one' twice"):
        words_of("some", "## Part\n\n### one\n\nA.\n\n## Other\n\n### one\n\nB.\n")


@pytest.mark.soak
def test_the_pages_are_built_without_a_warning_and_ask_nothing_of_the_network(tmp_path: Path) -> None:
    out = tmp_path / "pages"
    built = subprocess.run(
        [sys.executable, "-m", "docs.site", str(out)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    html = sorted(out.rglob("*.html"))
    named = {page.relative_to(out).with_suffix("").as_posix() for page in html}
    assert {page.rpartition(".")[0] for page in source_pages()} <= named
    for page in html:
        text = page.read_text(encoding="utf-8")
        assert not [link for link in LOADED.findall(text) if link.startswith(("http:", "https:", "//"))], page.name
    for sheet in out.rglob("*.css"):
        assert not IMPORTED.findall(sheet.read_text(encoding="utf-8")), sheet.name
    rules = (out / "rules.html").read_text(encoding="utf-8")
    assert all(f'id="{anchor}"' in rules for anchor in re.findall(r"\{#([\w-]+)\}", source_pages()["rules.md"]))
    assert "{#" not in rules
