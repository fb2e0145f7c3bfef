"""Splitting: parts are small enough, have equal lengths, and together hold every record once and in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.study import LARGEST_FILE, Study
from publish import define_document, splitting, xpt
from publish.define_documents import Documents
from publish.define_sentences import Sentences
from publish.package import PackageLayout, verify_transport, write_transport
from publish.xpt_layout import file_size
from tests.publish.examples import make

DATE = date(2001, 12, 31)


def laboratory(count: int, name: str = "LB") -> Dataset:
    numbers = [float(number) for number in range(count)]
    return make(name, {"USUBJID": [f"S{number:.0f}" for number in numbers], "LBSEQ": numbers}, keys=("USUBJID",))


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 300), largest=st.integers(1_200, 4_000))
def test_every_record_is_in_one_part(count: int, largest: int) -> None:
    whole = laboratory(count)
    made = splitting.parts(whole, largest)
    assert bool(made) == (file_size(whole.metadata, count) > largest)
    if made:
        pd.testing.assert_frame_equal(pd.concat([part.frame for part in made], ignore_index=True), whole.frame)
        assert all(file_size(part.metadata, len(part.frame)) <= largest for part in made)
        assert {part.metadata.variables for part in made} == {whole.metadata.variables}
        sizes = [len(part.frame) for part in made]
        assert max(sizes) - min(sizes) <= 1
        assert len({part.name for part in made}) == len(made)


def test_parts_are_called_by_number() -> None:
    assert [part.name for part in splitting.parts(laboratory(60), 1_500)] == ["LB1", "LB2"]
    assert [part.name for part in splitting.parts(laboratory(60, "ADLBLONG"), 1_500)] == ["ADLBLON1", "ADLBLON2"]
    many = [part.name for part in splitting.parts(laboratory(300), 1_200)]
    assert many[:2] == ["LB01", "LB02"] and many == sorted(many)


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(StudyError, match="a file of one record takes more than the 900 bytes"):
        splitting.parts(laboratory(60), 900)
    with pytest.raises(StudyError, match="its part LB1 has the name of another dataset"):
        splitting.parts(laboratory(60), 1_500, {"LB", "LB1"})


def test_the_whole_file_is_kept_and_all_are_read_back(tmp_path: Path) -> None:
    layout = PackageLayout(tmp_path, "S-1")
    datasets = {"LB": laboratory(60), "DM": laboratory(2, "DM")}
    paths = write_transport(layout, "sdtm", datasets, DATE, 1_500)
    folder = layout.transport("sdtm")
    names = ["lb.xpt", "split/lb1.xpt", "split/lb2.xpt", "dm.xpt"]
    assert [path.relative_to(folder).as_posix() for path in paths] == names
    assert [one[:2] for one in verify_transport(layout, "sdtm", datasets, DATE, 1_500)] == [
        (path, rows) for path, rows in zip(paths, (60, 30, 30, 2), strict=True)
    ]
    assert splitting.files(datasets["LB"], 1_500) == names[1:3]
    assert splitting.files(datasets["DM"], 1_500) == []
    read = [xpt.read(path) for path in paths[:3]]
    assert len({tuple((one.name, one.length) for one in file.variables) for file in read}) == 1


def test_define_names_the_parts() -> None:
    names = splitting.files(laboratory(60), 1_500)
    sentences = Sentences()
    oid = define_document._in_parts(laboratory(60), Documents(parts={"LB": tuple(names)}), sentences)
    (comment,) = sentences.comments()
    assert oid == comment.OID
    said = "The records are also given in 2 parts of equal lengths, in order: split/lb1.xpt, split/lb2.xpt."
    assert splitting.sentence(names) == said
    assert comment.Description is not None
    assert said in str(comment.Description.TranslatedText[0]._content)
    assert define_document._in_parts(laboratory(1), Documents(), sentences) == ""


def test_the_study_says_how_large_a_file_may_be() -> None:
    study = Study.open("hta_duo")
    assert study.largest_file == LARGEST_FILE == 5_000_000_000
    study.declared = replace(study.declared, largest_file=1000)
    assert study.largest_file == 1000
