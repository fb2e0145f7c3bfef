"""The sentences about slips in a study's files, the same in all of them.

Slips are an unknown key, a needed key that is not there, a value of the wrong type, a value that is none of those
possible, and a name that nothing has.

Each function returns (not raises) a StudyError that names file, line and key. ``owner`` says what has the keys:
``'lines'``, ``an entry of 'visits'``, ``the file``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from metadata.errors import StudyError, nearest
from metadata.yaml_source import complain

FILE = "the file"


def quoted(name: str) -> str:
    """Return what errors call the mapping that a key holds."""
    return f"'{name}'"


def entry_of(name: str) -> str:
    """Return what errors call an item of the list that a key holds."""
    return f"an entry of '{name}'"


def entry_twice(items: Sequence[object], place: int, key: str) -> StudyError:
    """Return the error for an item of a list that is there before: it would count twice, or mean nothing."""
    item = items[place]
    what = f"'{item}'" if isinstance(item, str) else f"this {entry_of(key).removeprefix('an ')}"
    error = complain(items, place, f"{what} is listed twice")
    return StudyError(error.message, error.file, error.line, key)


def value_phrase(value: object) -> str:
    """Return a value as errors show it, as it is written in YAML and short."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    return "a mapping" if isinstance(value, dict) else repr(value)


def unknown_key(node: object, key: str, known: Iterable[str], owner: str) -> StudyError:
    """Return the error for a key that nothing reads, with the nearest one that is not there yet, or all known ones."""
    known = list(known)
    free = [name for name in known if not isinstance(node, dict) or name not in node]
    hint = nearest(key, free) or f"; known are {', '.join(known)}"
    return complain(node, key, f"{owner} has no key '{key}'{hint}")


def needed_key(node: object, key: str, owner: str) -> StudyError:
    """Return the error for a key that must be there."""
    return complain(node, None, f"{owner} needs the key '{key}'")


def wrong_type(node: object, key: str | int, value: object, meant: str) -> StudyError:
    """Return the error for a value of another type; ``meant`` says what it must be, such as "a number"."""
    hint = "; write yes, no, on and off in quotes" if isinstance(value, bool) and "text" in meant else ""
    return complain(node, key, f"must be {meant}, not {value_phrase(value)}{hint}")


def none_of(node: object, key: str, value: object, choices: Iterable[object]) -> StudyError:
    """Return the error for a value that is not in a closed list."""
    names = [value_phrase(choice) if isinstance(choice, bool) else str(choice) for choice in choices]
    return complain(node, key, f"'{value}' is not one of {', '.join(names)}{nearest(str(value), names)}")


def unknown_dataset(node: object, key: str, name: object, known: Iterable[str]) -> StudyError:
    """Return the error for a dataset that the study does not make."""
    return complain(node, key, f"there is no dataset '{name}'{nearest(str(name), known)}")


def unknown_variable(
    node: object, key: str | int | None, dataset: str, name: object, known: Iterable[str]
) -> StudyError:
    """Return the error for a variable that a dataset does not have."""
    return complain(node, key, no_variable(dataset, name, known))


def no_variable(dataset: str, name: object, known: Iterable[str]) -> str:
    """Return the sentence for a variable that a dataset does not have, with the nearest one that it has."""
    return f"{dataset} has no variable {name}{nearest(str(name), known)}"


def key_errors(node: dict[str, object], known: Collection[str], needed: Iterable[str], owner: str) -> list[StudyError]:
    """Return the errors for unknown keys and for needed ones that are not there.

    A needed key that an unknown one nearly spells is one slip, not two.
    """
    unknown = [unknown_key(node, key, known, owner) for key in node if key not in known]
    meant = {error.suggestion for error in unknown}
    return [*unknown, *(needed_key(node, key, owner) for key in needed if key not in node and key not in meant)]
