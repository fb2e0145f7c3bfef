"""The rules about files: each finds what is wrong with a file, a define.xml or the manifest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metadata.study import Study
from metadata.terminology import Terminology
from tests.validation.seeding import Datasets, seed
from validation.conformance.check import conformance, find
from validation.conformance.package_facts import FileFacts, PackageFacts, VariableFacts
from validation.conformance.rule import NEEDED, RULES
from validation.conformance.sdtm_datasets import Domain

GIVEN = frozenset(NEEDED) - {"backbone"}
SUBJECT = VariableFacts("USUBJID", "Unique Subject Identifier", "Char", 20, "Collected")
AGE = VariableFacts("AGE", "Age", "Num", 8, "Derived")
DM = FileFacts("DM", "sdtm/dm.xpt", "Demographics", (SUBJECT, AGE), "sdtm", 1000)
ADSL = FileFacts("ADSL", "adam/adsl.xpt", "Subject Level", (SUBJECT,), "adam", 1000)
SOUND = PackageFacts((DM, ADSL), (), (), {"sdtm": (DM,), "adam": (ADSL,)})


DEFECTS = ("package.path", "define.schema", "define.links", "define.pages", "pdf.sound")


def names(rule: str, package: PackageFacts) -> list[tuple[str, str]]:
    terminology = Terminology("", {})
    found = find(Study.open("spms_aza"), {}, terminology, [RULES[rule]], {}, package, GIVEN)
    return [(one.dataset, one.variable) for one in found]


@pytest.mark.parametrize("rule", [rule.id for rule in RULES.values() if rule.standard == "package"])
def test_a_sound_package_has_nothing(rule: str) -> None:
    assert names(rule, SOUND) == []


def test_a_large_file_that_is_also_given_in_parts_is_sound() -> None:
    assert names("file.size", replace(SOUND, files=(replace(DM, size=6_000_000_000, parts=2),))) == []


@pytest.mark.parametrize(
    ("rule", "package", "place"),
    [
        ("file.readable", replace(SOUND, problems=(("AE", "It is cut off."),)), ("AE", "")),
        ("file.name", replace(SOUND, files=(replace(DM, file="sdtm/demog.xpt"),)), ("DM", "")),
        ("file.name", replace(SOUND, files=(replace(DM, file="sdtm/DM.xpt"),)), ("DM", "")),
        ("file.size", replace(SOUND, files=(replace(DM, size=6_000_000_000),)), ("DM", "")),
        ("file.manifest", replace(SOUND, changed=(("m5/sdtm/dm.xpt", "was changed"),)), ("DM", "")),
        ("define.datasets", replace(SOUND, files=(DM,)), ("ADSL", "")),
        ("define.datasets", replace(SOUND, defined={"sdtm": (DM,), "adam": ()}), ("ADSL", "")),
        ("define.variables", replace(SOUND, files=(replace(DM, variables=(SUBJECT,)),)), ("DM", "AGE")),
        ("define.variables", replace(SOUND, files=(replace(DM, variables=(AGE, SUBJECT)),)), ("DM", "AGE")),
        ("define.attributes", replace(SOUND, files=(replace(DM, label="People"),)), ("DM", "")),
        ("define.attributes",
         replace(SOUND, files=(replace(DM, variables=(SUBJECT, replace(AGE, label="Years"))),)), ("DM", "AGE")),
        ("define.attributes",
         replace(SOUND, defined={"sdtm": (replace(DM, variables=(SUBJECT, replace(AGE, type="Char"))),)}),
         ("DM", "AGE")),
        ("define.origin",
         replace(SOUND, defined={"sdtm": (replace(DM, variables=(SUBJECT, replace(AGE, origin=""))),)}), ("DM", "AGE")),
        ("label.sound", replace(SOUND, files=(replace(DM, label=""),)), ("DM", "")),
        ("label.sound",
         replace(SOUND, files=(replace(DM, variables=(SUBJECT, replace(AGE, label="Age (years"))),)), ("DM", "AGE")),
        ("format.allowed", replace(SOUND, files=(replace(DM, formats=(("AGE", "3."),)),)), ("DM", "AGE")),
        ("format.allowed", replace(SOUND, files=(replace(ADSL, formats=(("SEX", "SEXF."),)),)), ("ADSL", "SEX")),
        *((rule, replace(SOUND, defects=((rule, "sdtm/define.xml", "is wrong."),)), ("define.xml", ""))
          for rule in DEFECTS),
        ("rejection.1736", replace(SOUND, files=(replace(DM, name="AE"), ADSL)), ("DM", "")),
        ("rejection.1736", replace(SOUND, defined={"sdtm": (DM,)}), ("ADSL", "")),
    ],
)  # fmt: skip
def test_a_seeded_error_is_found_by_its_rule(rule: str, package: PackageFacts, place: tuple[str, str]) -> None:
    assert place in names(rule, package)


def test_a_simplified_trial_summary_needs_no_other_dataset() -> None:
    assert names("rejection.1736", PackageFacts((replace(DM, name="TS", file="sdtm/ts.xpt"),))) == []


def test_a_variable_longer_than_its_longest_value_is_noted(sdtm: Datasets) -> None:
    domain = Domain(sdtm["DM"], "3.3")
    longest = max(len(text) for text in domain.column("USUBJID").texts)
    package = replace(
        SOUND, files=(replace(DM, variables=(replace(SUBJECT, length=longest),)),), domains={"DM": domain}
    )
    assert names("text.longest", package) == []
    longer = replace(
        SOUND, files=(replace(DM, variables=(replace(SUBJECT, length=longest + 1),)),), domains={"DM": domain}
    )
    assert names("text.longest", longer) == [("DM", "USUBJID")]


def test_what_needs_a_backbone_is_not_judged_and_never_passed(study: Study, sdtm: Datasets) -> None:
    result = conformance(study, sdtm, package=SOUND, given=GIVEN)
    judged = {one["rule"]: one["not_judged"] for one in result["rules"]}
    for rule in ("rejection.1735", "rejection.1789"):
        assert "study tagging file" in judged[rule]
        with pytest.raises(NotImplementedError):
            list(RULES[rule].check(SOUND))
    assert result["counts"]["not_judged"] == 2
    assert result["counts"]["rules"] + 2 == len(result["rules"])


def test_formats_of_dates_and_of_width_and_decimals_are_allowed() -> None:
    shown = tuple((f"V{at}", text) for at, text in enumerate(("DATE9.", "DATETIME20.", "TIME5.", "8.2", "BEST12.")))
    assert names("format.allowed", replace(SOUND, files=(replace(ADSL, formats=shown),))) == []


# each kind of defect is seeded in tests/publish/test_package_inspection.py: "package.path", "define.schema",
# "define.links", "define.pages", "pdf.sound"


def test_a_record_of_a_dataset_whose_keys_are_not_known_is_named_by_its_number(
    study: Study, terminology: Terminology, sdtm: Datasets
) -> None:
    dataset = sdtm["DM"]
    unkeyed = dataset.with_metadata(replace(dataset.metadata, keys=()))
    changed = seed({**sdtm, "DM": unkeyed}, "DM", "AGE", -1.0, SUBJID="01-003")
    (found,) = find(study, changed, terminology, [RULES["subject.age_given"]])
    assert found.keys == ("USUBJID=SPMSAZA-SYNTH-01-003 ARMCD=IFNBAZA record=3",)
