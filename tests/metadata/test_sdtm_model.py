"""Variables that the model gives a class, and where they come among those of a guide's domain."""

from __future__ import annotations

import pytest

from metadata.sdtm_model import model_variables, with_model
from metadata.standards import sdtm_dataset, sdtm_domains, sdtm_variables

LISTED_ONLY = {"--BEATNO", "--EVDTYP", "--TSTDTL", "--AGENT", "--CONC", "--CONCU", "--CSMRKS"}
"""Variables that the guide gives one domain although the model's tables do not list them for the class."""
OBSERVATIONS = ("Interventions", "Events", "Findings", "Findings About")


def of_class(dataset_class: str) -> list[str]:
    return sorted(name for name in sdtm_domains("3.3") if sdtm_dataset("3.3", name).dataset_class == dataset_class)


def names(domain: str, *added: str) -> list[str]:
    listed = sdtm_variables("3.3", domain)
    return [item.name for item in with_model(domain, sdtm_dataset("3.3", domain).dataset_class, listed, added)]


@pytest.mark.parametrize("dataset_class", OBSERVATIONS)
def test_the_model_has_what_the_guide_lists(dataset_class: str) -> None:
    for domain in of_class(dataset_class):
        model = {item.name: item.type for item in model_variables(domain, dataset_class)}
        listed = {item.name: item.type for item in sdtm_variables("3.3", domain)}
        assert len(listed) > 10
        lacking = {name for name in listed if name not in model}
        assert {f"--{name[2:]}" for name in lacking} <= LISTED_ONLY, (domain, lacking)
        assert all(model[name] == kind for name, kind in listed.items() if name in model), domain


@pytest.mark.parametrize(
    ("domain", "added", "after"),
    [
        ("MH", "MHSEV", "MHBODSYS"),
        ("MH", "MHLLT", "MHMODIFY"),
        ("EX", "EXVAMT", "EXFAST"),
        ("AE", "VISITNUM", "AETOXGR"),
        ("FA", "FAEVLINT", "FADY"),
    ],
)
def test_a_variable_of_the_class_comes_where_the_model_has_it(domain: str, added: str, after: str) -> None:
    made = names(domain, added)
    assert made[made.index(added) - 1] == after
    assert [name for name in made if name != added] == names(domain)


def test_what_the_class_does_not_have_is_not_added() -> None:
    assert names("AE", "AEORRES", "AEOBJ", "LBSEV", "DTHFL") == names("AE")
    assert names("LB", "LBOBJ") == names("LB")
    assert names("DM", "VISITNUM") == names("DM")
