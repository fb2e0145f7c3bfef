"""The end of the time at risk: by hand, and against a plain search."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.time_to_event import Moment, TimeToEvent, TimeToEventParameter
from tests.adam.trial import columns, context, dataset, numbers, texts

ENDS = {"NEWDT": "Start of another therapy", "CUTDT": "Data cut-off"}
ENDPOINT = TimeToEventParameter(
    "Time", 1, (Moment("CE", "ASTDT", "Relapse", earlier="ignored"),), (Moment("DS", "ENDT", "End of study", censor=2),)
)


def word(**more: object) -> TimeToEvent:
    return TimeToEvent(start="TRTSDT", paramcd={"T": ENDPOINT}, **more)  # type: ignore[arg-type]


def test_an_event_after_the_end_does_not_count_and_a_later_censoring_is_on_that_day(tmp_path: Path) -> None:
    subjects = columns(
        USUBJID=list("ABCDEF"), TRTSDT=[100.0] * 6,
        NEWDT=[150.0, 120, None, None, 90, 150], CUTDT=[300.0, 300, 300, None, 300, 140],
    )  # fmt: skip
    events = dataset("CE", USUBJID=["A", "B", "D", "E"], ASTDT=[150.0, 130, 500, 110])
    ends = dataset("DS", USUBJID=list("ABCDEF"), ENDT=[400.0, 400, 250, 600, 400, 400])
    made = word(ends=ENDS).add(subjects, 6, context(tmp_path, events, ends)).changed
    # A: on the day of the other therapy it counts. B: after it not. C: the study ended before the cut-off. D: neither
    # date is known. E: another therapy before the start, no time at risk. F: the cut-off came first.
    assert numbers(made["ADT"]) == [150, 120, 250, 500, None, 140]
    assert numbers(made["AVAL"]) == [51, 21, 151, 401, None, 41]
    assert numbers(made["CNSR"]) == [0, 2, 2, 0, None, 2]
    assert texts(made["CNSDTDSC"]) == ["", "Start of another therapy", "End of study", "", "", "Data cut-off"]
    assert texts(made["SRCVAR"]) == ["ASTDT", "NEWDT", "ENDT", "ASTDT", "", "CUTDT"]
    assert texts(made["EVNTDESC"]) == ["Relapse", "End of study", "End of study", "Relapse", "", "End of study"]


def test_the_sentence_names_the_ends() -> None:
    assert word(ends=ENDS).sentence("ADT").endswith("The time at risk ends on the earliest of NEWDT and CUTDT.")
    assert "time at risk" not in word().sentence("ADT")


DAYS = st.one_of(st.none(), st.integers(90, 130))


@given(
    st.lists(
        st.tuples(DAYS, DAYS, st.integers(100, 130), st.lists(st.integers(95, 130), max_size=3)), min_size=1, max_size=5
    )
)
def test_as_a_plain_search_finds_it(tmp_path_factory, subjects) -> None:  # type: ignore[no-untyped-def]
    names = [str(place) for place in range(len(subjects))]
    happened = [(name, float(day)) for name, (*_, days) in zip(names, subjects, strict=True) for day in days] + [
        ("z", 1.0)
    ]
    there = [
        dataset("CE", USUBJID=[name for name, _ in happened], ASTDT=[day for _, day in happened]),
        dataset("DS", USUBJID=names, ENDT=[float(last) for *_, last, _ in subjects]),
    ]
    mine = columns(
        USUBJID=names, TRTSDT=[100.0] * len(names), NEWDT=[new and float(new) for new, *_ in subjects],
        CUTDT=[cut and float(cut) for _, cut, *_ in subjects],
    )  # fmt: skip
    made = word(ends=ENDS).add(mine, len(names), context(tmp_path_factory.mktemp("s"), *there)).changed
    for place, (new, cut, last, days) in enumerate(subjects):
        end = min((one for one in (new, cut) if one is not None), default=10_000)
        counted = [day for day in days if 100 <= day <= end]
        wanted = None if end < 100 else min(counted, default=min(last, end))
        assert numbers(made["ADT"])[place] == wanted
        assert numbers(made["CNSR"])[place] == (None if wanted is None else 0 if counted else 2)
