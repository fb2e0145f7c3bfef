"""From the rows of forms to the rows of a domain: each block of a mapping evaluated, with lineage and unused values."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field

import numpy as np

from metadata.coded_text import CodedText
from metadata.dataset import Edges
from sdtm.columns.column import Column, Read
from sdtm.columns.source import KEYS, FormRows, Forms
from sdtm.columns.table import REDCAP, DomainTable, SupplementalRows, Withheld
from sdtm.domains.identity import SubjectIdentifiers
from sdtm.domains.test_results import findings_piece
from sdtm.mapping.domain_mapping import (
    EACH,
    Block,
    DomainMapping,
    FindingTest,
    SupplementalQualifier,
)
from sdtm.operations.choices import ticked


@dataclass
class CollectedPiece:
    """Rows of one block (and one test) that become rows of the domain: positions in the block's source, own columns."""

    at: np.ndarray
    columns: dict[str, Column]
    test: FindingTest | None = None


@dataclass
class Collected:
    """One block evaluated: its source, the columns that all its pieces share, and the pieces."""

    block: Block
    source: FormRows
    shared: dict[str, Column]
    condition: tuple[Read, ...] = ()
    pieces: list[CollectedPiece] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)


def collect(
    mapping: DomainMapping, forms: Forms, identity: SubjectIdentifiers, given: FormRows | None = None
) -> DomainTable:
    """Return the rows of a domain with every variable that its mapping makes from fields.

    ``given`` holds the rows of blocks that read no form and are not one row a subject (visits).
    """
    blocks = [collect_block(mapping, block, _source(block, forms, given)) for block in mapping.blocks]
    count = sum(len(piece.at) for block in blocks for piece in block.pieces)
    table = DomainTable(mapping.domain, count)
    _keys(table, blocks, mapping, identity)
    for name in [name for name in _names(blocks) if mapping.has(name)]:  # not every findings domain has --STRESN
        _variable(table, name, blocks, mapping.by_name[name].type == "Num")
    _lineage(table, blocks)
    start = 0
    for made in blocks:
        table.withheld += made.withheld
        for piece in made.pieces:
            table.parts.append((piece.test, start, start + len(piece.at)))
            start += len(piece.at)
    _supplements(table, blocks)
    return table


def _source(block: Block, forms: Forms, given: FormRows | None) -> FormRows:
    if block.form:
        return FormRows.of_form(forms, block.form, block.events)
    return given if given is not None else FormRows.of_subjects(forms)


def collect_block(mapping: DomainMapping, block: Block, source: FormRows) -> Collected:
    """Evaluate one block over its rows."""
    every = source
    condition: tuple[Read, ...] = ()
    wanted = np.arange(source.count)
    if block.where:
        met, condition = block.where.holds(source)
        wanted = np.flatnonzero(met)
        source = source.keep(wanted)
    by_option = bool(block.each) and block.each not in EACH
    shared = {} if by_option else {name: made.apply(source) for name, made in block.variables.items()}
    made = Collected(block, source, shared, tuple(read.take(wanted) for read in condition))
    if block.tests:
        for test in block.tests:
            at, columns, left = findings_piece(mapping.domain, test, source)
            made.pieces.append(CollectedPiece(at, columns, test))
            made.withheld += left
    elif by_option:
        _each_option(made, block)
    else:
        made.pieces.append(CollectedPiece(np.arange(source.count), {}))
    _list_unused_rows(made, every, wanted)
    _list_not_looked_up(made, mapping.domain)
    return made


def _each_option(made: Collected, block: Block) -> None:
    """Make one piece for each option of a checkbox: the rows where it is ticked."""
    for code in made.source.project.dictionary.fields[block.each].choices:
        marks, _ = ticked(made.source, block.each, [code])
        at = np.flatnonzero(marks[:, 0])
        option = made.source.keep(at, code)
        made.pieces.append(
            CollectedPiece(at, {name: declared.apply(option) for name, declared in block.variables.items()})
        )


def _list_unused_rows(made: Collected, every: FormRows, wanted: np.ndarray) -> None:
    """List the values of rows from which no record is made."""
    used = np.zeros(made.source.count, bool)
    for piece in made.pieces:
        used[piece.at] = True
    block = made.block
    names = dict.fromkeys(name for declared in block.variables.values() for name in declared.fields())
    _list_rows_without_test(made)
    if not used.all():
        for read in _stored_values(made.source, names):
            _list_withheld(made, read, ~used, "no record is made from this row: it holds no result")
    if block.where:
        outside = every.keep(np.setdiff1d(np.arange(every.count), wanted))
        for read in _stored_values(outside, {**names, **dict.fromkeys(block.where.fields())}):
            _list_withheld(made, read, np.ones(outside.count, bool), f"no record is made unless {block.where}")


def _list_not_looked_up(made: Collected, domain: str) -> None:
    """List the values of other forms that no row of the block looked up, such as those of a visit that is not in SV."""
    forms, dictionary = made.source.forms, made.source.project.dictionary
    looked: dict[str, list[np.ndarray]] = {}
    for column in [*made.shared.values(), *(column for piece in made.pieces for column in piece.columns.values())]:
        for read in column.reads:
            if read.field in dictionary.fields and dictionary.fields[read.field].form != made.source.form:
                looked.setdefault(read.field, []).append(read.rows)
    for name, rows in looked.items():
        for stored in _stored_values(FormRows.of_form(forms, dictionary.fields[name].form), [name]):
            lost = stored.stored & ~np.isin(stored.rows, np.concatenate(rows))
            if lost.any():
                reason = f"no record of {domain} looks up this form"
                made.withheld.append(Withheld(stored.rows[lost], name, reason))


def _list_rows_without_test(made: Collected) -> None:
    """List the values of rows that are of no test, where each test has rows of its own: a query asks what they are."""
    tests = made.block.tests
    if not tests or any(test.where is None for test in tests):
        return
    own = np.logical_or.reduce([test.where.holds(made.source)[0] for test in tests if test.where])
    for read in _stored_values(made.source, dict.fromkeys(name for test in tests for name in test.fields())):
        lost = ~own & read.stored
        if lost.any():
            made.withheld.append(Withheld(read.rows[lost], read.field, "no test is declared for this row"))


def _stored_values(source: FormRows, names: Iterable[str]) -> list[Read]:
    """Return the values of the given fields of the source's own form."""
    fields = [source.project.dictionary.fields[name] for name in names]
    own = [found for found in fields if found.form == source.form]
    return [
        ticked(source, found.name, list(found.choices))[1] if found.type == "checkbox" else source.raw(found.name)[1]
        for found in own
    ]


def _list_withheld(made: Collected, read: Read, at: np.ndarray, reason: str) -> None:
    lost = at & read.stored
    if lost.any():
        made.withheld.append(Withheld(read.rows[lost], read.field, reason, without_record=True))


def _names(blocks: list[Collected]) -> list[str]:
    named: dict[str, None] = {}
    for made in blocks:
        named.update(dict.fromkeys(made.shared))
        for piece in made.pieces:
            named.update(dict.fromkeys(piece.columns))
    return list(named)


def _keys(table: DomainTable, blocks: list[Collected], mapping: DomainMapping, identity: SubjectIdentifiers) -> None:
    """Set whose row it is, where and when in the project it was collected, and --SPID."""
    for name in KEYS:
        table.hidden[name] = _spread(blocks, [made.source.keys[name] for made in blocks])
    table.put("USUBJID", _spread(blocks, [identity.usubjid_of(made.source.keys["record"]) for made in blocks]))
    addresses = _spread(blocks, [address(made.source, identity.earlier) for made in blocks])
    table.hidden["address"] = addresses
    table.hidden["about"] = _spread(
        blocks, [CodedText.constant(made.block.about, made.source.count) for made in blocks]
    )
    spid = mapping.prefixed("SPID")
    if mapping.has(spid):
        table.put(spid, addresses)


def _spread(blocks: list[Collected], values: list[CodedText]) -> CodedText:
    """Return one value a source row of each block, spread over the rows of its pieces."""
    pairs = zip(blocks, values, strict=True)
    return CodedText.stack(own.take(piece.at) for made, own in pairs for piece in made.pieces)


def address(source: FormRows, named: Set[str] = frozenset()) -> CodedText:
    """Return event/form/instance of each row: the way back to the form; of ``named`` records with their name before."""
    made = (
        source.keys["event"].join(CodedText.constant(source.form, source.count), "/").join(source.keys["instance"], "/")
    )
    return source.keys["record"].map(lambda word: word if word in named else "").join(made, "/")


def _variable(table: DomainTable, name: str, blocks: list[Collected], is_number: bool) -> None:
    numbers: list[np.ndarray] = []
    texts: list[CodedText] = []
    for made in blocks:
        for piece in made.pieces:
            if is_number:
                numbers.append(_number(made, piece, name))
            else:
                texts.append(_text(made, piece, name))
    if is_number:
        table.put(name, np.concatenate(numbers) if numbers else np.empty(0))
    else:
        table.put(name, CodedText.stack(texts))


def _number(made: Collected, piece: CollectedPiece, name: str) -> np.ndarray:
    if name in piece.columns:
        return np.asarray(piece.columns[name].data, float)
    if name in made.shared:
        return np.asarray(made.shared[name].data, float)[piece.at]
    return np.full(len(piece.at), np.nan)


def _text(made: Collected, piece: CollectedPiece, name: str) -> CodedText:
    if name in piece.columns:
        return piece.columns[name].text
    return made.shared[name].text.take(piece.at) if name in made.shared else CodedText.constant("", len(piece.at))


def _lineage(table: DomainTable, blocks: list[Collected]) -> None:
    """Add an edge for every stored value that a row's variables were made from."""
    start = 0
    for made in blocks:
        for piece in made.pieces:
            for name, column in made.shared.items():
                if name not in piece.columns:
                    _add(table, name, column, start, piece.at)
            for name, column in piece.columns.items():
                _add(table, name, column, start, np.arange(len(piece.at)))
            for read in made.condition:
                _edge(table, "*", read.take(piece.at), start, np.ones(len(piece.at), bool))
            start += len(piece.at)


def _add(table: DomainTable, name: str, column: Column, start: int, at: np.ndarray) -> None:
    wrong: dict[str, np.ndarray] = {}
    for problem in column.problems:
        met = problem.rows[at]
        if not met.any():
            continue
        for read in column.reads:
            if read.field in problem.fields:
                wrong[read.field] = wrong.get(read.field, np.zeros(len(at), bool)) | met
                taken = read.take(at)
                lost = met & taken.stored
                reason = f"{problem.reason}; {name} is null"
                table.withheld.append(Withheld(taken.rows[lost], read.field, reason, elsewhere=problem.elsewhere))
    for read in column.reads:
        taken = read.take(at)
        _edge(table, name, taken, start, ~wrong[read.field] if read.field in wrong else None)


def _edge(table: DomainTable, name: str, read: Read, start: int, keep: np.ndarray | None) -> None:
    met = read.held & (read.rows >= 0)
    if keep is not None:
        met &= keep
    rows = np.flatnonzero(met)
    if len(rows):
        table.edges.append(Edges(rows + start, name, REDCAP, read.rows[rows], read.field))


def _supplements(table: DomainTable, blocks: list[Collected]) -> None:
    """Evaluate the supplemental qualifiers and attach each to its rows."""
    start = 0
    for made in blocks:
        places: list[tuple[FindingTest | None, int, np.ndarray]] = []
        for piece in made.pieces:
            places.append((piece.test, start, piece.at))
            start += len(piece.at)
        for supplement in made.block.supplemental:
            _supplement(table, made, supplement, places)


def _supplement(
    table: DomainTable,
    made: Collected,
    supplement: SupplementalQualifier,
    places: Iterable[tuple[FindingTest | None, int, np.ndarray]],
) -> None:
    column = supplement.operation.apply(made.source)
    used = np.zeros(made.source.count, bool)
    for test, start, at in places:
        if supplement.tests and (test is None or test.testcd not in supplement.tests):
            continue
        used[at] = True
        held = np.flatnonzero(column.present()[at])
        qualifier = (supplement.qnam, supplement.label, supplement.qorig, supplement.qeval)
        table.supplements.append(SupplementalRows(*qualifier, start + held, column.text.take(at[held])))
        _add(table, f"+{supplement.qnam}", column, start, at)
    for read in column.reads:
        lost = ~used & read.stored
        if lost.any():
            table.withheld.append(Withheld(read.rows[lost], read.field, "there is no record that it could qualify"))
