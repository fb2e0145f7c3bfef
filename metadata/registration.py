"""Derivations, rules and templates register when they are imported: one folder, one file a family."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def load_modules(package: ModuleType) -> tuple[ModuleType, ...]:
    """Import every module of a package, by name, so that what it registers is known; returns the modules."""
    names = sorted(module.name for module in iter_modules(package.__path__) if not module.ispkg)
    return tuple(import_module(f"{package.__name__}.{name}") for name in names)
