"""A drawing as PNG of few colours, without time and program."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure as Drawing
from PIL import Image

from reports.figures.sheet import INCH
from reports.figures.style import INK, RULE

# Dots a hundredth of an inch: 150 an inch.
DOTS = 1.5
# A picture has few colours, and a file of 256 is a quarter of one of all; this far apart they stay apart.
MOST, APART, FEWEST_STEPS = 256, 10, 4
COLOURED = ("get_color", "get_facecolor", "get_edgecolor", "get_markerfacecolor")
Colour = tuple[int, int, int]


class Dots:
    """A drawing in dots, of which pages keep the ground and draw what is their own above it."""

    def __init__(self, drawing: Drawing) -> None:
        drawing.dpi = DOTS * INCH
        self.canvas = FigureCanvasAgg(drawing)
        self.canvas.draw()
        self._ground = self.canvas.copy_from_bbox(drawing.bbox)

    def image(self, own: Sequence[Artist], colours: list[Colour]) -> Image.Image:
        """The ground with these artists above it, in these colours."""
        self.canvas.figure.dpi = DOTS * INCH
        if own:
            self.canvas.restore_region(self._ground)
            renderer = self.canvas.get_renderer()
            for artist in own:
                artist.draw(renderer)
        size = self.canvas.get_width_height()
        drawn = Image.frombuffer("RGBA", size, self.canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
        return few_colours(drawn.convert("RGB"), colours)


def png(image: Image.Image, top: float, bottom: float) -> bytes:
    """The file of what is between two heights, in hundredths of an inch."""
    written = io.BytesIO()
    part = image.crop((0, round(top * DOTS), image.width, round(bottom * DOTS)))
    part.save(written, format="PNG", dpi=(DOTS * 100, DOTS * 100), compress_level=3)
    return written.getvalue()


def colours_of(artists: Iterable[Artist]) -> list[Colour]:
    """The colours of these artists, each once, and those of ticks and their names."""
    values = [getattr(artist, name)() for artist in artists for name in COLOURED if hasattr(artist, name)]
    parts = np.concatenate([to_rgba_array([INK, RULE]), *map(to_rgba_array, values)])
    return list(dict.fromkeys(map(tuple, np.rint(parts[parts[:, 3] > 0, :3] * 255).astype(int).tolist())))


def few_colours(image: Image.Image, colours: list[Colour]) -> Image.Image:
    """The picture in 256 colours: those that it is drawn in, and their mixtures with its white ground.

    One that is drawn in more than leave room for mixtures keeps all.
    """
    steps = (MOST - 1) // max(1, len(colours))
    if steps < FEWEST_STEPS:
        return image
    shares = np.arange(1, steps) / steps
    mixed = np.rint(255 + (np.array(colours)[:, None, :] - 255) * shares[:, None]).astype(int).reshape(-1, 3)
    apart = mixed[255 - mixed.min(axis=1) >= APART]
    palette = Image.new("P", (1, 1))
    palette.putpalette([255, 255, 255, *np.array(colours).ravel().tolist(), *apart.ravel().tolist()])
    return image.quantize(palette=palette, dither=Image.Dither.NONE)
