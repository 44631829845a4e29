"""Programs with streams, devices and values that DL does not have, in canonical form all the same.

`read_beyond` keeps what is outside DL behind stand-ins (`stand_ins`), brings each statement to DL's canonical form with the
laws of streams (`streams`), and `write_beyond` writes ThingTalk again. Two programs of one form mean the same; of two
forms nothing follows, since DL knows nothing about what stands behind the names.
"""

from dataclasses import dataclass, replace
from typing import Literal

from ...compiler.schema import Facts, Schema, fact_list
from ...compiler.terms import Statement, Turn
from . import ast
from .declarations import ExpressionStatement, Program
from .print_programs import to_text
from .programs import parse
from .read import ThingTalkReader
from .stand_ins import WRITTEN, StandIns
from .streams import settled
from .write import POLICY, ThingTalkMemo, item_text


@dataclass(frozen=True, slots=True)
class Beyond:
    """A program with stand-ins.

    turn: in canonical form. schema: declares the stand-ins. found: what they stand for, for people. read: as it was read,
    what streams monitor as statements of its own before, for a checker to look at.
    """

    turn: Turn
    schema: Schema
    found: tuple[str, ...]
    read: Turn


def read_beyond(
    text: str, schema: Schema, speaker: Literal["user", "agent"] = "user", tokenized: bool = False
) -> Beyond:
    """A program, what is outside DL behind stand-ins. Raises CompileError (DLC22x): declarations, policies and questions
    stay outside.
    """
    stand_ins = StandIns(schema)
    turn = ThingTalkReader(schema, stand_ins).read(text, speaker, tokenized)
    read = replace(turn, statements=(*map(Statement, stand_ins.monitored), *turn.statements))
    settled_statements = tuple(replace(s, term=settled(s.term, stand_ins)) for s in turn.statements)
    kept: Facts = ((WRITTEN, (text, "tokenized" if tokenized else "normal")),)
    own = replace(stand_ins.schema, facts=(*schema.facts, *kept))
    return Beyond(replace(turn, statements=settled_statements), own, tuple(dict.fromkeys(stand_ins.found)), read)


def write_beyond(turn: Turn, schema: Schema) -> str:
    """The program of a turn that was read so, statement by statement; one that ThingTalk cannot say in canonical form (what
    it says would be less) is as it was. The rest of the program is as it was, too.
    """
    text, syntax = fact_list(schema.facts, WRITTEN)
    tokenized = syntax == "tokenized"
    tree = parse(text, tokenized)
    memo = ThingTalkMemo(schema, tokenized)
    if isinstance(tree, ast.DialogueState):
        items = zip(turn.statements, tree.items, strict=True)
        return to_text(replace(tree, items=tuple(_item(s, memo) or item for s, item in items)), tokenized)
    assert isinstance(tree, Program)
    made = [_item(s, memo) for s in turn.statements]
    pairs = zip(made, tree.statements, strict=True)
    return to_text(
        replace(tree, statements=tuple(ExpressionStatement(m.expression) if m else s for m, s in pairs)), tokenized
    )


def _item(said: Statement, memo: ThingTalkMemo) -> ast.Item | None:
    text, notes = item_text(said, memo)
    if text is None or any(note.loss for note in notes):
        return None
    state = parse(f"$dialogue @{POLICY}.execute;{text}")
    assert isinstance(state, ast.DialogueState)
    return state.items[0]
