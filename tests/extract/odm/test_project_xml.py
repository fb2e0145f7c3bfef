"""A project's XML gives the records that the API gives, cell by cell, and the same structure."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extract.exports import snapshot_of
from extract.odm.document import read_document
from extract.odm.records import records_of
from extract.odm.structure import structure_of
from extract.snapshot import open_snapshot
from metadata.errors import StudyError
from metadata.project import Project
from metadata.study import BUNDLED, Study
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.project_xml import project_xml

STUDIES = ("spms_aza", "hta_duo")
SIMPLE = """\
<?xml version="1.0" encoding="UTF-8" ?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:redcap="https://projectredcap.org" SourceSystem="REDCap">
<Study OID="Project.A"><GlobalVariables><StudyName>A</StudyName>
<redcap:MissingDataCodes>-9, Unknown
NA, Not asked</redcap:MissingDataCodes></GlobalVariables>
<MetaDataVersion OID="M" Name="A" redcap:RecordIdField="id">
<FormDef OID="Form.first" Name="The &lt;b&gt;first&lt;/b&gt;" Repeating="No" redcap:FormName="first">
<ItemGroupRef ItemGroupOID="first.id" Mandatory="No"/></FormDef>
<ItemGroupDef OID="first.id" Name="First" Repeating="No"><ItemRef ItemOID="id"/><ItemRef ItemOID="note"/>
<ItemRef ItemOID="scan"/>
<ItemRef ItemOID="box___1"/><ItemRef ItemOID="box____9"/><ItemRef ItemOID="first_complete"/></ItemGroupDef>
<ItemDef OID="id" Name="id" redcap:Variable="id" redcap:FieldType="text">
<Question><TranslatedText>Id</TranslatedText></Question></ItemDef>
<ItemDef OID="note" Name="note" redcap:Variable="note" redcap:FieldType="textarea" redcap:FieldNote="one
two &#039;x&#039;"><Question><TranslatedText>N</TranslatedText></Question></ItemDef>
<ItemDef OID="scan" Name="scan" redcap:Variable="scan" redcap:FieldType="file"><Question/></ItemDef>
<ItemDef OID="box___1" Name="box___1" redcap:Variable="box" redcap:FieldType="checkbox">
<Question/><CodeListRef CodeListOID="b"/></ItemDef>
<ItemDef OID="box____9" Name="box____9" redcap:Variable="box" redcap:FieldType="checkbox">
<Question/><CodeListRef CodeListOID="b"/></ItemDef>
<ItemDef OID="first_complete" redcap:Variable="first_complete" redcap:FieldType="select"><Question/></ItemDef>
<CodeList OID="b" Name="b" redcap:Variable="box" redcap:CheckboxChoices="1, One, or more|-9, None"/>
</MetaDataVersion></Study>
<ClinicalData StudyOID="Project.A"><SubjectData SubjectKey="1"><FormData FormOID="Form.first" FormRepeatKey="1">
<ItemGroupData ItemGroupOID="first.id"><ItemData ItemOID="id" Value="1"/>
<ItemData ItemOID="note" Value="say &quot;x&quot;
\tand &lt;y&gt;"/>
<ItemDataBase64Binary ItemOID="scan" redcap:DocName="a.pdf" redcap:MimeType="x"><![CDATA[aGk="
]]></ItemDataBase64Binary></ItemGroupData></FormData></SubjectData>
<SubjectData SubjectKey="2"/></ClinicalData></ODM>
"""


def read(path: Path) -> tuple[Project, pd.DataFrame]:
    root = read_document(path)
    structure = structure_of(root, path)
    assert structure is not None
    project = Project.from_payloads(structure)
    return project, records_of(root, project)


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("name", STUDIES)
def test_the_xml_of_a_study_gives_the_snapshot_of_its_exports(name: str, tmp_path: Path) -> None:
    study, folder = Study.open(name), BUNDLED / name / "redcap"
    served = SandboxProject.read(folder)
    file = written(tmp_path / "project.xml", project_xml(served.project, served.records.frame, served.version))
    exported = open_snapshot(snapshot_of(study, folder, tmp_path / "a")).snapshot
    got = open_snapshot(snapshot_of(study, file, tmp_path / "b")).snapshot
    assert got.project.dictionary.fields == exported.project.dictionary.fields
    for part in ("event_names", "repeating_forms", "missing_codes", "longitudinal"):
        assert getattr(got.project, part) == getattr(exported.project, part)
    key = [
        exported.project.dictionary.record_id,
        "redcap_event_name",
        "redcap_repeat_instrument",
        "redcap_repeat_instance",
    ]
    ours, theirs = (one.records.frame.sort_values(key, ignore_index=True) for one in (got, exported))
    assert set(ours.columns) == set(theirs.columns)
    pd.testing.assert_frame_equal(ours[theirs.columns.tolist()], theirs)


def test_breaks_files_boxes_and_untouched_forms(tmp_path: Path) -> None:
    project, records = read(written(tmp_path / "a.xml", SIMPLE))
    assert project.missing_codes == {"-9": "Unknown", "NA": "Not asked"}
    assert project.instruments == [{"instrument_name": "first", "instrument_label": "The <b>first</b>"}]
    fields = project.dictionary.fields
    assert list(fields) == ["id", "note", "scan", "box"]
    assert fields["note"].field_note == "one\ntwo 'x'"
    assert fields["box"].choices == {"1": "One, or more", "-9": "None"}
    assert records.to_dict("records") == [
        {
            "id": "1",
            "note": 'say "x"\n\tand <y>',
            "scan": "a.pdf",
            "box___1": "0",
            "box____9": "0",
            "first_complete": "0",
        },
        {"id": "2", "note": "", "scan": "", "box___1": "0", "box____9": "0", "first_complete": "0"},
    ]


def test_a_datetime_is_written_as_in_the_flat_export(tmp_path: Path) -> None:
    timed = SIMPLE.replace(
        'redcap:FieldType="textarea"', 'redcap:FieldType="text" redcap:TextValidationType="datetime_dmy"'
    )
    for written, value in (
        ("2015-12-22T07:30", "2015-12-22 07:30"),
        ("2015-12-22 07:30", "2015-12-22 07:30"),
        ("T", "T"),
    ):
        file = tmp_path / "project.xml"
        text = timed.replace('Value="say &quot;x&quot;\n\tand &lt;y&gt;"', f'Value="{written}"')
        assert text != timed
        file.write_text(text)
        assert read(file)[1]["note"].iloc[0] == value


def test_a_group_that_the_file_has_once_is_that_of_all_rows(tmp_path: Path) -> None:
    served = SandboxProject.read(BUNDLED / "spms_aza" / "redcap")
    text = project_xml(served.project, served.records.frame, served.version)
    _, records = read(written(tmp_path / "a.xml", text))
    assert text.count('ItemOID="redcap_data_access_group" Value=') < len(records) / 4
    assert (records["redcap_data_access_group"] != "").all()


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")) | st.sampled_from("\n\t\r<>&\"'\\"), max_size=12
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from("01"), st.sampled_from("012")), min_size=1, max_size=4), TEXTS)
def test_any_text_comes_back_as_it_is(tmp_path: Path, rows: list[tuple[str, ...]], label: str) -> None:
    project = Project.from_payloads(
        {
            "dictionary": [
                {"field_name": "id", "form_name": "a", "field_type": "text"},
                {"field_name": "t", "form_name": "a", "field_type": "notes", "field_annotation": label},
                {"field_name": "u", "form_name": "b", "field_type": "text", "field_note": label},
                {
                    "field_name": "c",
                    "form_name": "b",
                    "field_type": "checkbox",
                    "select_choices_or_calculations": "1, X",
                },
            ],
            "project_info": {"is_longitudinal": "0"},
            "repeating": [{"event_name": "", "form_name": "b"}],
        }
    )
    table = [
        {"id": "7", "redcap_repeat_instrument": "", "redcap_repeat_instance": "", "t": rows[0][0], "a_complete": "2"},
        *(
            {"id": "7", "redcap_repeat_instrument": "b", "redcap_repeat_instance": str(number), "u": text, "c___1": box}
            | {"b_complete": status}
            for number, (_, text, box, status) in enumerate(rows, start=1)
            if text or box == "1" or status != "0"
        ),
    ]
    flat = pd.DataFrame(table, dtype="str").fillna("")
    got, records = read(written(tmp_path / "p.xml", project_xml(project, flat, "15.2.1")))
    assert got.dictionary.fields["t"].field_annotation == label
    assert got.dictionary.fields["u"].field_note == label
    expected = flat.reindex(columns=records.columns, fill_value="")
    pd.testing.assert_frame_equal(records, expected, check_dtype=False)


def test_a_file_with_data_only_has_the_structure_of_the_study(tmp_path: Path) -> None:
    study = Study.open("hta_duo")
    served = SandboxProject.read(BUNDLED / "hta_duo" / "redcap")
    whole = project_xml(served.project, served.records.frame, served.version)
    head, _, rest = whole.partition("<Study ")
    file = written(tmp_path / "data.xml", head + rest.partition("</Study>")[2])
    got = open_snapshot(snapshot_of(study, file, tmp_path / "a")).snapshot
    assert got.project.dictionary.fields == served.project.dictionary.fields
    assert len(got.records.frame) == len(served.records.frame)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('<!DOCTYPE ODM [<!ENTITY a "b">]>' + SIMPLE.partition("?>")[2], "declares a document type or entities"),
        (SIMPLE[:-40], "the file is not XML: it may be cut off"),
        ("<html><body>Log in</body></html>", "its first element is not CDISC's ODM"),
        ("", "the file is not XML"),
        (
            SIMPLE.replace('<ItemDef OID="note"', '<ItemDef OID="other"'),
            "the item 'note' of the form 'first' is not defined",
        ),
    ],
)
def test_what_is_no_projects_xml_is_refused_in_a_sentence(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=said):
        snapshot_of(Study.open("hta_duo"), written(tmp_path / "a.xml", text), tmp_path / "b")


def test_an_item_that_the_project_has_not_is_refused(tmp_path: Path) -> None:
    odd = SIMPLE.replace('ItemData ItemOID="note"', 'ItemData ItemOID="nte"')
    with pytest.raises(StudyError, match="nte"):
        snapshot_of(Study.open("hta_duo"), written(tmp_path / "a.xml", odd), tmp_path / "b")
