"""The submission package: filled next to the old one, then put in its place by one rename.

``<out>`` is a symbolic link to ``<out>.d/<id>/``. Killed at any moment, a build leaves ``<out>`` on a complete
package; unfinished folders have names that begin with a dot and are removed when the next build starts. Earlier
packages are kept in ``<out>.d``, to be compared with; nobody but the user removes them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType

from metadata.dataset import Dataset
from metadata.errors import OutsideError, StudyError, UsageError
from metadata.records import Records
from metadata.study import LARGEST_FILE
from metadata.study_declaration import JsonForm
from publish import dataset_json, lineage, manifest, parquet, readback, splitting, xpt
from publish.disk import DISK_ERRORS, outside, sync, sync_tree, write_bytes
from publish.lock import Lock
from publish.refusals import Standard

REASON = "reason.txt"
STANDARDS: tuple[Standard, ...] = ("sdtm", "adam")
PACKAGE = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class PackageLayout:
    """The folders and files of a package."""

    root: Path
    studyid: str

    @property
    def _study(self) -> Path:
        return self.root / "m5" / "datasets" / re.sub("[^a-z0-9-]", "-", self.studyid.lower())

    @property
    def manifest(self) -> Path:
        """The manifest."""
        return self.root / manifest.FILE

    @property
    def validation(self) -> Path:
        """Query listing, conformance and acceptance results."""
        return self.root / "validation"

    @property
    def reports(self) -> Path:
        """Tables, figures, listings and results data."""
        return self.root / "reports"

    @property
    def lineage(self) -> Path:
        """Edges, one parquet file a dataset."""
        return self.root / "lineage"

    def transport(self, standard: Standard) -> Path:
        """Folder of the transport files of a standard."""
        inner = ("tabulations", "sdtm") if standard == "sdtm" else ("analysis", "adam", "datasets")
        return self._study.joinpath(*inner)

    @property
    def programs(self) -> Path:
        """Folder of what made the analysis datasets and outputs."""
        return self.transport("adam").parent / "programs"

    def parquet(self, standard: Standard) -> Path:
        """Folder of the parquet files of a standard."""
        return self.root / "parquet" / standard

    def dataset_json(self, standard: Standard) -> Path:
        """Folder of the Dataset-JSON files of a standard."""
        return self.root / "dataset-json" / standard

    def make(self, *folders: Path) -> None:
        """Make the given folders, or all of a package, where they are not there; raises OutsideError."""
        every = [self.validation, self.reports, self.lineage]
        every += [place(standard) for standard in STANDARDS for place in (self.transport, self.parquet)]
        with outside(f"write to {self.root}"):
            for folder in folders or every:
                folder.mkdir(parents=True, exist_ok=True)


def write_transport(
    layout: PackageLayout,
    standard: Standard,
    datasets: Mapping[str, Dataset],
    created: date,
    largest: int = LARGEST_FILE,
) -> list[Path]:
    """Write every dataset as transport file and as parquet, and return the transport files.

    A file of more than ``largest`` bytes is also given in parts, in the folder ``split``. Lengths must be resolved.
    Raises StudyError for what a transport file may not hold; OutsideError.
    """
    layout.make(layout.transport(standard), layout.parquet(standard))
    paths = []
    for dataset in datasets.values():
        paths.append(layout.transport(standard) / f"{dataset.name.lower()}.xpt")
        xpt.write(dataset, paths[-1], created, standard)
        parquet.write(dataset, layout.parquet(standard) / f"{dataset.name.lower()}.parquet")
        for part in splitting.parts(dataset, largest, datasets):
            paths.append(_part(layout, standard, part))
            layout.make(paths[-1].parent)
            xpt.write(part, paths[-1], created, standard)
    return paths


def _part(layout: PackageLayout, standard: Standard, part: Dataset) -> Path:
    """Return the place of a part of a dataset."""
    return layout.transport(standard) / splitting.FOLDER / f"{part.name.lower()}.xpt"


def write_dataset_json(
    layout: PackageLayout,
    standard: Standard,
    datasets: Mapping[str, Dataset],
    created: str,
    forms: Sequence[JsonForm] | None = None,
) -> list[Path]:
    """Write every dataset as Dataset-JSON, as the define.xml of its transport file describes it; return the files.

    ``forms`` are those that the study asks for; if it does not, all, and of large datasets the compressed one.
    Raises StudyError for a value that reads back differently, OutsideError.
    """
    if forms is not None and not forms:
        return []
    folder, define = layout.dataset_json(standard), layout.transport(standard) / "define.xml"
    layout.make(folder)
    groups, way = dataset_json.defined_groups(define), Path(os.path.relpath(define, folder)).as_posix()
    return [
        path
        for name, dataset in datasets.items()
        for path in dataset_json.write(dataset, groups[name], folder, created, way, forms)
    ]


def verify_transport(
    layout: PackageLayout,
    standard: Standard,
    datasets: Mapping[str, Dataset],
    created: date,
    largest: int = LARGEST_FILE,
) -> list[tuple[Path, int, int]]:
    """Read every transport file back and compare; raises StudyError at the first difference.

    Returns each file with its number of rows, all of which are compared, and with how many of them ReadStat read, too.
    """
    verified = []
    for dataset in datasets.values():
        path = layout.transport(standard) / f"{dataset.name.lower()}.xpt"
        verified.append((path, len(dataset.frame), readback.verify(dataset, path, created)))
        for part in splitting.parts(dataset, largest, datasets):
            path = _part(layout, standard, part)
            verified.append((path, len(part.frame), readback.verify(part, path, created)))
    return verified


def write_lineage(layout: PackageLayout, datasets: Mapping[str, Dataset], records: Records | None) -> None:
    """Write the edges of every dataset; ``datasets`` holds SDTM and analysis datasets, each a possible source."""
    layout.make(layout.lineage)
    lineage.write(datasets, records, layout.lineage)


class Build:
    """One build of a package, as a context: fill ``layout``, then ``publish``.

    Left without ``publish``, the build leaves no trace, except that a StudyError, or ``stop``, keeps the findings in
    ``<out>.stopped/``. Raises UsageError if ``out`` is something that no build made, OutsideError if another build is
    at work or the disk fails.
    """

    def __init__(self, out: Path, package_id: str, studyid: str) -> None:
        if not PACKAGE.fullmatch(package_id):
            raise UsageError(f"'{package_id}' is not a package id, which has 16 hexadecimal digits")
        self.out = out.parent.resolve() / out.name  # the last part stays a link
        self.id = package_id
        self.store = self.out.with_name(f"{self.out.name}.d")
        self.stopped = self.out.with_name(f"{self.out.name}.stopped")
        self._lock = Lock(self.store / ".lock", str(self.out))
        self._studyid = studyid
        self._done = False
        self.layout = PackageLayout(self.store, studyid)

    def __enter__(self) -> Build:
        """Take the lock, remove what killed builds left, and make the new folder."""
        with outside(f"write to {self.store}"):
            self._refuse_foreign()
            self.store.mkdir(parents=True, exist_ok=True)
        self._lock.take()
        try:
            with outside(f"write to {self.store}"):
                self._remove_leftovers()
                self.layout = PackageLayout(self._free(f".building-{self.id}"), self._studyid)
                self.layout.make()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Keep the findings if the study was not fit, remove what was not published, give the lock back."""
        try:
            if isinstance(error, StudyError) and not self._done:
                self.stop(str(error))
            if not self._done:
                shutil.rmtree(self.layout.root, ignore_errors=True)
        finally:
            self._lock.release()
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            raise OutsideError(f"cannot write to {self.store}: {error.strerror}") from error

    def publish(self) -> Path:
        """Put the filled folder in place of the old package, in one step, and return its folder."""
        sync_tree(self.layout.root)
        with outside(f"write to {self.store}"):
            previous, final = self._target(), self.store / self.id
            if previous == final:
                self._replace_current(final)
            else:
                self._remove(final)
                self.layout.root.rename(final)
                sync(self.store)
                self._switch(final)
            self._done = True
            self.layout = PackageLayout(final, self._studyid)
            self._remove_stopped()
        return final

    def stop(self, reason: str) -> Path:
        """End the build without a package: keep its findings and the reason in ``<out>.stopped/``."""
        partial = self.store / ".stopped"
        write_bytes(self.layout.validation / REASON, (reason.rstrip("\n") + "\n").encode())
        with outside(f"write to {self.stopped}"):
            self.layout.validation.rename(partial)
            self._remove_stopped()
            partial.rename(self.stopped)
            shutil.rmtree(self.layout.root)
        self._done = True
        return self.stopped

    def _refuse_foreign(self) -> None:
        """Refuse to touch what lies at the places of a build but was not made by one."""
        if self.out.is_symlink():
            if self._target() is None:
                raise UsageError(f"{self.out} is a link that no build made; remove it or choose another --out")
        elif self.out.exists():
            raise UsageError(f"{self.out} is not a package but an ordinary file or folder; choose another --out")
        if self.store.exists() and not self.store.is_dir():
            raise UsageError(f"{self.store}, where packages are kept, is a file; choose another --out")
        if self.stopped.exists() and not (self.stopped / REASON).is_file():
            raise UsageError(f"{self.stopped} was not made by a build that stopped; move it or choose another --out")

    def _target(self) -> Path | None:
        """Return the folder that ``<out>`` shows, if it is one of this store's."""
        if not self.out.is_symlink():
            return None
        target = self.out.parent / self.out.readlink()
        return target if target.parent == self.store else None

    def _remove_leftovers(self) -> None:
        for path in self.store.iterdir():
            if path.name.startswith((".building-", ".twin-", ".removed-", ".stopped")) and path != self._target():
                shutil.rmtree(path)
        self._temporary_link.unlink(missing_ok=True)

    def _free(self, name: str) -> Path:
        """Return a path in the store that is not taken; only a build killed during a switch leaves one taken."""
        path = self.store / name
        return self._free(f"{name}-") if path.exists() else path

    @property
    def _temporary_link(self) -> Path:
        return self.store / ".link"

    def _switch(self, folder: Path) -> None:
        """Let ``<out>`` show ``folder``, in one step."""
        self._temporary_link.unlink(missing_ok=True)
        target = Path(os.path.relpath(folder, self.out.parent))
        self._temporary_link.symlink_to(target, target_is_directory=True)
        self._temporary_link.replace(self.out)
        sync(self.out.parent)

    def _replace_current(self, final: Path) -> None:
        """Take the place of the package that ``<out>`` shows, which has the same id.

        A folder in use cannot be renamed over, so ``<out>`` shows the new folder under its temporary name, then a twin
        of hard links under the final one.
        """
        filled, twin = self.layout.root, self.store / f".twin-{self.id}"
        self._switch(filled)
        self._remove(final)
        shutil.copytree(filled, twin, copy_function=_link_or_copy)
        sync_tree(twin)
        twin.rename(final)
        sync(self.store)
        self._switch(final)
        shutil.rmtree(filled)

    def _remove(self, folder: Path) -> None:
        """Remove a package so that its name never shows an incomplete one."""
        if folder.exists():
            removed = self._free(f".removed-{folder.name}")
            folder.rename(removed)
            shutil.rmtree(removed)

    def _remove_stopped(self) -> None:
        if (self.stopped / REASON).is_file():
            removed = self._free(".removed-stopped")
            self.stopped.rename(removed)
            shutil.rmtree(removed)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
