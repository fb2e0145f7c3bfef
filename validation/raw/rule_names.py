"""Names of the rules that follow from the dictionary and from the rows of an export themselves."""

from __future__ import annotations

TYPE, FORMAT, RANGE, CHOICE = "dictionary.type", "dictionary.format", "dictionary.range", "dictionary.choice"
REQUIRED, HIDDEN, PLACE = "dictionary.required", "dictionary.hidden", "dictionary.place"
LENGTH = "dictionary.length"
CALCULATION, MISSING_CODE, EXPRESSION = "dictionary.calc", "dictionary.missing_code", "dictionary.expression"
TWICE, GAP, INSTANCE_NUMBER = "record.twice", "record.instance_gap", "record.instance_number"
SUBJECT_WRITTEN, SUBJECT_TWICE = "record.subject_written", "record.subject_twice"
SUBJECT_SITE = "record.subject_site"

UNREADABLE = (TYPE, FORMAT, CHOICE, HIDDEN, PLACE)
"""Rules after which a value says nothing: checks beyond the dictionary take it as blank."""
