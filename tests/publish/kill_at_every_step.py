"""A program for the tests: kill a build, by SIGKILL, at each of its steps on the disk, and look at what is left.

Arguments: a scratch folder and the id of the second build. A child made by fork builds a package and counts its calls
to the file system through an audit hook; before call number k it kills itself. After each kill ``<out>`` must show a
package that is whole, the old one or the new one, and the next build must succeed. Prints a line a kill.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from publish.package import Build

OLD, NEXT = "0" * 16, "f" * 16
WATCHED = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "open", "shutil.rmtree")
FILES = {"reports/index.html": "page", "validation/queries.csv": "listing", "manifest.json": "manifest"}


def build(out: Path, package: str, mark: str) -> None:
    with Build(out, package, "S-1") as made:
        for name, text in FILES.items():
            (made.layout.root / name).write_text(f"{text} {mark}", "utf-8")
        made.publish()


def content(out: Path) -> str:
    """Return the mark of the package that ``out`` shows; fails unless all its files are there and agree."""
    found = {name: (out / name).read_text("utf-8") for name in FILES}
    marks = {found[name].removeprefix(f"{text} ") for name, text in FILES.items()}
    assert len(marks) == 1, f"{out} mixes packages: {found}"
    return marks.pop()


def killed_at(step: int, out: Path, package: str) -> bool:
    """Build in a child that dies before its call number ``step``; False if it ended before that."""
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            if event in WATCHED:
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        build(out, package, "new")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def main(scratch: Path, package: str) -> None:
    step = 1
    while True:
        out = scratch / f"step{step}" / "study"
        build(out, OLD, "old")
        if not killed_at(step, out, package):
            break
        after = content(out)
        assert after in ("old", "new"), after
        build(out, NEXT, "next")
        assert content(out) == "next"
        left = sorted(path.name for path in (out.parent / "study.d").iterdir() if not path.name.startswith(".lock"))
        assert NEXT in left and len(left) <= 3, left
        assert all(len(name) == 16 or name.startswith(".building") for name in left), left
        sys.stdout.write(f"{step} {after}\n")
        step += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
