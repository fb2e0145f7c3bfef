"""Where REDCap is and with which token it is read; the token is never written, logged or shown."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from metadata.errors import UsageError
from metadata.study import Study
from metadata.yaml_source import complain

if TYPE_CHECKING:
    from extract.connection import Patience

DEFAULT_URL_VARIABLE = "REDCAP_URL"
DEFAULT_KEY_VARIABLE, SHORTEST_KEY = "REDCAP_ANSWERS_KEY", 32
DEFAULT_TOKEN_VARIABLE = "REDCAP_TOKEN"  # noqa: S105  the variable's name, not a token


def api_url(study: Study) -> str:
    """Return the API's address: the environment variable that study.yaml names, or its base address and ``api/``.

    Raises StudyError if neither gives one.
    """
    redcap = study.declared.redcap
    given = os.environ.get(redcap.url_variable or DEFAULT_URL_VARIABLE, "").strip()
    if not (given or redcap.base_url):
        raise complain(study.declared.node, "redcap", "REDCap's address is not given: redcap: {base_url: ADDRESS}")
    return given or f"{redcap.base_url.rstrip('/')}/api/"


def token(study: Study) -> str:
    """Return the token from the environment variable that study.yaml names, or else from its Prefect Secret block.

    Prefect is asked only where it is in use (inside a flow run, or with PREFECT_API_URL set). Raises UsageError if
    neither has a token.
    """
    redcap = study.declared.redcap
    variable, block = redcap.token_variable or DEFAULT_TOKEN_VARIABLE, redcap.token_block
    found = os.environ.get(variable, "").strip() or (_from_block(block) if block and _prefect_in_use() else "")
    if not found:
        also = f" or save a Prefect Secret block named '{block}'" if block else ""
        raise UsageError(f"there is no REDCap token for {study.name}: set the environment variable {variable}{also}")
    return found


def answers_key(study: Study) -> bytes:
    """Return the key by which values of identifiers in queries are told apart, from the environment; blank without one.

    Raises UsageError for a key that could be guessed.
    """
    variable = study.declared.redcap.answers_key_variable or DEFAULT_KEY_VARIABLE
    found = os.environ.get(variable, "").strip()
    if found and len(found) < SHORTEST_KEY:
        problem = f"the key in the environment variable {variable} is shorter than {SHORTEST_KEY} characters"
        raise UsageError(f"{problem}: it must not be guessed")
    return found.encode()


def patience(study: Study) -> Patience:
    """Return how long to wait for REDCap: study.yaml may say ``answer_seconds`` and ``attempts`` for a slow server."""
    from extract.connection import Patience

    redcap, usual = study.declared.redcap, Patience()
    answer, attempts = redcap.answer_seconds or usual.answer, redcap.attempts or usual.attempts
    return replace(usual, answer=answer, attempts=attempts)


def full_load_days(study: Study) -> float:
    """Return after how many days all records are read again: study.yaml may say ``full_load_days``."""
    from extract.last_extraction import FULL_LOAD_DAYS

    return study.declared.redcap.full_load_days or FULL_LOAD_DAYS


def _prefect_in_use() -> bool:
    return any(name in os.environ for name in ("PREFECT_API_URL", "PREFECT__FLOW_RUN_ID"))


def _from_block(name: str) -> str:
    from prefect.blocks.system import Secret

    try:
        secret = Secret.load(name)
    except ValueError:  # there is no such block
        return ""
    return str(secret.get()).strip()  # type: ignore[union-attr]
