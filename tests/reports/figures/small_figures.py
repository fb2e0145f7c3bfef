"""Small figures of each kind, with what is around them."""

from __future__ import annotations

from xml.etree import ElementTree

from reports.figures.files import Picture
from reports.figures.picture import Captions, draw
from reports.layout.figure import (
    CourseFigure,
    CoursePanel,
    Figure,
    ProfileFigure,
    ProfileLine,
    ShadedBand,
    StepCurve,
    StepFigure,
    TimelineFigure,
    TimelineLayer,
)
from reports.templates.box_figure import BoxFigure, BoxSeries
from reports.templates.mean_figure import MeanFigure, MeanLine

NAN = float("nan")


def profile_figure_of(lines: int = 2) -> ProfileFigure:
    """Courses from day 0 to 20; the second ends early and has a hollow mark; values beyond 3 lie outside."""
    shown = [
        ProfileLine("S1", (0, 10, 20), (1, 9, 2), (False, False, False)),
        ProfileLine("S2", (0, 8), (2, 1), (True, False)),
    ]
    shown += [ProfileLine(f"S{number}", (0, 20), (1, 2)) for number in range(3, lines + 1)]
    return ProfileFigure(
        "Day", "Titre", tuple(shown[:lines]), ProfileLine("Median", (0, 20), (1.5, 2)), (0, 10, 20), (0, 3),
        (0, 1, 2, 3), (ShadedBand("Low", 0, 1), ShadedBand("High", 1, 99)), (ShadedBand("Limit 1.5", 1.5, 1.5),),
        "Courses.", (), "Below a limit",
    )  # fmt: skip


def mean_figure() -> MeanFigure:
    """Two groups at two visits, the last mean of the second without an interval."""
    lines = (MeanLine("A & B", (0, 1), (5, 6), (4, 5), (6, 7), ("12", "11")),
             MeanLine("C", (0, 1), (-5, 3), (-6, NAN), (-4, NAN), ("9", "1")))  # fmt: skip
    return MeanFigure("Visit", "Change", ((0, "Baseline"), (1, "Week 4")), (-10, 10), (-10, 0, 10), lines, "Means.")


def box_figure() -> BoxFigure:
    """Two groups at two visits; the second has one value, at the first."""
    names = ("min", "q1", "median", "q3", "max", "mean", "n")
    first = tuple(dict(zip(names, (low, low + 1, low + 2, low + 4, low + 6, low + 2.5, 9.0), strict=True))
                  for low in (-6.0, 0.0))  # fmt: skip
    one = dict.fromkeys(names, 3.0) | {"n": 1.0}
    series = (BoxSeries("A & B", (0, 1), first, ("9", "9")), BoxSeries("C", (0,), (one,), ("1",)))
    return BoxFigure("Visit", "Change", ((0, "Baseline"), (1, "Week 4")), (-10, 10), (-10, 0, 10), series, "Boxes.")


def step_figure(curves: int = 2) -> StepFigure:
    """A curve falls at 2 to 0.5 and has a mark at 3; the second never falls."""
    shown = (StepCurve("A", ((2, 0.5),), ((3, 0.5),), 4, ("8", "4", "0")), StepCurve("B", (), (), 4, ("7", "7", "6")))
    return StepFigure("Weeks", "Probability", shown[:curves], (0, 2, 4), "Curves.", "Log-rank test: p = 0.5")


def timeline(subjects: int = 3) -> TimelineFigure:
    """Each subject has a span of the days 1 to 5 + its place and a hollow mark on day 3."""
    names = tuple(f"X-{number:03d}" for number in range(subjects))
    spans = tuple((place, 1.0, 5.0 + place) for place in range(subjects))
    points = tuple((place, 3.0) for place in range(subjects))
    layers = (TimelineLayer("Drug", 1, spans), TimelineLayer("Attack", 2, (), points, "diamond", True, 7))
    return TimelineFigure("Day", (0, 5), names, layers, "TimelineFigure.")


def course() -> CourseFigure:
    """One subject: a dose that stops on day 10, a test with two limits, a span of days 2 to 8 and a mark on day 5."""
    dose = CoursePanel("A drug, a day", (ProfileLine("A drug", (0, 10), (150, 0)),), steps=True)
    test = CoursePanel("Count, 10^9/L", (ProfileLine("Count", (1, 8, 20), (4, 3.2, 3)),), (2, 3.5))
    lanes = (
        TimelineLayer("Event", 1, ((0, 2.0, 8.0),)),
        TimelineLayer("Visit", 1, (), ((0, 5.0),), "square", False, 2),
    )
    return CourseFigure("Day", (0, 10, 20), (dose, test), lanes, "Doses, results and events.")


FIGURES: dict[str, Figure] = {
    "one subject": course(),
    "course": profile_figure_of(), "many courses": profile_figure_of(30), "mean": mean_figure(), "boxes": box_figure(),
    "step": step_figure(),
    "one curve": step_figure(1), "timeline": timeline(), "timeline of pages": timeline(100),
}  # fmt: skip


CAPTIONS = Captions("Title <b> \N{EN DASH} Synthetic data", "All subjects (N = 3)", ("Source: ADSL.",))


def drawn(figure: Figure) -> list[Picture]:
    """The pages of a figure."""
    return list(draw(figure, CAPTIONS))


def texts(svg: str) -> list[str]:
    """The texts of a picture, in the order of drawing."""
    return [str(element.text) for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]
