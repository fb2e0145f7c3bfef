"""A condition on the rows of an output: one mapping of the language of conditions, whose entries must all hold."""

from __future__ import annotations

from typing import Any, ClassVar

from metadata.condition import Condition
from metadata.schema_errors import wrong_type


class RowCondition:
    """The notation of ``where`` in reports.yaml; a list of alternatives is no filter of results.csv and is refused."""

    notation: ClassVar[str] = "row condition"

    @classmethod
    def read(cls, value: object, node: object, key: str) -> Any:
        """Return the condition; raises StudyError with its place."""
        if not isinstance(value, dict):
            raise wrong_type(node, key, value, "a condition, such as {SAFFL: Y}")
        return Condition.read(value, node, key)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of one mapping."""
        found: dict[str, Any] = Condition.schema()["anyOf"][0]
        return found

    def names(self, role: str) -> tuple[str, ...]:
        """Return no names: no role is asked for here."""
        return ()
