"""Drawing what happened to each subject when: a lane a subject, spans and marks on the tracks of the lane."""

from __future__ import annotations

from typing import cast

from reports.drawing.axes import (
    MIDDLE,
    SMALL,
    Axes,
    Entry,
    legend,
    ticks_across,
)
from reports.drawing.palette import COLOURS
from reports.drawing.raster import text_width
from reports.drawing.scene import (
    INK,
    RULE,
    Area,
    Marks,
    Path,
    Scene,
    Shape,
    Text,
)
from reports.layout.table import Layer, Timeline

# Height of a track, and of what separates two lanes.
TRACK, BETWEEN = 11.0, 9.0
MARK, SPAN = 8.0, 7.0


def draw_timeline(scene: Scene, figure: Timeline, top: float) -> float:
    """Draw legend, lanes and axis beneath ``top``; returns where the drawing ends."""
    left = max(text_width(name, SMALL) for name in figure.subjects) + 26
    entries = [Entry(layer.label, _colour(layer), _shape(layer), layer.hollow) for layer in figure.layers]
    top += legend(scene, entries, 12, top + 14, scene.width - 12) + 10
    tracks = max(layer.track for layer in figure.layers)
    lane = tracks * TRACK + BETWEEN
    ends = [end for layer in figure.layers for _, _, end in layer.spans]
    first, last = figure.x_ticks[0], max([figure.x_ticks[-1], *ends])
    limits = (first - 0.01 * (last - first), last + 0.01 * (last - first))
    high = lane * len(figure.subjects)
    axes = Axes(scene, left, top, scene.width - left - 24, high, limits, (0, 1))
    for tick in figure.x_ticks:
        scene.add(Path(((axes.x(tick), axes.top), (axes.x(tick), axes.bottom)), RULE, 0.7))
    for place, name in enumerate(figure.subjects):
        scene.add(Path(((12, top + lane * place), (axes.right, top + lane * place)), RULE, 0.9),
                  Text(12, top + lane * (place + 0.5) + SMALL * MIDDLE, name, SMALL))  # fmt: skip
    for layer in figure.layers:
        _layer(axes, layer, _colour(layer), lane)
    scene.add(Path(((axes.left, axes.bottom), (axes.right, axes.bottom)), INK, 0.9),
              Text(axes.left + axes.width / 2, axes.bottom + 42, figure.x_label, 13, "middle"))  # fmt: skip
    ticks_across(axes, figure.x_ticks)
    return axes.bottom + 52


def _layer(axes: Axes, layer: Layer, colour: str, lane: float) -> None:
    middle = BETWEEN / 2 + TRACK * (layer.track - 0.5)
    for place, start, end in layer.spans:
        x, y = axes.x(start), axes.top + lane * place + middle
        # A course of few days is still to be seen.
        axes.scene.add(Area(x, y - SPAN / 2, max(axes.x(end) - x, 2), SPAN, colour))
    shape = _shape(layer)
    if layer.points and shape is not None:
        points = tuple((axes.x(at), axes.top + lane * place + middle) for place, at in layer.points)
        axes.scene.add(Marks(points, shape, MARK, colour, layer.hollow))


def _colour(layer: Layer) -> str:
    return (*COLOURS, INK)[(layer.colour - 1) % (len(COLOURS) + 1)]


def _shape(layer: Layer) -> Shape | None:
    return cast("Shape", layer.shape) if layer.shape else None
