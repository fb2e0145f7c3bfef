"""Drawing a figure as SVG and PNG, title, population and footnotes in the picture, the same bytes on every run."""

from __future__ import annotations

from dataclasses import dataclass

from reports.course_figure import draw_courses
from reports.drawing.axes import wrapped
from reports.drawing.raster import pngs
from reports.drawing.scene import (
    RULE,
    SOFT,
    Path,
    Scene,
    Text,
)
from reports.drawing.svg import svg
from reports.layout.table import (
    AnyFigure,
    Figure,
    StepFigure,
    Timeline,
)
from reports.mean_figure import draw_means
from reports.step_figure import draw_steps
from reports.timeline_figure import draw_timeline

# Hundredths of an inch, as all lengths of a scene.
WIDE, MARGIN = 920.0, 12.0
TITLE, POPULATION, NOTE = 15.0, 13.0, 11.0


@dataclass(frozen=True)
class Legend:
    """What a picture that is taken out of its page still says."""

    title: str
    population: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """A drawn figure, whole and, for pages that say the same, without title and footnotes."""

    svg: str
    png: bytes
    bare_svg: str
    bare_png: bytes


def draw(figure: AnyFigure, said: Legend) -> Picture:
    """Draw a figure beneath its title and population and above its footnotes."""
    scene = Scene(WIDE, 0)
    top = _head(scene, said)
    bottom = _body(scene, figure, top)
    scene.height = _foot(scene, said, bottom)
    whole, bare = pngs(scene, (0, scene.height), (top, bottom))
    return Picture(svg(scene, 0, scene.height), whole, svg(scene, top, bottom), bare)


def _body(scene: Scene, figure: AnyFigure, top: float) -> float:
    if isinstance(figure, Figure):
        return draw_courses(scene, figure, top)
    if isinstance(figure, StepFigure):
        return draw_steps(scene, figure, top)
    return draw_timeline(scene, figure, top) if isinstance(figure, Timeline) else draw_means(scene, figure, top)


def _head(scene: Scene, said: Legend) -> float:
    y = 8.0
    for line in wrapped(said.title, WIDE - 2 * MARGIN, TITLE, bold=True):
        y += TITLE + 5
        scene.add(Text(MARGIN, y - 4, line, TITLE, bold=True))
    scene.add(Text(MARGIN, y + POPULATION + 1, said.population, POPULATION, colour=SOFT))
    return y + POPULATION + 10


def _foot(scene: Scene, said: Legend, bottom: float) -> float:
    y = bottom + 8
    scene.add(Path(((MARGIN, y), (WIDE - MARGIN, y)), RULE, 0.9))
    y += 4
    for note in said.notes:
        for line in wrapped(note, WIDE - 2 * MARGIN, NOTE):
            y += NOTE + 4
            scene.add(Text(MARGIN, y, line, NOTE, colour=SOFT))
    return round(y + 10)
