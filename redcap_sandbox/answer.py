"""What goes back to a client: status, body and media type; counts, lists of names and errors in its format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

import pandas as pd

from redcap_sandbox.rendering import MEDIA, XML_HEAD, render_error, render_table
from redcap_sandbox.request import ApiRequest


@dataclass(frozen=True)
class Answer:
    """Status, body and media type of what goes back."""

    status: int
    body: bytes
    media: str

    @classmethod
    def text(cls, body: str, kind: str = "text") -> Answer:
        """Return a text with status 200; ``kind`` is json, csv, xml or text."""
        return cls(200, body.encode(), MEDIA[kind])


def error_answer(status: int, text: str, request: ApiRequest) -> Answer:
    """Return an error in the format the request asked for."""
    kind = request.error_format
    return Answer(status, render_error(text, kind).encode(), MEDIA[kind])


def number_answer(count: int, request: ApiRequest) -> Answer:
    """Return how many things were changed: a bare number in every format."""
    return Answer.text(str(count), request.error_format)


def imported_answer(names: list[tuple[str, str]], request: ApiRequest) -> Answer:
    """Return what a record import answers; ``names`` are new and posted name of each record.

    By returnContent: how many records (count), their names (ids), both names (auto_ids) or nothing.
    """
    kind = request.error_format
    asked = request.choice("returnContent", ("count", "ids", "auto_ids", "nothing"))
    if asked == "nothing":
        return Answer.text("", kind)
    if asked == "count":
        count = len(names)
        bodies = {"json": f'{{"count":{count}}}', "csv": str(count), "xml": f"{XML_HEAD}<count>{count}</count>"}
        return Answer.text(bodies[kind], kind)
    listed = [f"{new},{old}" if asked == "auto_ids" else new for new, old in names]
    if kind == "json":
        return Answer.text(json.dumps(listed, separators=(",", ":")), kind)
    if kind == "csv":
        return Answer.text(render_table(pd.DataFrame({"id": listed}), kind), kind)
    return Answer.text(f"{XML_HEAD}<ids>{''.join(f'<id>{escape(one)}</id>' for one in listed)}</ids>", kind)
