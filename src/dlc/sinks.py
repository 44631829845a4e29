"""The targets: what can be written. One entry each in TARGETS; a name stands there only when it works."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from dlc.compiler.terms import Turn
from dlc.grammar.diagnostic import CompileError
from dlc.grammar.span import Span
from dlc.targets.rows import Note, TurnRow, Written

from .options import Options

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema

Writer: TypeAlias = Callable[[Turn], Written]
DialogueWriter: TypeAlias = Callable[[Sequence[TurnRow]], list[Written | None]]


def writer(
    name: str, schema: "Schema", tokenized: bool = False, dialect: str = "sqlite", delexicalize: bool = False
) -> Writer:
    """A writer of turns over one schema; it may memoize, so one is kept per run. Raises KeyError.

    tokenized: which of the two syntaxes ThingTalk is written in; delexicalize: tokenized, its constants as placeholders.
    dialect: the SQL that is written.
    """
    if name == "sql" and dialect != "sqlite":
        return _sql(schema, dialect)
    if name == "thingtalk" and (tokenized or delexicalize):
        return _tokenized(schema, delexicalize)
    return TARGETS[name](schema)


def dialogue_writer(name: str, schema: "Schema", options: Options) -> DialogueWriter | None:
    """A writer of whole dialogues, for a target whose programs build on the turns before; None for any other.

    It writes None for the rows that it leaves to the writer of turns.
    """
    if name != "dataflow":
        return None
    from dataclasses import replace

    from dlc.targets.dataflow.multiwoz import Options as Recipe
    from dlc.targets.dataflow.states import StateWriter

    recipe = options.recipe or Recipe()
    normalize = options.normalize == "trade@1"
    if not normalize:
        # Five domains are the published setting of normalized states; as annotated means all of them.
        recipe = replace(recipe, keep_all_domains=True)
    states = StateWriter(schema, recipe, normalize)
    return lambda rows: states.write(rows) if states.fits(rows) else [None] * len(rows)


def _dl(schema: "Schema") -> Writer:
    from dlc.compiler.sugar import print_turn
    from dlc.grammar.errors import MAX_NESTING, too_deep
    from dlc.grammar.parser import parse

    def write(turn: Turn) -> Written:
        try:
            text = print_turn(turn)
            if sum(map(text.count, "([{")) + text.count("not ") > MAX_NESTING:
                # DL that nests deeper than its own reader allows is not written; hardly anything is looked at here.
                parse(text)
        except CompileError as error:
            return Written(None, tuple(Note(d.code, d.message, loss=True) for d in error.diagnostics))
        except RecursionError:
            deep = too_deep(Span(0, 0))
            return Written(None, (Note(deep.code, deep.message, loss=True),))
        return Written(text)

    return write


def _slots(schema: "Schema") -> Writer:
    from dlc.targets.slots.services import has_services
    from dlc.targets.slots.states import Memo
    from dlc.targets.slots.write import write_slots

    if has_services(schema):
        return _services(schema)
    memo = Memo(schema)

    def write(turn: Turn) -> Written:
        memo.trim()
        return write_slots(turn, schema, memo)

    return write


def _services(schema: "Schema") -> Writer:
    from dlc.targets.slots.sgd import ServiceMemo
    from dlc.targets.slots.sgd_write import write_services

    memo = ServiceMemo(schema)

    def write(turn: Turn) -> Written:
        memo.trim()
        return write_services(turn, memo)

    return write


def _thingtalk(schema: "Schema") -> Writer:
    from dlc.targets.thingtalk.write import ThingTalkMemo, write_thingtalk

    memo = ThingTalkMemo(schema)
    return lambda turn: write_thingtalk(turn, schema, memo)


def _tokenized(schema: "Schema", delexicalize: bool) -> Writer:
    from dataclasses import replace

    from dlc.targets.thingtalk.entities import taken_out
    from dlc.targets.thingtalk.print_programs import to_text
    from dlc.targets.thingtalk.programs import parse
    from dlc.targets.thingtalk.write import ThingTalkMemo, write_thingtalk

    memo = ThingTalkMemo(schema, placeholders=True)

    def write(turn: Turn) -> Written:
        written = write_thingtalk(turn, schema, memo)
        if written.program is None:
            return written
        tree = parse(written.program)
        if not delexicalize:
            return replace(written, program=to_text(tree, tokenized=True))
        bare, held = taken_out(tree)
        return replace(written, program=to_text(bare, tokenized=True), entities=held)

    return write


def _dataflow(schema: "Schema") -> Writer:
    from dlc.targets.dataflow.write import LispressWriter

    return LispressWriter(schema).write


def _sql(schema: "Schema", dialect: str = "sqlite") -> Writer:
    from dlc.targets.sql.names import Catalog
    from dlc.targets.sql.write import write_sql

    catalog = Catalog(schema)
    return lambda turn: write_sql(turn, catalog, dialect)


# Names as DESIGN fixes them. A loader imports what it needs when it is called.
TARGETS: Mapping[str, Callable[["Schema"], Writer]] = {
    "dl": _dl,
    "slots": _slots,
    "thingtalk": _thingtalk,
    "dataflow": _dataflow,
    "sql": _sql,
}

# Targets in which a turn stands for itself: what it refers to and revises is inlined first.
WITHOUT_REFERENCES = frozenset(("slots", "thingtalk", "sql"))

# Targets that say a program whether or not it fits its schema.
WITHOUT_TYPES = frozenset(("dataflow",))
