"""A flow that writes into a ledger when it begins and when it ends, so that one sees what ran how often."""

from __future__ import annotations

import os
import time
from pathlib import Path

from prefect import flow

GATE = "gate"
"""The file beside the ledger for which every run waits: what is killed before it is made was surely at work."""


def note(ledger: str, what: str, number: int) -> None:
    """Add a line in one write, which the system keeps whole."""
    descriptor = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{what} {number}\n".encode())
    finally:
        os.close(descriptor)


def counted(ledger: Path) -> dict[str, list[int]]:
    """Return the numbers of the lines that begin, and of those that end, as often as they are there."""
    found: dict[str, list[int]] = {"begin": [], "end": []}
    for line in ledger.read_text().splitlines() if ledger.is_file() else []:
        what, number = line.split()
        found[what].append(int(number))
    return found


@flow(name="ledger", flow_run_name="{number}", persist_result=False)
def keep_ledger(ledger: str, number: int) -> None:
    """Begin, work until the gate is open, end."""
    note(ledger, "begin", number)
    while not Path(ledger).with_name(GATE).exists():
        time.sleep(0.5)
    note(ledger, "end", number)
