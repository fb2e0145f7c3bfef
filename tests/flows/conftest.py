"""One package of the bundled study, built once from a sandbox's API, and the command line called in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.command_line import main
from redcap_sandbox.faults import Faults
from redcap_sandbox.server import SandboxProject, create_app, serve

ROOT = Path(__file__).resolve().parents[2]
STUDY = "spms_aza"
EXPORTS = ROOT / "mappings" / STUDY / "redcap"
TOKEN = "0123456789ABCDEF0123456789ABCDEF"


@dataclass(frozen=True)
class Answer:
    """What a command gave back."""

    code: int
    out: str
    err: str

    def assert_one_sentence(self, code: int, *parts: str) -> None:
        """One line for the user, which holds the parts and neither a traceback nor the token."""
        assert self.code == code, self
        lines = [line for line in self.err.splitlines() if line.startswith("redcap-cdisc: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err + self.out
        assert TOKEN.lower() not in (self.err + self.out).lower()
        for part in parts:
            assert part in lines[0], lines[0]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Call ``redcap-cdisc`` with arguments."""

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["redcap-cdisc", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return Answer(int(ended.value.code or 0), shown.out, shown.err)

    return call


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Serve the study's locked records, with faults if they are given, as the REDCap that the environment names."""
    running = []

    def start(*faults: object) -> str:
        project = SandboxProject.read(EXPORTS, "locked")
        server = serve(create_app({TOKEN: project}, Faults(*faults)))  # type: ignore[arg-type]
        running.append(server)
        address = server.__enter__()
        monkeypatch.setenv("REDCAP_URL", f"{address}api/")
        monkeypatch.setenv("REDCAP_TOKEN", TOKEN)
        return address

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the study's locked records, built with no Prefect."""
    from flows.pipeline import build
    from flows.progress import StagePrinter
    from flows.run_request import RunRequest

    out = tmp_path_factory.mktemp("package") / STUDY
    with (
        pytest.MonkeyPatch.context() as environment,
        serve(create_app({TOKEN: SandboxProject.read(EXPORTS, "locked")})) as address,
    ):
        environment.setenv("REDCAP_URL", f"{address}api/")
        environment.setenv("REDCAP_TOKEN", TOKEN)
        build(RunRequest.of(STUDY, out=out), StagePrinter(quiet=True))
    return out
