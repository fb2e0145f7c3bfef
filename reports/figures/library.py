"""matplotlib without the user's settings, fonts and folders: loaded apart from them, used with our settings only."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from reports.figures.style import SETTINGS

# matplotlib's settings belong to the process: two figures that are drawn at once would take turns in changing them.
_ONE_AT_A_TIME = threading.Lock()
FOLDER = "MPLCONFIGDIR"
# The fonts that come with matplotlib and that figures need: file, name, weight.
FONTS = (("DejaVuSans.ttf", "DejaVu Sans", 400), ("DejaVuSans-Bold.ttf", "DejaVu Sans", 700))


def load() -> None:
    """Import matplotlib with a folder of settings that is its own and goes away, instead of one in the user's home."""
    if "matplotlib.font_manager" in sys.modules:
        return
    before = os.environ.get(FOLDER)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER] = folder
        try:
            _list_fonts(Path(folder))
            importlib.import_module("matplotlib.font_manager")
        finally:
            os.environ.pop(FOLDER)
            if before is not None:
                os.environ[FOLDER] = before


def _list_fonts(folder: Path) -> None:
    """Write the list of fonts that matplotlib keeps between runs.

    Without one it opens every font of the machine, which takes from a quarter of a second to many. A list that another
    version of matplotlib does not understand is made again by matplotlib itself: slower, the same figures.
    """
    spec = find_spec("matplotlib")
    source = Path(str(spec and spec.origin)).with_name("font_manager.py").read_text(encoding="utf-8")
    version = re.search(r"__version__ = '(.+)'", source)
    if version is None:
        return
    entry = {"style": "normal", "variant": "normal", "stretch": "normal", "size": "scalable", "index": 0}
    fonts = [{**entry, "fname": f"fonts/ttf/{file}", "name": name, "weight": weight, "__class__": "FontEntry"}
             for file, name, weight in FONTS]  # fmt: skip
    known = {
        "_version": version[1], "_FontManager__default_weight": "normal", "default_size": None,
        "defaultFamily": {"ttf": "DejaVu Sans", "afm": "Helvetica"}, "afmlist": [], "ttflist": fonts,
        "__class__": "FontManager",
    }  # fmt: skip
    (folder / f"fontlist-v{version[1]}.json").write_text(json.dumps(known), encoding="utf-8")


@contextmanager
def settings(salt: str) -> Iterator[None]:
    """matplotlib's defaults and :data:`SETTINGS` while figures are drawn, whatever the user has set.

    ``salt`` is what the identifiers in an SVG are made with besides their content: two in a page need different ones.
    """
    import matplotlib

    with _ONE_AT_A_TIME, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**SETTINGS, "svg.hashsalt": salt})  # type: ignore[dict-item]
        yield
