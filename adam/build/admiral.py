"""What answers each function of admiral here, and how the answer differs (admiral.yaml)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from metadata.yaml_source import load

PATH = Path(__file__).with_name("admiral.yaml")
ALONE = "alone"
"""The key of the derivations for which admiral has no function."""


class Answer(NamedTuple):
    """The derivations that do what a function of admiral does, none if it has none, and how they differ."""

    words: tuple[str, ...]
    how: str


def answers() -> dict[str, Answer]:
    """Return the answer to each function of admiral."""
    page = load(PATH, PATH.name)
    return {name: Answer(tuple(one["words"]), one["how"]) for name, one in page.items() if name != ALONE}


def alone() -> dict[str, str]:
    """Return the derivations for which admiral has no function, and what an R programmer does instead."""
    return {word: one["how"] for word, one in load(PATH, PATH.name)[ALONE].items()}


def functions_of(word: str) -> list[str]:
    """Return the functions of admiral that a derivation answers, alone or with others."""
    return [name for name, answer in answers().items() if word in answer.words]


def table() -> str:
    """Return a table of all functions in Markdown."""
    rows = [f"| `{name}` | {_words(answer)} | {answer.how} |" for name, answer in sorted(answers().items())]
    return "\n".join(["| admiral | here | how |", "|---|---|---|", *rows])


def _words(answer: Answer) -> str:
    return ", ".join(f"`{word}`" for word in answer.words) or "-"


def sentence(word: str) -> str:
    """Return the line of a derivation's section."""
    functions = [f"`{name}`" for name in functions_of(word)]
    return f"admiral: {', '.join(functions)}." if functions else f"admiral has no function for it: {alone()[word]}."
