"""Many studies: one after the other by the command, and in one portfolio on Dask workers, as a ratio of their times.

    python -m benchmarks.portfolio [--studies 20] [--at-once 2]

The studies are copies of hta_duo under other names, each built to its package. The processes counted are those of the
portfolio and what it starts; a server of Prefect is started for it and counts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import watch
from flows.place.environment import BUILDS, STUDIES
from metadata.study import Study

ONE_BY_ONE = """import sys
from pathlib import Path
from flows.pipeline import build
from flows.progress import StagePrinter
from flows.run_request import RunRequest
root = Path(sys.argv[1])
for name in sys.argv[2:]:
    folder = root / "studies" / name
    build(RunRequest.of(str(folder), str(folder / "redcap"), out=root / "alone" / name), StagePrinter(quiet=True))
"""
SIDE_BY_SIDE = """import sys
from flows.portfolio import portfolio
portfolio(sys.argv[2:], source="exports", at_once=int(sys.argv[1]))
"""


def main() -> None:
    """Measure both ways over the same studies, hold their packages against each other, and print both and the ratio."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.portfolio", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _compare(Path(folder), [f"study{number:02}" for number in range(1, given.studies + 1)], given.at_once)


def _compare(root: Path, names: list[str], at_once: int) -> None:
    for name in names:
        shutil.copytree(Study.open("hta_duo").folder, root / "studies" / name)
    os.environ |= {STUDIES: str(root / "studies"), BUILDS: str(root / "builds"), "PREFECT_HOME": str(root / "prefect")}
    alone = watch([sys.executable, "-c", ONE_BY_ONE, str(root), *names])
    beside = watch([sys.executable, "-c", SIDE_BY_SIDE, str(at_once), *names])
    different = [name for name in names if _manifest(root / "alone" / name) != _manifest(root / "builds" / name)]
    if different:
        raise SystemExit(f"the packages of {', '.join(different)} differ")
    for label, used in (("one by one", alone), (f"{at_once} at once", beside)):
        print(f"{label:11} {used.wall:7.1f} s, {used.processor:7.1f} CPU s, peak {used.peak:6.0f} MB")
    print(f"{len(names)} studies, same bytes: {alone.wall / beside.wall:.2f} times as fast side by side")


def _manifest(package: Path) -> bytes:
    return (package / "manifest.json").read_bytes()


if __name__ == "__main__":
    main()
