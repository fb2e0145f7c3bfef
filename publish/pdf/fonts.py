"""Fonts of the PDF documents, embedded as far as they are used: those that come with matplotlib, for all of Europe."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from metadata.errors import OutsideError

REGULAR, BOLD = "Text", "Text-Bold"
FILES = {REGULAR: "DejaVuSans.ttf", BOLD: "DejaVuSans-Bold.ttf"}


@cache
def register() -> None:
    """Make the fonts known to reportlab, once in a process; raises OutsideError if matplotlib lacks them.

    Streams are written as bytes: as text they take a third more space and a third of the time.
    """
    from reportlab import rl_config
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    rl_config.useA85 = 0
    spec = find_spec("matplotlib")
    folder = Path(str(spec and spec.origin)).parent / "mpl-data" / "fonts" / "ttf"
    for name, file in FILES.items():
        if not (folder / file).is_file():
            raise OutsideError(f"matplotlib is installed without its font {file}; install it again")
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


@cache
def _signs() -> frozenset[int]:
    """Return the code points for which each of the fonts has a sign."""
    from reportlab.pdfbase import pdfmetrics

    register()
    return frozenset.intersection(*(frozenset(pdfmetrics.getFont(name).face.charToGlyph) for name in FILES))


def unshown(texts: Iterable[str]) -> str:
    """Return the letters of some texts that show as boxes, each once and sorted."""
    found = {letter for text in texts for letter in text if ord(letter) > ord("~") and ord(letter) not in _signs()}
    return "".join(sorted(letter for letter in found if letter.isprintable()))


@lru_cache(maxsize=16384)
def width(text: str, font: str, size: float) -> float:
    """Return the width of a text in points."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(text, font, size))


@lru_cache(maxsize=16384)
def wrapped(text: str, font: str, size: float, room: float) -> tuple[str, ...]:
    """Break a text into lines of at most ``room`` points, at blanks; a longer word is cut."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if width(joined, font, size) <= room:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        while width(word, font, size) > room and len(word) > 1:
            fits = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or width(word[:n], font, size) <= room)
            lines[-1], word = word[:fits], word[fits:]
            lines.append("")
        lines[-1] = word
    return tuple(lines)
