"""What differs by test, category and qualifier; what lists operations offer."""

from __future__ import annotations

from typing import Any

from metadata.dataset import Value


def values(small: Any, dataset: str, variable: str) -> dict[tuple[tuple[str, str], ...], Value]:
    found = small.tabulate().datasets[dataset].metadata.values
    return {value.where: value for value in found if value.variable == variable}


def not_submitted(*fields: str) -> str:
    said = "".join(f"  {name}: Not of interest here\n" for name in ("rec", *fields))
    return f"status: Book-keeping\nfields:\n{said}"


def hemoglobin(small: Any) -> None:
    small.subject()
    small.row("1", "start", seen="2000-03-10", house="1", hb="11,8", hb_u="6", wc="4", wc_u="1")


def test_a_conversion_is_said_with_its_factor(small: Any) -> None:
    hemoglobin(small)
    found = values(small, "LB", "LBSTRESC")
    assert found[(("LBTESTCD", "HGB"),)].method == "LBORRES in g/L: multiplied by 10 where LBORRESU is g/dL."
    assert found[(("LBTESTCD", "HGB"),)].label == "Hemoglobin"
    assert {value.origin for value in found.values()} == {"Derived"}


def test_a_result_is_collected_from_the_fields_of_all_forms(small: Any) -> None:
    hemoglobin(small)
    found = values(small, "LB", "LBORRES")
    assert found[(("LBTESTCD", "HGB"),)].method == "The value of field hb."
    assert found[(("LBTESTCD", "HGB"),)].origin == "Collected"
    assert len(found) == 2


def test_one_code_for_two_specimens_takes_the_specimen_into_the_condition(small: Any) -> None:
    small.write(
        "lb",
        """domain: LB
records:
  form: look
  variables:
    LBDTC: {date: seen}
    LBNAM: {field: house}
  tests:
    PROT: {result: hb, category: CHEMISTRY, specimen: SERUM}
    UPROT: {testcd: PROT, result: wc, category: CHEMISTRY, specimen: URINE}
    GLUC: {result: wc, category: CHEMISTRY, specimen: SERUM}
""",
    )
    small.write("not_submitted", not_submitted("hb_u", "hb_nd", "wc_u"))
    small.subject()
    small.row("1", "start", seen="2000-03-10", hb="7,1", wc="1")
    assert set(values(small, "LB", "LBORRES")) == {
        (("LBTESTCD", "PROT"), ("LBSPEC", "SERUM")),
        (("LBTESTCD", "PROT"), ("LBSPEC", "URINE")),
        (("LBTESTCD", "GLUC"),),
    }


def test_blocks_of_other_categories_have_their_own_origin(small: Any) -> None:
    small.write(
        "ds",
        """domain: DS
records:
  - form: base
    where: {cons: {missing: false}}
    variables:
      DSTERM: {constant: INFORMED CONSENT OBTAINED}
      DSDECOD: {constant: INFORMED CONSENT OBTAINED}
      DSCAT: {constant: PROTOCOL MILESTONE}
      DSSTDTC: {date: cons}
  - form: look
    where: {why: {missing: false}}
    variables:
      DSTERM: {field: why}
      DSDECOD: {field: why, terms: {1: ADVERSE EVENT, 2: DEATH}}
      DSCAT: {constant: DISPOSITION EVENT}
      DSSTDTC: {date: seen}
""",
    )
    small.subject()
    small.row("1", "start", seen="2000-03-10", why="1")
    terms = values(small, "DS", "DSTERM")
    assert {where[0][1]: value.origin for where, value in terms.items()} == {
        "PROTOCOL MILESTONE": "Assigned",
        "DISPOSITION EVENT": "Collected",
    }
    assert values(small, "DS", "DSSTDTC") == {}
    metadata = small.tabulate().datasets["DS"].metadata
    assert metadata.variable("DSTERM").origin == "Assigned;Collected"
    assert "Assigned INFORMED CONSENT OBTAINED." in metadata.variable("DSTERM").method


def test_a_qualifier_has_its_label_origin_and_terms(small: Any) -> None:
    small.subject()
    small.row("1", "log", form="event", instance="1", told="Headache", from_y="2000", link_a="2", link_b="1")
    (value,) = values(small, "SUPPAE", "QVAL").values()
    assert (value.where, value.label, value.origin) == ((("QNAM", "AERELA"),), "Related to A", "Collected")
    assert [term for term, _ in value.terms] == ["No", "Perhaps", "Yes"]


def test_terms_are_offered_where_the_guide_has_no_list(small: Any) -> None:
    small.subject()
    small.row("1", "log", form="event", instance="1", told="Headache", from_y="2000", link_a="2", link_b="1", bad="1")
    metadata = small.tabulate().datasets["AE"].metadata
    assert metadata.variable("AEREL").terms == (("No", ""), ("Perhaps", ""), ("Yes", ""))
    assert metadata.variable("AESER").terms == ()  # the guide's codelist
    assert metadata.variable("AETERM").terms == ()  # free text


def test_terms_stand_as_in_the_dataset_without_accents(small: Any) -> None:
    hemoglobin(small)
    assert ("Malaga", "") in small.tabulate().datasets["LB"].metadata.variable("LBNAM").terms


def test_a_number_is_that_of_the_standard_result(small: Any) -> None:
    hemoglobin(small)
    for value in values(small, "LB", "LBSTRESN").values():
        assert value.method == "The number of LBSTRESC; null for text and for limits such as <20."
