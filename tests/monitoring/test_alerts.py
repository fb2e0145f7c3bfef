"""Alerts from findings: one is open for a subject and rule; the same inputs, whole or day by day, give the same log."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.alerts import ACKNOWLEDGED, AGAIN, COLUMNS, ESCALATED, OPENED, SUPERSEDED, advance, no_events, state_of
from monitoring.findings import PLACE
from tests.monitoring.hand_made import plan

LEVELS = ("review", "halve", "hold", "hold both")
FIRST = pd.Timestamp("1999-01-01")
LAST = 6
Found = list[tuple[str, str, str, int]]
"""Subject, rule, level and day of each finding."""
FINDINGS = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(["low", "high"]), st.sampled_from(LEVELS), st.integers(0, 4)),
    max_size=9,
)
ANSWERS = st.sets(st.integers(0, 4), max_size=3)
"""The days on which everything that is open is acknowledged, after the run of the day."""


def day(number: int) -> pd.Timestamp:
    return FIRST + pd.Timedelta(days=number)


def frame(found: Found) -> pd.DataFrame:
    rows = [(subject, rule, level, day(when), f"{place}") for place, (subject, rule, level, when) in enumerate(found)]
    made = pd.DataFrame(rows, columns=["subject", "rule", "level", "since", "key"])
    made[["record", *PLACE, "about"]] = ""
    texts = [name for name in made if name != "since"]
    return made.astype({**dict.fromkeys(texts, "str"), "since": "datetime64[ns]"})


def run(log: pd.DataFrame, found: Found, last: int | None, as_of: int) -> pd.DataFrame:
    new = advance("S", plan()[0], log, frame(found), None if last is None else day(last), day(as_of))
    return pd.concat([log, new], ignore_index=True)


def answered(log: pd.DataFrame, on: int) -> pd.DataFrame:
    """Everything that is open is acknowledged."""
    rows = state_of(log).open[["alert", "subject", "rule", "level"]].assign(by="A. Doctor", action="looked at")
    rows["is"], rows["day"] = ACKNOWLEDGED, str(day(on).date())
    return pd.concat([log, rows.reindex(columns=COLUMNS, fill_value="").astype("str")], ignore_index=True)


def daily(found: Found, answers: set[int]) -> pd.DataFrame:
    log = no_events()
    for number in range(LAST + 1):
        log = run(log, found, number - 1 if number else None, number)
        assert not state_of(log).open.duplicated(["subject", "rule"]).any()
        log = answered(log, number) if number in answers else log
    return log


@settings(max_examples=5, deadline=None)
@given(FINDINGS, ANSWERS)
def test_day_by_day_is_the_log_of_one_run_and_no_finding_is_lost(found: Found, answers: set[int]) -> None:
    log = daily(found, answers)
    once = run(log[log["is"] == ACKNOWLEDGED].reset_index(drop=True), found, None, LAST)
    assert sorted(log.to_csv(index=False).splitlines()) == sorted(once.to_csv(index=False).splitlines())
    if not answers:
        pd.testing.assert_frame_equal(log, once)
    told, opened = log[log["is"].isin([OPENED, AGAIN])], log[log["is"] == OPENED]
    assert sorted(told["key"]) == sorted(frame(found)["key"])
    assert opened["alert"].is_unique
    for name in (SUPERSEDED, ESCALATED, ACKNOWLEDGED):
        own = log[log["is"] == name]
        assert own["alert"].is_unique and set(own["alert"]) <= set(opened["alert"])
    if not answers and found:
        worst = frame(found).assign(rank=lambda rows: rows["level"].map(LEVELS.index))
        top = worst.groupby(["subject", "rule"])["rank"].max()
        still = state_of(log).open.set_index(["subject", "rule"])["level"].map(LEVELS.index)
        pd.testing.assert_series_equal(still.sort_index(), top.sort_index(), check_names=False, check_dtype=False)


def events(log: pd.DataFrame) -> list[tuple[str, ...]]:
    return [tuple(row) for row in log[["day", "is", "level"]].to_numpy()]


def test_a_worse_finding_opens_another_alert_and_a_milder_one_does_not() -> None:
    found: Found = [("A", "low", "review", 0), ("A", "low", "hold", 2), ("A", "low", "halve", 3)]
    assert events(run(no_events(), found, None, 3)) == [
        ("1999-01-01", OPENED, "review"), ("1999-01-03", OPENED, "hold"), ("1999-01-03", SUPERSEDED, "review"),
        ("1999-01-04", AGAIN, "halve"),
    ]  # fmt: skip


def test_an_alert_is_escalated_on_the_day_after_the_plans_time() -> None:
    review, hold = [("A", "low", "review", 0)], [("A", "low", "hold", 0)]
    assert ESCALATED not in set(run(no_events(), review, None, 3)["is"])
    assert events(run(no_events(), review, None, 4))[-1] == ("1999-01-05", ESCALATED, "review")
    assert ESCALATED not in set(run(no_events(), hold, None, 1)["is"])
    assert events(run(no_events(), hold, None, 2))[-1] == ("1999-01-03", ESCALATED, "hold")
    in_time = answered(run(no_events(), review, None, 3), 3)
    assert ESCALATED not in set(run(in_time, review, 3, 9)["is"])


def test_what_was_acknowledged_opens_again_only_by_a_new_finding() -> None:
    log = answered(run(no_events(), [("A", "low", "hold", 0)], None, 1), 1)
    assert state_of(run(log, [("A", "low", "hold", 0)], 1, 9)).open.empty
    later = run(log, [("A", "low", "hold", 0), ("A", "low", "review", 5)], 1, 9)
    assert list(state_of(later).open["level"]) == ["review"]


def test_what_is_entered_late_counts_from_the_day_after_the_last_run() -> None:
    log = run(no_events(), [], None, 10)
    late = run(log, [("A", "low", "review", 2)], 10, 12)
    assert events(late) == [("1999-01-12", OPENED, "review")]
    again = run(log, [("A", "low", "review", 2)], 10, 10)  # once more on the day of the last run
    assert events(again) == [("1999-01-11", OPENED, "review")]
