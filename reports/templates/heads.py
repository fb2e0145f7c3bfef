"""The heads of treatment columns, the same on every table."""

from __future__ import annotations

from reports.analysis import SUBJECT_LEVEL, Analysis, Group
from reports.book import Book
from reports.formats import COUNT
from reports.ledger import Ledger, Place
from reports.specification import Output
from reports.statistics.estimate import Estimate
from reports.table import Column

POPULATION = "population"


def add_size(analysis: Analysis, output: Output, group: Group, ledger: Ledger) -> int:
    """Record the number of subjects of a treatment column, and return it."""
    source = analysis.select(output, SUBJECT_LEVEL, group)
    size = len(source.subjects)
    place = Place("N", group.label, POPULATION)
    ledger.add(output, place, "N", Estimate(float(size), "Number of patients in the population", size), COUNT, source)
    return size


def columns(book: Book, *beneath: str) -> tuple[Column, ...]:
    """One column a treatment, ``Label (N=10)``, or several ``beneath`` each."""
    heads = [(group, f"{group} (N={book.text(POPULATION, '', group, 'N')})") for group in book.groups()]
    if not beneath:
        return tuple(Column(head) for _, head in heads)
    return tuple(Column(label, head) for _, head in heads for label in beneath)
