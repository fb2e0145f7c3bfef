"""Check studies with random mistakes, each in a process of its own.

``python -m tests.flows.many_changed_studies FIRST END OUT`` writes one line of JSON for each seed below END:
the change, the exit code, what was said, and what is wrong with that.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from flows.check import problems_of, show_check
from flows.error_messages import DETAILS_VARIABLE, run_guarded
from metadata import yaml_source
from tests.flows.mutations import mutate
from tests.flows.test_changed_studies import LIMIT, STUDIES, UNREAD, WEIGHTS

MEMORY = 3 * 2**30  # bytes


def checked(seed: int, folder: Path) -> dict[str, object]:
    """Return what one seed gave."""
    random, study = Random(seed), folder / "trial"
    shutil.copytree(random.choices(STUDIES, WEIGHTS)[0], study, ignore=UNREAD)
    change = mutate(study, random)
    said, start, wrong = io.StringIO(), time.monotonic(), ""
    details = folder / "details.txt"
    os.environ[DETAILS_VARIABLE] = str(details)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run_guarded(lambda: show_check(str(study), as_json=True))
    text = said.getvalue()
    if "defect of redcap-cdisc" in text or "Traceback" in text:
        wrong = f"defect {details.read_text(encoding='utf-8')[-1500:]}"
    elif code and "trial" not in text:
        wrong = "no place"
    elif change.meaningless and not code:
        wrong = "accepted"
    return {"seed": seed, "change": change.what, "meaningless": change.meaningless, "code": code, "wrong": wrong,
            "said": text[:3000], "seconds": round(time.monotonic() - start, 1)}  # fmt: skip


def in_a_process(seed: int, base: Path) -> dict[str, object]:
    """Run one seed in a child, which is stopped when it takes too long or too much memory."""
    folder = base / str(seed)
    folder.mkdir()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
        signal.alarm(5 * LIMIT)
        try:
            (folder / "answer.json").write_text(json.dumps(checked(seed, folder)), encoding="utf-8")
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    answer = folder / "answer.json"
    made = (
        json.loads(answer.read_text(encoding="utf-8"))
        if answer.is_file()
        else {"seed": seed, "code": status, "wrong": "hang or crash"}
    )
    shutil.rmtree(folder)
    return dict(made)


def read_once() -> None:
    """Let a file that is as it was be read in this process only: each child changes a copy of what was read of it."""
    known: dict[tuple[str, bytes], object] = {}
    load = yaml_source.load

    def loaded(path: Path, shown: str | None = None) -> object:
        content = path.read_bytes() if path.is_file() else b""
        if (str(shown), content) not in known:
            known[str(shown), content] = load(path, shown)
        return known[str(shown), content]

    for module in list(sys.modules.values()):
        if getattr(module, "load", None) is load:
            setattr(module, "load", loaded)  # noqa: B010


def main() -> None:
    first, end, out = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    with tempfile.TemporaryDirectory() as base, out.open("a", encoding="utf-8") as file:
        for warm in (False, True):
            for study in STUDIES:
                shutil.copytree(study, copy := Path(base, study.name, "trial"), ignore=UNREAD)
                problems_of(str(copy))  # what a check loads, each child has
                shutil.rmtree(copy)
            if not warm:
                read_once()
        gc.disable()
        for seed in range(first, end):
            file.write(json.dumps(in_a_process(seed, Path(base)), ensure_ascii=False) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
