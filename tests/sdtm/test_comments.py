"""Comments are about a domain that is mapped."""

from __future__ import annotations

from typing import Any

from flows.check import problems_of

COMMENTS = """domain: CO
keys: [STUDYID, USUBJID, RDOMAIN, IDVARVAL, COVAL]
records: {form: event, about: ABOUT, where: {told: {missing: false}}, variables: {COVAL: {field: told}}}
"""


def test_comments_about_a_domain_that_no_file_maps_are_refused(small: Any) -> None:
    small.write("co", COMMENTS.replace("ABOUT", "AE"))
    assert problems_of(str(small.folder)) == []
    small.write("co", COMMENTS.replace("ABOUT", "PE"))
    (problem,) = problems_of(str(small.folder))
    assert problem.message.startswith("the comments of form 'event' are about PE, which no file maps")
    assert problem.file.endswith("sdtm/co.yaml")
