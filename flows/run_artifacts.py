"""What each run leaves in Prefect for a person to read, also one that stopped: counts, the reason, links; no value."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from flows.place.environment import page_link
from flows.place.pages import front_pages
from flows.run_request import relative

SHOWN = ("extract", "open snapshot", "check drift", "find queries", "tabulate", "check conformance", "accept")
"""The stages of which a reader wants to know the result; the others are in the table of all stages."""
STATUSES = ("new", "open", "answered", "resolved")


@dataclass(frozen=True)
class RunStory:
    """What is known of a run: how it ended, what its stages said (as rows of stage, seconds, result), where to look.

    ``began`` is the time of its start (seconds since 1970): files that are older are of another run.
    """

    study: str
    until: str
    out: Path
    began: float
    reason: str = ""
    stages: list[dict[str, str]] = field(default_factory=list)

    @property
    def folders(self) -> list[Path]:
        """The folders that may have what the run made: of one that stopped, the findings first."""
        stopped = self.out.with_name(f"{self.out.name}.stopped")
        return [stopped, self.out] if self.reason else [self.out]


def story_markdown(story: RunStory) -> str:
    """Return the page of a run."""
    how = "stopped" if story.reason else "done"
    parts = [f"# {story.study}, {story.until}: {how}"]
    if story.reason:
        parts.append(f"**Why:** {_plain(story.reason)}")
    said = {row["stage"]: row["result"] for row in story.stages}
    lines = [f"| {name} | {_plain(said[name])} |" for name in SHOWN if said.get(name)]
    if lines:
        parts.append("\n".join(["| stage | result |", "|---|---|", *lines]))
    if story.stages and story.reason:
        parts.append(f"The last stage that was done: {story.stages[-1]['stage']}.")
    elif story.reason:
        parts.append("No stage was done.")
    parts += _queries(story)
    parts += _links(story)
    return "\n\n".join(parts) + "\n"


def queries_by_site(path: Path) -> list[dict[str, str | int]]:
    """Return a row a site with the number of queries of each status, in the order of the sites' names."""
    with path.open(encoding="utf-8", newline="") as file:
        counts = Counter((row["site"], row["status"]) for row in csv.DictReader(file))
    sites = sorted({site for site, _ in counts})
    return [{"site": site or "(none)", **{status: counts[site, status] for status in STATUSES}} for site in sites]


def _queries(story: RunStory) -> list[str]:
    found = _files(story, "queries.csv", "validation/queries.csv")
    rows = queries_by_site(found[0]) if found else []
    if not rows:
        return []
    head = ["## Queries by site", "", f"| site | {' | '.join(STATUSES)} |", f"|---|{'---|' * len(STATUSES)}"]
    body = [f"| {_plain(str(row['site']))} | {' | '.join(str(row[one]) for one in STATUSES)} |" for row in rows]
    return ["\n".join([*head, *body])]


def _files(story: RunStory, *names: str) -> list[Path]:
    """Return the files of these names that the run wrote."""
    paths = [folder / name for folder in story.folders for name in names]
    return [path for path in paths if path.is_file() and path.stat().st_mtime >= story.began]


def _links(story: RunStory) -> list[str]:
    lines = []
    for folder in story.folders:
        for page, what in front_pages(folder):
            if page.stat().st_mtime >= story.began:
                link = page_link(page)
                lines.append(f"* [{what}]({link})" if link else f"* {what}: {relative(page)}")
    return ["\n".join(["## Where to look", "", *lines])] if lines else []


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line of a table."""
    escaped = "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|!" else letter for letter in text)
    return " ".join(escaped.split())
