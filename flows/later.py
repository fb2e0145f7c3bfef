"""Libraries that load when they are first used: a check of a study's files never needs its heavy ones.

The stages import pandas and others at their top, as is right; reading and checking declarations touches none of them,
and their import would take longer than the check itself.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

HEAVY = ("pandas", "pandera.pandas", "scipy.special")


class _Later(ModuleType):
    """Stands for a module until one of its names is asked for."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = importlib.import_module(self.__name__)
        self.__dict__.update(module.__dict__)
        return getattr(module, name)


def load_later(names: tuple[str, ...] = HEAVY) -> None:
    """Let imports of ``names`` from here on cost nothing until they are used; what is loaded already stays."""
    for name in names:
        if name in sys.modules:
            continue
        sys.modules[name] = _Later(name)
        parent, _, child = name.rpartition(".")
        if parent and parent not in sys.modules:
            sys.modules[parent] = _Later(parent)
            setattr(sys.modules[parent], child, sys.modules[name])
