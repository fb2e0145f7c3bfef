"""Where the records of each study come from: a REDCap that was configured, or the sandbox with the study's exports."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.place.home import Home, write_private
from flows.redcap_access import DEFAULT_TOKEN_VARIABLE, DEFAULT_URL_VARIABLE
from metadata.study import Study

TOKEN_BYTES = 16
ENTERED, LOCKED = "as-entered", "locked"
"""The states of a study's exported records: as sites entered them, and as they are after cleaning."""
SAID = {ENTERED: "as they were entered for queries", LOCKED: "after cleaning for packages"}
EXPORTED = {ENTERED: ("records_as_entered.csv",), LOCKED: ("records_locked.csv", "records.csv")}


@dataclass(frozen=True)
class Connection:
    """Of one study: ``kind`` is ``redcap``, ``sandbox`` or ``none``.

    ``tokens`` are those of the sandbox, by the state of the records that each reaches at ``sandbox``, its address.
    """

    study: Study
    kind: str
    tokens: Mapping[str, str] = field(default_factory=dict)
    sandbox: str = ""

    def variables(self, state: str) -> dict[str, str]:
        """Return the environment by which a run reaches the sandbox's records of a state; empty for a real REDCap.

        The token is named as its Secret block, which Prefect's worker looks up; a state that is not there is the other.
        """
        if self.kind != "sandbox":
            return {}
        served = state if state in self.tokens else next(iter(self.tokens))
        url, variable = variables_of(self.study)
        return {url: self.sandbox, variable: f"{{{{ prefect.blocks.secret.{self.block(served)} }}}}"}

    def block(self, state: str) -> str:
        """Return the name of the Secret block of the sandbox's token."""
        return f"sandbox-{key_of(self.study.name)}-{state}"

    def sentence(self) -> str:
        """Say where the records come from, and what to do if nothing is configured."""
        redcap = self.study.declared.redcap
        if self.kind == "sandbox":
            states = " and ".join(SAID[state] for state in self.tokens)
            return f"the sandbox on this machine, with the exported records of the study's folder: {states}"
        if self.kind == "redcap":
            return f"REDCap at {self.address}"
        variable, block = variables_of(self.study)[1], redcap.token_block
        also = f", or save the token in Prefect as Secret block '{block}'" if block else ""
        return f"no REDCap yet: set {variable} and start the place again{also}"

    @property
    def address(self) -> str:
        """The address of REDCap, as far as it is known; blank if only a run will know it."""
        return self.sandbox or os.environ.get(variables_of(self.study)[0], "") or self.study.declared.redcap.base_url


def variables_of(study: Study) -> tuple[str, str]:
    """Return the names of the environment variables that have a study's address and token."""
    redcap = study.declared.redcap
    return redcap.url_variable or DEFAULT_URL_VARIABLE, redcap.token_variable or DEFAULT_TOKEN_VARIABLE


def connect(
    studies: Iterable[Study],
    real: Iterable[str],
    tokens: Mapping[str, Mapping[str, str]],
    address: str,
    has_secret: Callable[[str], bool],
) -> list[Connection]:
    """Return each study's connection.

    ``real`` names the studies that were connected to a REDCap before, ``tokens`` those of the sandbox by study and
    state, ``address`` is the sandbox's API. ``has_secret`` says whether a Secret block is there.
    """
    found = []
    for study in studies:
        token_block = study.declared.redcap.token_block
        if os.environ.get(variables_of(study)[1], "").strip() or (token_block and has_secret(token_block)):
            found.append(Connection(study, "redcap"))
        elif study.name in real or study.name not in tokens:
            found.append(Connection(study, "none"))
        else:
            found.append(Connection(study, "sandbox", tokens[study.name], address))
    return found


def key_of(name: str) -> str:
    """Return a name as Prefect takes it for blocks, queues and artifacts: lower-case letters, digits and dashes."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())


def states_of(study: Study) -> list[str]:
    """Return the states in which a study's exported records are there."""
    return [state for state, names in EXPORTED.items() if any((exports_of(study) / name).is_file() for name in names)]


def sandbox_tokens(home: Home, studies: Iterable[Study]) -> dict[str, dict[str, str]]:
    """Return tokens by study and state for all that the sandbox can serve; the same as at the last start."""
    before = kept_tokens(home)
    states = {study.name: states_of(study) for study in studies}
    tokens = {
        name: {state: before.get(name, {}).get(state) or secrets.token_hex(TOKEN_BYTES).upper() for state in able}
        for name, able in states.items()
        if able
    }
    if tokens != before:
        write_private(home.tokens, json.dumps(tokens, indent=2) + "\n")
    return tokens


def kept_tokens(home: Home) -> dict[str, dict[str, str]]:
    """Return the sandbox's tokens by study and state, as the last start kept them."""
    try:
        found: dict[str, dict[str, str]] = json.loads(home.tokens.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def exports_of(study: Study) -> Path:
    """Return the folder of a study's exported project."""
    return study.folder / "redcap"
