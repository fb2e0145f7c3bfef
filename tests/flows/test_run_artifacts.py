"""The page that each run leaves in Prefect: what is said of one that was done, and of one that stopped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.place.environment import BUILDS, PAGES
from flows.run_artifacts import RunStory, queries_by_site, story_markdown

QUERIES = "query_id,site,status\na,North,new\nb,North,open\nc,South,resolved\nd,,open\n"
STAGES = [
    {"stage": "extract", "seconds": "1.00", "result": "0123abcd"},
    {"stage": "open snapshot", "seconds": "0.10", "result": "10 records, 99 rows, 5 forms"},
    {"stage": "find queries", "seconds": "0.20", "result": "4 queries, 3 open"},
]
REASON = "mine/adam/adex.yaml, line 18, key 'parameters': EXDOSU is ... in 1 record(s)"


def made(folder: Path, at: float) -> None:
    folder.mkdir()
    for name, text in (("queries.csv", QUERIES), ("queries.html", "<p>")):
        (folder / name).write_text(text)
        os.utime(folder / name, (at, at))


def test_a_run_that_stopped_says_why_where_and_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BUILDS, str(tmp_path))
    monkeypatch.setenv(PAGES, "http://127.0.0.1:4202/")
    made(tmp_path / "mine.stopped", 2000)
    page = story_markdown(RunStory("mine", "package", tmp_path / "mine", 1000, REASON, STAGES))
    lines = page.splitlines()
    assert lines[0] == "# mine, package: stopped"
    assert lines[2] == f"**Why:** {REASON}"
    assert "| open snapshot | 10 records, 99 rows, 5 forms |" in lines
    assert "The last stage that was done: find queries." in lines
    assert "| North | 1 | 1 | 0 | 0 |" in lines and "| (none) | 0 | 1 | 0 | 0 |" in lines
    assert "* [queries](http://127.0.0.1:4202/mine.stopped/queries.html)" in lines


def test_what_another_run_left_is_not_shown(tmp_path: Path) -> None:
    made(tmp_path / "mine.stopped", 500)
    page = story_markdown(RunStory("mine", "package", tmp_path / "mine", 1000, "REDCap refused the token", []))
    assert page == "# mine, package: stopped\n\n**Why:** REDCap refused the token\n\nNo stage was done.\n"


def test_without_a_web_server_the_path_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PAGES, raising=False)
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "mine", 2000)
    page = story_markdown(RunStory("mine", "queries", tmp_path / "mine", 1000, "", STAGES))
    assert page.startswith("# mine, queries: done\n") and "Why" not in page
    assert page.endswith("## Where to look\n\n* queries: mine/queries.html\n")


def test_no_text_becomes_markdown(tmp_path: Path) -> None:
    (tmp_path / "queries.csv").write_text("query_id,site,status\na,[x](http://e)|<b>,open\n")
    assert queries_by_site(tmp_path / "queries.csv")[0]["site"] == "[x](http://e)|<b>"
    page = story_markdown(RunStory("mine", "queries", tmp_path, 0, "a|b\n<i> [y](z)", []))
    assert r"\[x\](http://e)\|\<b\>" in page and r"a\|b \<i\> \[y\](z)" in page
