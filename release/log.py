"""The approval log: one JSON object a line, each bound to the one before it by a hash; lines are only added.

Every line is the canonical text of its record, so that no byte of it can change unnoticed. A line that is changed,
moved, or taken out of the middle breaks the chain. That the last lines were cut off is noticed only by who kept the
hash of the last one (``head_of``) elsewhere: a release has it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from metadata.errors import OutsideError, UsageError
from publish.disk import outside, sync

SUFFIX = ".approvals.jsonl"
START = "0" * 64
"""What the first record names as the one before it."""
Meaning = Literal["built", "reviewed", "approved", "rejected", "waived", "unblinded", "released", "superseded"]
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class LogRecord:
    """What one person decided about one manifest, or about one randomisation list (meaning ``unblinded``).

    ``subject`` is the SHA-256 of the manifest or of the list; ``item`` is what is waived, or the version that is
    released or superseded. ``time`` is UTC. ``signature`` is OpenSSH's over all that stands before it, or blank;
    ``hash`` is over everything else.
    """

    number: int
    previous: str
    study: str
    subject: str
    name: str
    role: str
    meaning: Meaning
    item: str
    reason: str
    time: str
    strength: str
    signature: str = ""
    hash: str = ""

    @property
    def statement(self) -> bytes:
        """What is signed: all fields but signature and hash."""
        return _canonical({name: value for name, value in asdict(self).items() if name not in ("signature", "hash")})

    @property
    def line(self) -> bytes:
        """The record as it is written, with its line end."""
        return _canonical(asdict(self)) + b"\n"

    def sealed(self, signature: str = "") -> LogRecord:
        """Return the record with its signature and the hash that follows."""
        signed = replace(self, signature=signature, hash="")
        return replace(signed, hash=hashlib.sha256(_canonical(asdict(signed))).hexdigest())


TEXTS = {one.name for one in fields(LogRecord)} - {"number"}


def _canonical(content: dict[str, object]) -> bytes:
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()


def log_of(place: Path) -> Path:
    """Return the log beside a package or a study's folder: of ``build/x`` and of all ``build/x.d/<id>`` it is one."""
    absolute = Path(os.path.abspath(place))  # noqa: PTH100  <out> is a link and stays one
    if absolute.parent.suffix == ".d":
        absolute = absolute.parent.with_suffix("")
    return absolute.with_name(absolute.name + SUFFIX)


def read_log(path: Path) -> list[LogRecord]:
    """Return the records of a log, none if there is no file; raises UsageError at the first line that is not right."""
    if not path.exists():
        return []
    with outside(f"read {path}"):
        return _records(path.read_bytes(), path)


def _records(content: bytes, path: Path) -> list[LogRecord]:
    if content and not content.endswith(b"\n"):
        number = content.count(b"\n") + 1
        raise UsageError(f"{path}, line {number}: the line is not whole, so that the log was cut or changed")
    found: list[LogRecord] = []
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        record = _parsed(line)
        previous = found[-1].hash if found else START
        problem = _problem(record, line, number, previous)
        if problem or record is None:
            raise UsageError(f"{path}, line {number}: {problem}")
        found.append(record)
    return found


def _parsed(line: bytes) -> LogRecord | None:
    try:
        content = json.loads(line)
        if not isinstance(content, dict) or set(content) != TEXTS | {"number"}:
            return None
        if not all(isinstance(content[name], str) for name in TEXTS) or type(content["number"]) is not int:
            return None
    except (ValueError, RecursionError):
        return None
    return LogRecord(**content)


def _problem(record: LogRecord | None, line: bytes, number: int, previous: str) -> str:
    if record is None:
        return "it is no record of an approval log"
    if record.sealed(record.signature).hash != record.hash or record.line != line or record.meaning not in MEANINGS:
        return "the record was changed after it was written"
    if record.number != number or record.previous != previous:
        return "the record does not follow the one before it: records were removed, added or moved"
    return ""


def head_of(records: Sequence[LogRecord]) -> str:
    """Return the hash of the last record; kept elsewhere, it shows that the log was not cut."""
    return records[-1].hash if records else START


def now() -> str:
    """Return the time of a decision, UTC; a log is no output of a build."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def append(path: Path, record: LogRecord) -> None:
    """Add a record that was made to follow the last one, and force it to disk.

    Raises UsageError if somebody added another meanwhile or the log is not right, OutsideError if the disk fails.
    """
    with outside(f"write to {path}"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        with outside(f"write to {path}"):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            content = path.read_bytes()
        if head_of(_records(content, path)) != record.previous:
            raise UsageError(f"{path}: somebody added a record meanwhile; look at it, and do this again")
        with outside(f"write to {path}"):
            written = os.write(descriptor, record.line)
            os.fsync(descriptor)
            sync(path.parent)
        if written != len(record.line):
            raise OutsideError(f"cannot write to {path}: the disk took a part of the record only")
    finally:
        os.close(descriptor)
