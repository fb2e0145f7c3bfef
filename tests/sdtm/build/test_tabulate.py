"""Tabulation of a small study, rule by rule, with results worked out by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from metadata.errors import StudyError


def one(frame: pd.DataFrame) -> dict[str, Any]:
    assert len(frame) == 1
    return frame.iloc[0].to_dict()


EARLIER_LATEST = "RFXENDTC: {latest: EX.EXENDTC}"


def test_reference_dates_come_from_exposure_and_days_have_no_zero(small: Any) -> None:
    small.subject()
    small.row("1", "log", "dose", "2", drug="2", amount="1.5", dose_st="2000-03-09", dose_en="2000-05-01")
    small.row("1", "log", "event", "1", told="Fall", from_y="2000", from_m="3", from_d="8")
    subject = one(small.frame("DM"))
    assert (subject["RFXSTDTC"], subject["RFXENDTC"], subject["RFSTDTC"]) == ("2000-03-09", "2000-06-10", "2000-03-09")
    assert (subject["USUBJID"], subject["SITEID"], subject["SUBJID"]) == ("SMALL-01-1", "01", "01-1")
    assert subject["ACTARMCD"] == "A"
    doses = small.frame("EX")
    assert doses[["EXTRT", "EXDOSE", "EXSTDY"]].to_numpy().tolist() == [["A", 5.0, 2.0], ["B", 1.5, 1.0]]
    assert one(small.frame("AE"))["AESTDY"] == -1.0


def test_a_subject_without_a_dose_has_no_actual_arm_and_no_study_day(small: Any) -> None:
    small.subject(start="")
    small.row("1", "log", "event", "1", told="Fall", from_y="2000", from_m="3", from_d="8")
    tabulation = small.tabulate()
    assert tabulation.datasets["DM"].frame["ACTARMCD"].tolist() == [""]
    assert "AESTDY" not in tabulation.datasets["AE"].frame.columns


def test_required_and_expected_variables_stand_in_the_order_of_the_guide(small: Any) -> None:
    small.subject()
    small.row("1", "log", "event", "1", told="Fall")
    columns = list(small.frame("AE").columns)
    wanted = ["STUDYID", "DOMAIN", "USUBJID", "AESEQ", "AESPID", "AETERM", "AELLT", "AELLTCD", "AEDECOD", "AEPTCD"]
    assert columns[:10] == wanted
    assert columns[-2:] == ["AESTDTC", "AEENDTC"]
    assert "AESEV" not in columns


def test_sequence_and_way_back_to_the_form(small: Any) -> None:
    small.subject()
    small.row("1", "log", "event", "2", told="Ache")
    small.row("1", "log", "event", "1", told="Fall")
    frame = small.frame("AE")
    assert frame[["AESEQ", "AETERM", "AESPID"]].to_numpy().tolist() == [
        [1.0, "Ache", "log_arm_1/event/2"],
        [2.0, "Fall", "log_arm_1/event/1"],
    ]


def test_a_partial_date_stays_partial_and_has_no_day(small: Any) -> None:
    small.subject()
    small.row("1", "log", "event", "1", told="A", from_y="2000", from_m="4", from_d="UNK")
    small.row("1", "log", "event", "2", told="B", from_y="2000", from_m="UNK", from_d="7")
    small.row("1", "log", "event", "3", told="C", from_y="2000", from_m="4", from_d="7")
    frame = small.frame("AE")
    assert frame["AESTDTC"].tolist() == ["2000-04", "2000---07", "2000-04-07"]
    assert frame["AESTDY"].isna().tolist() == [True, True, False]


def test_the_epoch_needs_the_whole_interval_in_one_element(small: Any) -> None:
    small.subject()
    small.row("1", "month", end_dt="2000-07-01")
    dates = {"A": "2000-03-05", "B": "2000-03-10", "C": "2000-03", "D": "2000-04", "E": "2000-06-11", "F": "2000-08-01"}
    for number, (term, date) in enumerate(dates.items(), start=1):
        year, month, day = [*date.split("-"), "", ""][:3]
        small.row("1", "log", "event", str(number), told=term, from_y=year, from_m=month, from_d=day)
    assert small.frame("AE")["EPOCH"].tolist() == ["SCREENING", "TREATMENT", "", "TREATMENT", "FOLLOW-UP", ""]
    elements = small.frame("SE")
    assert elements[["ETCD", "SESTDTC", "SEENDTC"]].to_numpy().tolist() == [
        ["SCRN", "2000-03-01", "2000-03-10"],
        ["TRT", "2000-03-10", "2000-06-11"],
        ["FU", "2000-06-11", "2000-07-01"],
    ]


def test_an_element_that_would_begin_after_the_end_did_not_take_place(small: Any) -> None:
    small.subject(end="2000-06-10")
    small.row("1", "month", end_dt="2000-06-10")
    elements = small.frame("SE")
    assert elements["ETCD"].tolist() == ["SCRN", "TRT"]
    assert elements["SEENDTC"].tolist() == ["2000-03-10", "2000-06-10"]


UNLESS = "start: RFXENDTC, after: 1, unless: {has: EX.EXSTDTC, where: {EXENDTC: {missing: true}}}"
LATEST = "RFXENDTC: {latest: [EX.EXENDTC, EX.EXSTDTC]}"


def test_an_exposure_that_goes_on_counts_by_its_start_and_begins_no_follow_up(small: Any) -> None:
    for name, old, new in (("study", "start: RFXENDTC, after: 1", UNLESS), ("sdtm/dm", EARLIER_LATEST, LATEST)):
        path = small.folder / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    small.subject("1")
    small.row("1", "month", end_dt="2000-07-01")
    small.subject("2")
    small.row("2", "log", "dose", "3", drug="1", amount="5", dose_st="2000-06-20")
    small.row("2", "month", end_dt="2000-07-01")
    subjects, elements = small.frame("DM"), small.frame("SE")
    assert subjects["RFXENDTC"].tolist() == ["2000-06-10", "2000-06-20"]
    each = {name: rows["ETCD"].tolist() for name, rows in elements.groupby("USUBJID")}
    assert list(each.values()) == [["SCRN", "TRT", "FU"], ["SCRN", "TRT"]]


def test_several_races_are_multiple_and_stand_in_supp(small: Any) -> None:
    small.subject("1", origin___1="1", origin___2="1", origin___9="0")
    small.subject("2", origin___1="0", origin___2="1", origin___9="0")
    small.subject("3", origin___1="0", origin___2="0", origin___9="0")
    made = small.tabulate().datasets
    assert made["DM"].frame["RACE"].tolist() == ["MULTIPLE", "ASIAN", "NOT REPORTED"]
    extra = made["SUPPDM"].frame
    assert extra[["USUBJID", "IDVAR", "QNAM", "QVAL"]].to_numpy().tolist() == [
        ["SMALL-01-1", "", "RACE1", "White"],
        ["SMALL-01-1", "", "RACE2", "Asian"],
    ]


def test_supplemental_values_point_to_their_record(small: Any) -> None:
    small.subject()
    small.row("1", "log", "event", "1", told="Fall", link_a="1", link_b="3")
    small.row("1", "log", "event", "2", told="Ache", link_a="", link_b="2")
    made = small.tabulate().datasets
    assert made["AE"].frame["AEREL"].tolist() == ["Perhaps", "Yes"]
    extra = made["SUPPAE"].frame
    assert extra[["RDOMAIN", "IDVAR", "IDVARVAL", "QNAM", "QVAL", "QORIG"]].to_numpy().tolist() == [
        ["AE", "AESEQ", "2", "AERELA", "No", "CRF"]
    ]
    edge = one(made["SUPPAE"].lineage)
    assert (edge["variable"], edge["source_row"], edge["source_variable"]) == ("QVAL", 2, "link_a")


def test_a_long_text_continues_in_supp_at_a_word(small: Any) -> None:
    words = " ".join(["palabra"] * 40)
    small.subject()
    small.row("1", "log", "event", "1", told=words)
    made = small.tabulate().datasets
    first = made["AE"].frame["AETERM"].iloc[0]
    rest = made["SUPPAE"].frame
    pieces = [first, *rest.loc[rest["QNAM"].str.startswith("AETERM"), "QVAL"]]
    assert [len(piece) for piece in pieces] == [199, 119]
    assert " ".join(pieces) == words
    assert rest["QLABEL"].iloc[-1] == "Reported Term for the Adverse Event"


def test_what_is_not_ascii_is_written_by_the_table_and_logged(small: Any) -> None:
    small.subject()
    small.row("1", "log", "event", "1", told="Síndrome «gripal»\nleve, 38,5 ºC")
    tabulation = small.tabulate()
    assert tabulation.datasets["AE"].frame["AETERM"].tolist() == ['Sindrome "gripal" leve, 38,5 oC']
    logged = tabulation.transliterations
    assert set(logged["variable"]) == {"AETERM", "AEDECOD"}
    assert logged["records"].tolist() == [1, 1]


def test_a_character_without_transliteration_is_listed_and_never_mangled(small: Any) -> None:
    small.subject()
    small.row("1", "log", "event", "1", told="疼痛")
    tabulation = small.tabulate()
    assert len(tabulation.datasets["AE"].frame) == 0
    listed = tabulation.withheld
    assert listed["source_row"].tolist() == [2]
    assert listed["field"].tolist() == ["told"]
    assert "U+75BC" in listed["reason"].iloc[0]


def test_a_record_without_a_required_value_is_withheld_with_all_its_values(small: Any) -> None:
    small.subject()
    small.row("1", "log", "event", "1", told="", bad="1", from_y="2000", from_m="4", from_d="7")
    tabulation = small.tabulate()
    assert len(tabulation.datasets["AE"].frame) == 0
    assert sorted(tabulation.withheld["field"]) == ["bad", "from_d", "from_m", "from_y"]
    assert set(tabulation.withheld["reason"]) == {"AE record withheld: AETERM is required and has no value"}


def test_what_cannot_be_represented_is_null_and_listed(small: Any) -> None:
    small.subject()
    small.row("1", "log", "event", "1", told="Fall", bad="7", from_y="2000", from_m="2", from_d="31")
    small.row("1", "log", "dose", "2", drug="2", amount="five", dose_st="2000-04-01", dose_en="2000-04-02")
    tabulation = small.tabulate()
    event = one(tabulation.datasets["AE"].frame)
    assert (event["AESER"], event["AESTDTC"]) == ("", "")
    assert pd.isna(tabulation.datasets["EX"].frame["EXDOSE"].iloc[1])
    listed = tabulation.withheld[["source_row", "field", "domain"]].to_numpy().tolist()
    assert listed == [[2, name, "AE"] for name in ("bad", "from_d", "from_m", "from_y")] + [[3, "amount", "EX"]]


def test_every_stored_value_is_tabulated_declared_or_withheld(small: Any) -> None:
    small.subject(origin___1="1")
    small.row("1", "start", seen="2000-03-10", hb="", hb_u="6", wc="9,9", wc_u="2", house="1", hb_nd___1="0")
    small.row("1", "month", seen="ND", house="2")
    small.row("1", "log", "event", "1", told="Fall", bad="UNK", from_y="UNK", link_a="UNK")
    tabulation = small.tabulate()
    edges = pd.concat([made.lineage for made in tabulation.datasets.values()])
    edges = edges[edges["source"] == "REDCAP"]
    accounted = set(zip(edges["source_row"], edges["source_variable"].astype(str), strict=True))
    accounted |= set(zip(tabulation.withheld["source_row"], tabulation.withheld["field"], strict=True))
    skipped = {
        "rec",
        "redcap_event_name",
        "redcap_repeat_instrument",
        "redcap_repeat_instance",
        "redcap_data_access_group",
    }
    for number, row in enumerate(small.rows):
        for name, value in row.items():
            stored = value != "" and not ("___" in name and value == "0")
            if stored and name not in skipped:
                assert (number, name.split("___")[0]) in accounted, (number, name)


def test_every_edge_leads_to_the_stored_value(small: Any) -> None:
    small.subject("1")
    small.subject("2", sexe="1")
    small.row("2", "log", "event", "1", told="Fall", bad="1")
    tabulation = small.tabulate()
    lineage = tabulation.datasets["DM"].lineage
    sexes = lineage[(lineage["variable"] == "SEX") & (lineage["source"] == "REDCAP")]
    stored = [small.rows[row]["sexe"] for row in sexes.sort_values("row")["source_row"]]
    assert stored == ["2", "1"]
    dosed = lineage[(lineage["variable"] == "RFXSTDTC") & (lineage["source"] == "EX")]
    exposure = tabulation.datasets["EX"].frame
    assert exposure["USUBJID"].iloc[dosed.sort_values("row")["source_row"]].tolist() == ["SMALL-01-1", "SMALL-01-2"]


def test_keys_are_unique_and_rows_sorted_by_them(small: Any) -> None:
    for record in ("2", "1"):
        small.subject(record)
        small.row(record, "start", seen="2000-03-10", hb="12,5", hb_u="6", wc="5", wc_u="1", house="1")
    for dataset in small.tabulate().datasets.values():
        keys = dataset.frame[list(dataset.metadata.keys)].astype(
            {name: "str" for name in dataset.metadata.keys if dataset.metadata.variable(name).type == "Char"}
        )
        assert not keys.duplicated().any(), dataset.name
        assert keys.reset_index(drop=True).equals(keys.sort_values(list(keys.columns)).reset_index(drop=True)), (
            dataset.name
        )


def test_two_runs_are_the_same(small: Any) -> None:
    small.subject("1")
    small.subject("2")
    small.row("2", "start", seen="2000-03-10", hb="12,5", hb_u="6", wc="<4", wc_u="1", house="1")
    first, second = small.tabulate(), small.tabulate()
    for name, dataset in first.datasets.items():
        pd.testing.assert_frame_equal(dataset.frame, second.datasets[name].frame)
        pd.testing.assert_frame_equal(dataset.lineage, second.datasets[name].lineage)


def test_a_field_that_is_neither_mapped_nor_declared_is_refused(small: Any) -> None:
    small.write("not_submitted", "fields: {}\n")
    with pytest.raises(StudyError, match="field 'rec' is neither mapped nor declared not submitted"):
        small.tabulate()


def test_a_field_that_is_both_mapped_and_declared_is_refused(small: Any) -> None:
    small.write("not_submitted", "fields:\n  rec: name\n  told: none\n")
    with pytest.raises(StudyError, match="line 3, key 'told': the field is mapped"):
        small.tabulate()
