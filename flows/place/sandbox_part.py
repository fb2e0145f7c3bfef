"""``python -m flows.place.sandbox_part HOME PORT``: the studies of a place that have exported records, as REDCap."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

from flows.place.connections import exports_of, kept_tokens
from flows.place.environment import studies_in
from flows.place.home import Choices, Home
from flows.sandbox import wait_for_signal


def main(root: Path, port: int) -> None:
    """Serve the studies until SIGTERM; each has the token that the place keeps for it."""
    from redcap_sandbox.server import SandboxProject, create_app, serve

    home = Home.at(root)
    choices, tokens = home.choices() or Choices(), kept_tokens(home)
    studies = studies_in(Path(choices.studies) if choices.studies else None)
    projects = {
        token: replace(SandboxProject.read(exports_of(study), state), log_exports=True)
        for study in studies
        for state, token in tokens.get(study.name, {}).items()
    }
    with serve(create_app(projects), port):
        wait_for_signal(threading.Event())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
