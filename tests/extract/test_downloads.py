"""Files as REDCap's web pages give them, in a folder or a ZIP, make the snapshot that the API's names make."""

from __future__ import annotations

import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from extract.exports import snapshot_of
from metadata.dictionary import USER_INTERFACE_HEADERS
from metadata.errors import StudyError
from metadata.study import BUNDLED, Study

NAME = "spms_aza"
RENAMED = {
    "dictionary": "SPMSTrial_DataDictionary_2003-02-01",
    "events": "SPMSTrial_Events_2003-02-01",
    "arms": "SPMSTrial_Arms_2003-02-01",
    "form_event_mapping": "SPMSTrial_InstrumentDesignations_2003-02-01",
    "dags": "SPMSTrial_DAGs_2003-02-01",
    "records_locked": "SPMSTrial_DATA_2003-02-01_1015",
    "log": "SPMSTrial_Logging_2003-02-01_1015",
}


@pytest.fixture
def study() -> Study:
    return Study.open(NAME)


@pytest.fixture
def exported(study: Study, tmp_path: Path) -> Path:
    return snapshot_of(study, BUNDLED / NAME / "redcap", tmp_path / "exported")


def downloads(folder: Path) -> Path:
    """The bundled exports under the names and with the headers of the web pages."""
    folder.mkdir(parents=True)
    for own, name in RENAMED.items():
        shutil.copyfile(BUNDLED / NAME / "redcap" / f"{own}.csv", folder / f"{name}.csv")
    dictionary = folder / f"{RENAMED['dictionary']}.csv"
    head, _, rows = dictionary.read_text(encoding="utf-8").partition("\n")
    headers = {api: web for web, api in USER_INTERFACE_HEADERS.items()}
    shown = ",".join(f'"{headers[name].lower()}"' for name in head.strip().split(","))
    dictionary.write_text(f"\N{BYTE ORDER MARK}{shown}\n{rows}", encoding="utf-8")
    return folder


def zipped(path: Path, *members: tuple[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members:
            archive.writestr(name, text)
    return path


def test_downloads_of_the_web_pages_are_understood(study: Study, exported: Path, tmp_path: Path) -> None:
    assert snapshot_of(study, downloads(tmp_path / "web"), tmp_path / "a").name == exported.name


def test_a_zip_of_them_is_as_good(study: Study, exported: Path, tmp_path: Path) -> None:
    folder = downloads(tmp_path / "web" / "inside")
    archive = shutil.make_archive(str(tmp_path / "exports"), "zip", folder.parent)
    assert snapshot_of(study, Path(archive), tmp_path / "a").name == exported.name


def test_two_dates_of_one_file_and_labels_are_refused(study: Study, tmp_path: Path) -> None:
    folder = downloads(tmp_path / "web")
    data = folder / f"{RENAMED['records_locked']}.csv"
    other = data.rename(folder / "SPMSTrial_DATA_LABELS_2003-02-01_1015.csv")
    with pytest.raises(StudyError, match="labels in place of codes"):
        snapshot_of(study, folder, tmp_path / "a")
    shutil.copyfile(other, data)
    shutil.copyfile(other, folder / "SPMSTrial_DATA_2003-03-01_1015.csv")
    with pytest.raises(StudyError, match="could both be it"):
        snapshot_of(study, folder, tmp_path / "a")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("../records.csv", "a")], "is not a file inside the ZIP"),
        ([("/etc/records.csv", "a")], "is not a file inside the ZIP"),
        ([("C:\\records.csv", "a")], "is not a file inside the ZIP"),
        ([("a/records.csv", "a"), ("b/Records.csv", "a")], "is in two folders of the ZIP"),
    ],
)
def test_a_zip_writes_nothing_elsewhere(
    study: Study, tmp_path: Path, members: list[tuple[str, str]], said: str
) -> None:
    with pytest.raises(StudyError, match=said):
        snapshot_of(study, zipped(tmp_path / "a.zip", *members), tmp_path / "a")
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip"}


def test_links_large_files_and_broken_zips_are_refused(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = zipfile.ZipInfo("records.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/hostname")
    with pytest.raises(StudyError, match="is not a file inside the ZIP"):
        snapshot_of(study, tmp_path / "a.zip", tmp_path / "a")
    whole = zipped(tmp_path / "b.zip", ("records.csv", "x" * 2000))
    monkeypatch.setattr("extract.downloads.LARGEST", 1000)
    with pytest.raises(StudyError, match="unpack them and give the folder"):
        snapshot_of(study, whole, tmp_path / "a")
    whole.write_bytes(whole.read_bytes()[:50])
    with pytest.raises(StudyError, match="not a whole ZIP"):
        snapshot_of(study, whole, tmp_path / "a")
