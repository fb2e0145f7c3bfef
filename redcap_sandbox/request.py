"""What a client posted: REDCap's parameters in every shape its clients use, and the error that answers a bad one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

LIST_NAMES = ("fields", "records", "forms", "events", "arms", "dags", "users", "roles")
FORMATS = ("json", "csv", "xml")
TRUE, FALSE = ("true", "1"), ("false", "0", "")
INDEXED = re.compile(r"(\w+)\[\d*\]")
DELIMITERS = {"": ",", ",": ",", "tab": "\t", "\t": "\t", ";": ";", "|": "|", "^": "^"}


class ApiError(Exception):
    """A refusal: HTTP status and the text REDCap gives."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


@dataclass(frozen=True)
class Upload:
    """A file as it was posted: its name, its media type and its bytes."""

    name: str
    media: str
    content: bytes


@dataclass(frozen=True)
class ApiRequest:
    """Single values and lists of one request; lists are None-like (absent) when nothing was named.

    ``upload`` is the part ``file`` of a multipart form; ``base`` the server's address, for links in answers.
    """

    values: dict[str, str]
    lists: dict[str, list[str]] = field(default_factory=dict)
    upload: Upload | None = None
    base: str = "http://127.0.0.1/"

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str]]) -> ApiRequest:
        """Take posted pairs; ``fields[0]=``, ``fields[1]=``, ``fields[]=`` and ``fields=a,b`` all make one list."""
        values: dict[str, str] = {}
        lists: dict[str, list[str]] = {}
        for key, value in pairs:
            indexed = INDEXED.fullmatch(key)
            if indexed:
                lists.setdefault(indexed.group(1), []).append(value.strip())
            elif key in LIST_NAMES:
                lists.setdefault(key, []).extend(part.strip() for part in value.split(","))
            else:
                values[key] = value
        return cls(values, {name: kept for name, items in lists.items() if (kept := [item for item in items if item])})

    def text(self, name: str, default: str = "") -> str:
        """Return a single value without surrounding blanks; blank means the default."""
        return self.values.get(name, "").strip() or default

    def raw(self, name: str) -> str:
        """Return a single value as it was posted; blank if it was not."""
        return self.values.get(name, "")

    def with_values(self, **values: str) -> ApiRequest:
        """Return the request with other single values."""
        return replace(self, values=self.values | values)

    def flag(self, name: str) -> bool:
        """Return a boolean in any client's spelling (true, True, TRUE, 1); absent is False."""
        value = self.text(name).lower()
        if value not in TRUE + FALSE:
            raise ApiError(400, f'The value of the parameter "{name}" is not valid')
        return value in TRUE

    def choice(self, name: str, options: tuple[str, ...]) -> str:
        """Return one of ``options`` (the first is the default); another value is refused with 400."""
        value = self.text(name, options[0])
        if value not in options:
            raise ApiError(400, f'The value of the parameter "{name}" is not valid')
        return value

    def listed(self, name: str) -> list[str] | None:
        """Return the items of a list parameter, or None if the client named none."""
        return self.lists.get(name)

    @property
    def format(self) -> str:
        """Format of the data: json, csv or xml (the default)."""
        return self.choice("format", ("xml", "json", "csv"))

    @property
    def error_format(self) -> str:
        """Format of errors: returnFormat, else format, else xml."""
        given = (self.text("returnFormat"), self.text("format"))
        return next((value for value in given if value in FORMATS), "xml")

    @property
    def delimiter(self) -> str:
        """Delimiter of CSV records: comma unless csvDelimiter says otherwise."""
        given = self.values.get("csvDelimiter", "")
        if given not in DELIMITERS:
            raise ApiError(400, 'The value of the parameter "csvDelimiter" is not valid')
        return DELIMITERS[given]
