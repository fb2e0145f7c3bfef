"""One key has one role in all words of the derivation language, and is named by the rules that its page states."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, Literal, get_args, get_origin

import adam.build.specification  # noqa: F401  (registers the words)
from adam.language.derivation import DERIVATIONS
from metadata.declaration import alternatives, bare, has_notation, parameters, role_of

SEVERAL = {
    "paramcd": {"text", "mapping"},  # the code that is made, or codes with what each is
    "unit": {"text", "choice"},  # a text of the study, or one that the word knows
}


def keys() -> Iterator[tuple[str, str, Any]]:
    """Yield the keys of all words and of their parts: word, key and annotation."""
    for word, declared in DERIVATIONS.items():
        waiting = [declared]
        while waiting:
            for key, kind in parameters(waiting.pop()).items():  # type: ignore[arg-type]
                yield word, key, kind
                waiting += [
                    part
                    for part in parts(kind)
                    if isinstance(part, type) and is_dataclass(part) and not has_notation(part)
                ]


def parts(kind: Any) -> list[Any]:
    inner = [part for one in (*alternatives(kind), *get_args(kind)) for part in parts(one)]
    return [*inner, bare(kind)]


def family(kind: Any) -> str:
    """What a key holds, whether one or a list: a condition, variable, new variable, text, number, choice, mapping."""
    if role_of(kind) and not has_notation(bare(kind)):
        return {"makes": "new variable", "parameter": "text"}.get(role_of(kind), "variable")
    if alternatives(kind):
        return family(alternatives(kind)[0])
    if get_origin(bare(kind)) is tuple:
        return family(get_args(bare(kind))[0])
    kind = bare(kind)
    named = {Literal: "choice", dict: "mapping"}.get(get_origin(kind) or kind)  # type: ignore[arg-type]
    plain = {str: "text", int: "number", float: "number", bool: "true or false"}.get(kind)
    return named or plain or ("condition" if has_notation(kind) else "part")


def test_a_key_holds_the_same_in_all_words() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for _, key, kind in keys():
        found[key].add(family(kind))
    assert {key: held for key, held in found.items() if len(held) > 1} == SEVERAL


def test_keys_of_new_variables_begin_with_to_and_no_other_do() -> None:
    names = {(word, key): family(kind) == "new variable" for word, key, kind in keys()}
    assert {place for place, new in names.items() if new} == {
        (word, key) for word, key in names if key == "to" or key.startswith("to_")
    }


def test_what_is_looked_at_written_and_judged_are_conditions() -> None:
    conditions = {key for _, key, kind in keys() if family(kind) == "condition"}
    assert conditions == {"where", "when", "condition", "whole", "before_dose"}
