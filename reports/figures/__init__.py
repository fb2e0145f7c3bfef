"""Figures as SVG and PNG, drawn by matplotlib: a file a kind of figure.

Importing this package loads matplotlib, so that only what draws imports it, and only when there is something to draw.
"""

from reports.figures.library import load

load()
