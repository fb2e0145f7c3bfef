"""The operation that takes what REDCap knows of a record beside its fields: its arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from metadata.coded_matching import first_match
from metadata.condition import Condition
from metadata.errors import Gather, nearest
from metadata.records import EVENT
from metadata.yaml_source import complain
from sdtm.columns.column import Column, Read, UnrepresentedValues
from sdtm.columns.source import FormRows
from sdtm.operations.field_condition import read_field_condition
from sdtm.operations.operation import (
    MappingContext,
    RecordOperation,
    Terms,
    check_term,
    keyed,
    sentence_of_terms,
)
from sdtm.operations.value_sets import ValueSet, meanings, values_of

SEVERAL = "the record has values in events of several arms of REDCap"


@keyed("redcap")
class RedcapArm(RecordOperation):
    """``{redcap: arm, terms: {1: A, 2: B}}``: the arm of the record's event; ``terms`` translates the arms' numbers.

    Of a row without an event, such as a subject's, it is the arm of all events in which the record has values; where
    these are of several arms, the value is withheld. Without ``terms`` it is the arm's name in REDCap.
    """

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        redcap: Literal["arm"]
        terms: Terms | None = None
        when: Condition | None = None

    origin = "Assigned"

    def bind(self, context: MappingContext) -> None:
        """Check that the project has arms, and a term for each."""
        self.names = names = context.project.arm_names
        declared = self.spec.get("terms")
        if not context.project.longitudinal or not names:
            raise complain(self.spec, self.key, "the project has no arms: its events are not of any")
        given = (
            names if declared is None else {code: "" if text is None else str(text) for code, text in declared.items()}
        )
        place = self.spec if declared is None else declared
        with Gather() as gather:
            for number, text in given.items():
                with gather.part():
                    key = self.key if declared is None else number
                    if number not in names:
                        shown = ", ".join(f"{one} ({name})" for one, name in names.items())
                        problem = f"the project has no arm '{number}'{nearest(number, names)}; it has {shown}"
                        raise complain(place, key, problem)
                    check_term(place, key, text, self.target, context.terminology)
            for number in [number for number in names if number not in given]:
                with gather.part():
                    raise complain(self.spec, "terms", f"arm '{number}' ({names[number]}) has no term")
        self.terms = dict(given)
        self.when = read_field_condition(self.spec, "when", context)

    def fields(self) -> list[str]:
        """Fields of the condition."""
        return self.when.fields() if self.when else []

    def taken(self) -> list[str]:
        """None: an arm is no field."""
        return []

    def apply(self, source: FormRows) -> Column:
        """Return the term of each row's arm."""
        forms, arms = source.forms, source.project.arm_of_event
        name = source.project.dictionary.record_id
        record, event = forms.key(name), forms.key(EVENT)
        known = np.flatnonzero(event.isin(arms))
        arm = event.take(known).map(lambda one: arms.get(one, ""))
        mine, owner = source.keys["record"], record.take(known)
        first = first_match([owner], [owner])
        others = owner.take(arm.codes != arm.take(first).codes)
        at = np.append(known, -1)[first_match([mine], [owner])]
        own = source.keys["event"]
        here = own.present()
        chosen = own.where(here, event.take(at)).map(lambda one: self.terms.get(arms.get(one, ""), ""))
        several = ~here & mine.isin(others.held)
        made = Column(chosen, (Read(name, at.astype(np.int32), at >= 0),))
        column = Column(made.only(~several).data, made.reads, (UnrepresentedValues(several, (name,), SEVERAL),))
        if self.when is None:
            return column
        met, reads = self.when.holds(source)
        kept = column.only(met)
        return Column(kept.data, (*kept.reads, *reads), kept.problems)

    def sentence(self) -> str:
        """Say where the value comes from."""
        said = f"The record's arm in REDCap: {sentence_of_terms(self.terms)}"
        return said + (f", where {self.when}" if self.when else "") + "."


@values_of.register
def _(operation: RedcapArm) -> ValueSet:
    return meanings(operation.terms, operation.names)
