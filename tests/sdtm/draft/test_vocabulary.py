"""What the vocabulary names is in the terminology that comes with the software."""

from __future__ import annotations

import pytest

from metadata.study import BUNDLED, Study
from metadata.terminology import Terminology
from sdtm.draft.names import test_codelists as codelists_of_tests
from sdtm.draft.vocabulary import vocabulary

UNBOUND = {"PE"}
"""Domains whose tests have no codelist."""


@pytest.mark.parametrize("domain", sorted(set(vocabulary()["tests"]) - UNBOUND))
def test_the_codes_of_tests_are_terms(domain: str) -> None:
    terminology = Terminology.open(Study.open(str(BUNDLED / "hta_duo")), pinned=False)
    terms = terminology.codelist(codelists_of_tests("3.3")[domain]).terms
    assert [code for code in vocabulary()["tests"][domain] if code not in terms] == []
