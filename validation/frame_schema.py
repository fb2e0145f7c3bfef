"""A pandera schema that is made for one frame and thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandera.pandas as pa


def frame_schema(checks: Mapping[str, list[pa.Check]], name: str, nullable: bool, **options: Any) -> pa.DataFrameSchema:
    """Return a schema of columns of any type with their checks.

    The columns are put into the finished schema: given to its constructor, each would be copied with all its checks,
    which takes longer than to judge the few rows of a small trial.
    """
    schema = pa.DataFrameSchema(name=name, **options)
    schema.columns = {column: pa.Column(None, own, nullable=nullable, name=column) for column, own in checks.items()}
    return schema
