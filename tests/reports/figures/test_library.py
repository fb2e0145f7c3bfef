"""matplotlib draws the same whatever the user, the machine and the process have set, and leaves them alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from reports.figures.library import FONTS, settings
from tests.reports.figures.small_figures import drawn, timeline

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import hashlib, sys
from tests.reports.figures.small_figures import FIGURES, drawn
digest = hashlib.sha256()
for name, figure in FIGURES.items():
    for page in drawn(figure):
        for part in (page.svg, page.bare_svg):
            digest.update(part.encode())
        digest.update(page.png + page.bare_png)
print(digest.hexdigest())
"""
RC = "svg.fonttype: path\nfont.size: 30\nlines.linewidth: 9\ntimezone: Asia/Tokyo\nsvg.hashsalt: other\n"


def run(program: str, folder: Path, **environment: str) -> str:
    home = {"HOME": str(folder), "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, env={**os.environ, **home, **environment},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stderr == ""
    return done.stdout.strip()


def test_two_processes_in_other_surroundings_draw_the_same_bytes(tmp_path: Path) -> None:
    plain, strange, settings_folder = (tmp_path / name for name in ("plain", "strange", "settings"))
    for folder in (plain, strange, settings_folder):
        folder.mkdir()
    (strange / "matplotlibrc").write_text(RC)  # in the working folder
    (settings_folder / "matplotlibrc").write_text(RC)
    known = {"_version": "3.11.0", "ttflist": [], "afmlist": [], "__class__": "FontManager"}
    (settings_folder / "fontlist-v3.11.0.json").write_text(json.dumps(known))
    before = sorted(settings_folder.iterdir())
    first = run(PROGRAM, plain, TZ="UTC", LC_ALL="C", PYTHONHASHSEED="1")
    second = run(PROGRAM, strange, TZ="Asia/Tokyo", LC_ALL="de_DE.UTF-8", PYTHONHASHSEED="2",
                 MPLCONFIGDIR=str(settings_folder))  # fmt: skip
    assert first == second
    assert list(plain.iterdir()) == []  # nothing was written in the home or the working folder
    assert [path.name for path in strange.iterdir()] == ["matplotlibrc"]
    assert sorted(settings_folder.iterdir()) == before


def test_the_process_keeps_its_settings(tmp_path: Path) -> None:
    program = (
        "import os, matplotlib; matplotlib.rcParams['font.size'] = 31\n"
        "from tests.reports.figures.small_figures import drawn, timeline\n"
        "drawn(timeline(1)); print(matplotlib.rcParams['font.size'], os.environ.get('MPLCONFIGDIR'), "
        "matplotlib.get_backend(auto_select=False))"
    )
    assert run(program, tmp_path, MPLCONFIGDIR=str(tmp_path), MPLBACKEND="svg") == f"31.0 {tmp_path} svg"


def test_only_the_fonts_that_come_with_matplotlib_are_known(tmp_path: Path) -> None:
    program = (
        "import reports.figures, matplotlib, matplotlib.font_manager as fonts\n"
        "print(*sorted(entry.fname for entry in fonts.fontManager.ttflist), sep='\\n')"
    )
    own = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    found = run(program, tmp_path).splitlines()
    assert found == sorted(str(own / file) for file, _, _ in FONTS)
    assert all(Path(file).is_file() for file in found)


def test_settings_are_those_of_figures_only_while_they_are_drawn() -> None:
    before = dict(matplotlib.rcParams)
    with pytest.raises(ZeroDivisionError), settings("salt"):
        assert matplotlib.rcParams["svg.fonttype"] == "none" and matplotlib.rcParams["svg.hashsalt"] == "salt"
        _ = 1 / 0
    assert dict(matplotlib.rcParams) == before


def test_a_run_without_figures_loads_no_matplotlib(tmp_path: Path) -> None:
    program = (
        "import sys, reports.html.pages, reports.compute\n"
        "print([name for name in ('matplotlib', 'PIL') if name in sys.modules])"
    )
    assert run(program, tmp_path) == "[]"


def test_bytes_do_not_depend_on_what_was_drawn_before() -> None:
    first = hashlib.sha256(drawn(timeline(3))[0].png).hexdigest()
    drawn(timeline(60))
    assert hashlib.sha256(drawn(timeline(3))[0].png).hexdigest() == first
