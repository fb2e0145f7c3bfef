"""The folder of a place: where its parts keep their files, and what was chosen when it was started."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from metadata.errors import UsageError

SERVER, SANDBOX, PAGES = 4200, 4201, 4202
"""The ports that are taken where none is chosen; the first is that of Prefect's own documentation."""
CHOICES = "place.json"


@dataclass(frozen=True)
class Choices:
    """The ports of a place and its folder of studies, blank for the studies of the software.

    ``notify`` is the address to which alerts are posted, blank for the list of the place itself. ``real`` names the
    studies that were connected to a REDCap: none of them is served by the sandbox later.
    """

    server: int = SERVER
    sandbox: int = SANDBOX
    pages: int = PAGES
    studies: str = ""
    notify: str = ""
    real: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Home:
    """The folder ``root`` has the builds; what the parts need is in ``root/place``, for its owner only."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> Home:
        """Return the home at a folder, by its absolute path."""
        return cls(root.absolute())

    @property
    def own(self) -> Path:
        """The folder of the parts."""
        return self.root / "place"

    @property
    def prefect(self) -> Path:
        """Prefect's home: database, keys of its secrets, stored results."""
        return self.own / "prefect"

    @property
    def tokens(self) -> Path:
        """The tokens of the sandbox, by study."""
        return self.own / "sandbox.json"

    @property
    def alerts(self) -> Path:
        """The alerts that were posted to the place itself, one JSON object a line."""
        return self.own / "alerts.jsonl"

    def make(self) -> None:
        """Make the folders, those of the parts for their owner only."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.own.mkdir(mode=0o700, exist_ok=True)
        self.own.chmod(0o700)

    def log(self, part: str) -> Path:
        """Return the log of a part."""
        return self.own / f"{part}.log"

    def choices(self) -> Choices | None:
        """Return what was chosen when the place was started; None if it never was."""
        try:
            text = (self.own / CHOICES).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            return replace(Choices(), **json.loads(text))
        except (TypeError, ValueError):
            where = self.own / CHOICES
            raise UsageError(
                f"{where} is not what redcap-cdisc up wrote; remove it and start the place again"
            ) from None

    def keep(self, choices: Choices) -> None:
        """Keep what was chosen, for the next start."""
        write_private(self.own / CHOICES, json.dumps(asdict(choices), indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step."""
    partial = path.with_name(f".{path.name}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)
