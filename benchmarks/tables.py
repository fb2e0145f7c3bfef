"""The tables that the benchmarks print."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.processes import Usage

WALL, CPU = "wall", "processor"
Measured = dict[str, Any]
FLOOR = 2  # the first two of the plain ways are the floor


def print_size(console: Console, patients: int, measured: Measured, whole: Usage) -> None:
    """Print the stages of one size, the whole build and the plain ways to do the same."""
    stages, plain = measured["stages"], measured["plain"]
    floor = {clock: sum(stage[clock] for stage in plain[:FLOOR]) for clock in (WALL, CPU)}
    table = Table("stage", "wall s", "CPU s", "CPU / floor", "peak MB", title=f"{patients:,} patients")
    for stage in stages:
        _add(table, stage["name"], stage[WALL], stage[CPU], floor, stage["peak"])
    table.add_section()
    _add(table, "all stages, one core", total(stages, WALL), total(stages, CPU), floor, peak(stages))
    _add(table, "whole process, all cores", whole.wall, whole.processor, floor, whole.peak)
    table.add_section()
    for stage in plain:
        _add(table, stage["name"], stage[WALL], stage[CPU], floor, stage["peak"])
    _right_align(table)
    console.print(table)
    met = "{met} of {expectations} expectations met".format(**measured["acceptance"])
    console.print(f"{measured['rows']:,} rows of datasets, {measured['bytes']:,} bytes of transport files; {met}\n")


def total(stages: list[Measured], clock: str) -> float:
    """Return the seconds of all stages."""
    return sum(stage[clock] for stage in stages)


def peak(stages: list[Measured]) -> float:
    """Return the peak memory of all stages in MB."""
    return max(stage["peak"] for stage in stages)


def _add(table: Table, name: str, wall: float, processor: float, floor: Mapping[str, float], memory: float) -> None:
    table.add_row(name, f"{wall:.2f}", f"{processor:.2f}", f"{processor / floor[CPU]:.1f}", f"{memory:,.0f}")


def print_growth(console: Console, sizes: Mapping[int, Measured]) -> None:
    """Print the CPU seconds of each stage at each size, and how they grow from the smaller of the last two."""
    pairs = list(itertools.pairwise(sizes))
    heads = [f"{patients:,}" for patients in sizes] + [f"{larger:,} / {smaller:,}" for smaller, larger in pairs]
    table = Table("CPU s of", *heads, title="Growth with the number of patients")
    columns = {patients: {stage["name"]: stage for stage in one["stages"]} for patients, one in sizes.items()}
    for name in columns[max(columns)]:
        _grow(table, name, [stages[name][CPU] if name in stages else 0.0 for stages in columns.values()])
    table.add_section()
    _grow(table, "all stages", [total(one["stages"], CPU) for one in sizes.values()])
    _grow(table, "peak MB", [peak(one["stages"]) for one in sizes.values()])
    _right_align(table)
    console.print(table)


def _grow(table: Table, name: str, values: list[float]) -> None:
    ratios = [f"x {larger / smaller:.1f}" if smaller >= 0.01 else "" for smaller, larger in itertools.pairwise(values)]
    table.add_row(name, *(f"{value:,.2f}" for value in values), *ratios)


def print_commands(console: Console, commands: Mapping[str, Usage]) -> None:
    """Print what whole commands take."""
    table = Table("redcap-cdisc, second run", "wall s", "CPU s", "peak MB", title="Whole processes")
    for name, usage in commands.items():
        table.add_row(name, f"{usage.wall:.2f}", f"{usage.processor:.2f}", f"{usage.peak:,.0f}")
    _right_align(table)
    console.print(table)


def _right_align(table: Table) -> None:
    for column in table.columns[1:]:
        column.justify = "right"
