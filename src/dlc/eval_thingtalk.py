"""`dlc eval thingtalk`: Genie's figures over rows of ThingTalk."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from dlc.compiler.check import Checker
from dlc.compiler.schema import Schema
from dlc.grammar.diagnostic import CompileError, Diagnostic
from dlc.metrics import thingtalk_slots as neutral
from dlc.metrics.slots import prefix_length
from dlc.metrics.thingtalk import Label, Rates, Turn, score_thingtalk
from dlc.runtime.entity_names import NameBook
from dlc.targets.thingtalk import ast
from dlc.targets.thingtalk.declarations import ExpressionStatement, Input, Program
from dlc.targets.thingtalk.lexer import ThingTalkSyntaxError
from dlc.targets.thingtalk.programs import parse
from dlc.targets.thingtalk.read import ThingTalkReader

from . import errors
from .entity_lookup import Lookup
from .eval_figures import Cell, Figures, Measure, Section, by_dialogue, by_turn
from .eval_rows import Pairs
from .thingtalk_slots_of import invocations
from .thingtalk_sources import is_tokenized

HISTORY = 5
"""Executed items that a state keeps from the one before (Genie's `computeNewState`)."""
NO_CONTEXT = ("", "null")


def thingtalk_figures(pairs: Pairs, schema: Schema, speaker: str, data: tuple[str, ...] = ()) -> Figures:
    """Exact and slot-only figures. speaker: whose turns these are, `user` or `agent`. data: rows in which slots' entities
    are looked up, so that two ways to say a name are one value.

    Raises CompileError with every gold target or context that cannot be used, InputFailure for data that cannot be read.
    """
    programs = Programs(schema, speaker, Lookup(data).book(schema) if data else None)
    found: list[Diagnostic] = []
    dialogues: list[list[Turn]] = []
    for dialogue in pairs:
        dialogues.append([])
        for gold, answer in dialogue:
            context = _context(gold.context) or ""
            if programs.normalize(gold.text) is None:
                found.append(errors.unusable_gold(gold.place, programs.fault(gold.text)))
            elif context and programs.tree(context) is None:
                found.append(errors.unusable_gold(gold.place, "its context does not parse"))
            dialogues[-1].append(Turn(context, gold.text, answer.text, _context(answer.context)))
    if found:
        raise CompileError(*found)
    s = score_thingtalk(dialogues, programs.normalize, programs.slots)
    columns = ("match", "turn by turn", "dialogue", "first turn", "up to first error", "prefix length")
    rows: tuple[tuple[Cell, ...], ...] = (("exact", *_cells(s.exact)), ("slots only", *_cells(s.slot)))
    labels = [label.value for row in s.labels for label in row]
    counted: tuple[tuple[Cell, ...], ...] = tuple((name, labels.count(name)) for name in dict.fromkeys(sorted(labels)))
    sections = [
        Section(f"thingtalk: {s.dialogues} dialogues, {s.turns} turns, {s.syntax:.4f} of them valid", columns, rows),
        Section("labels", ("label", "turns"), counted),
    ]
    return Figures(sections, _measures(s.labels))


def _measures(labels: Sequence[Sequence[Label]]) -> list[Measure]:
    measures: list[Measure] = []
    for name, good in (("exact", (Label.OK,)), ("slots only", (Label.OK, Label.OK_SLOT))):
        verdicts = [[label in good for label in row] for row in labels]
        before = [[i < prefix_length(row) for i in range(len(row))] for row in verdicts]
        measures += [
            by_turn(f"{name}, turn by turn", verdicts),
            *by_dialogue(name, verdicts),
            by_turn(f"{name}, first turn", [row[:1] for row in verdicts]),
            # A turn counts only if all before it do, so single turns are no items of McNemar's.
            by_turn(f"{name}, up to first error", before, right_or_wrong=False),
        ]
    valid = [[label is not Label.WRONG_SYNTAX for label in row] for row in labels]
    return [*measures, by_turn("valid", valid)]


def _context(text: str | None) -> str | None:
    return None if text is None else "" if text.strip() in NO_CONTEXT else text


def _cells(rates: Rates) -> tuple[Cell, ...]:
    return rates.turn_by_turn, rates.dialogue, rates.first_turn, rates.up_to_first_error, rates.mean_prefix


@dataclass
class Programs:
    """Programs of one schema: their normal form for comparison, and their slots. Remembers what it read.

    book: the names of entities in slots; without one they are as said.
    """

    schema: Schema
    speaker: str = "user"
    book: NameBook | None = None
    _reader: ThingTalkReader = field(init=False)
    _checker: Checker = field(init=False)
    _normal: dict[str, str | None] = field(default_factory=dict)
    _trees: dict[str, Input | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reader = ThingTalkReader(self.schema)
        self._checker = Checker(self.schema)

    def normalize(self, text: str) -> str | None:
        """A key that programs share if they differ only in spelling, in the order of parameters, projected fields and
        conditions, and in brackets that change nothing; None for what does not parse or type-check.
        """
        if text not in self._normal:
            tree = self.tree(text)
            key = None
            if tree is not None and not self._faults(text):
                ordered = in_order(tree)
                key = repr(ordered)
                self._trees[key] = ordered
            self._normal[text] = key
        return self._normal[text]

    def fault(self, text: str) -> str:
        """Why a text has no normal form."""
        if not text.strip():
            return "it has no program"
        found = self._faults(text)
        return found[0].message if found else "it does not parse"

    def _faults(self, text: str) -> tuple[Diagnostic, ...]:
        speaker: Any = self.speaker
        try:
            checked = self._checker.check_turn(self._reader.read(text, speaker, is_tokenized(text)))
        except CompileError as error:
            return error.diagnostics
        except RecursionError:
            return (errors.nested_too_deeply(errors.NOWHERE),)
        return tuple(d for d in checked.diagnostics if d.severity == "error")

    def tree(self, text: str) -> Input | None:
        """The syntax tree of a text or of a normal form; None if it does not parse."""
        if text not in self._trees:
            try:
                self._trees[text] = parse(text, is_tokenized(text))
            except (ThingTalkSyntaxError, RecursionError):
                self._trees[text] = None
        return self._trees[text]

    def slots(self, context: str, target: str) -> Mapping[str, Hashable]:
        """The slots after a turn: of the executed items of its context that are kept, then of the turn's own.

        A predicted context that does not parse has slots no gold state has.
        """
        before = self.tree(context) if context else None
        after = self.tree(target)
        if (context and before is None) or after is None:
            return {"": "unreadable"}
        items = _items(before)
        done = next((i for i, item in enumerate(items) if item.confirm != "confirmed"), len(items))
        kept = (*items[:done][-HISTORY:], *_items(after))
        return neutral.slots_after(
            [
                neutral.Statement(
                    tuple(invocations(i.expression, self._arguments, self._name)), i.confirm == "proposed"
                )
                for i in kept
            ]
        )

    def _name(self, type_: str, said: str) -> str:
        found = self.book.best(self._reader.entities.get(type_, ""), said) if self.book is not None else None
        return said if found is None else found

    def _arguments(self, kind: str, function: str) -> tuple[str, ...]:
        declared = self._reader.functions.get(f"@{kind}.{function}")
        return tuple(self._reader.fields(declared)) if declared is not None else ()


def _items(tree: Input | None) -> tuple[ast.Item, ...]:
    if isinstance(tree, ast.DialogueState):
        return tree.items
    if isinstance(tree, Program):
        return tuple(ast.Item(s.expression) for s in tree.statements if isinstance(s, ExpressionStatement))
    return ()


def in_order(node: Any) -> Any:
    """A tree with its parameters, projected fields and conditions sorted, and nested filters and conditions merged.

    Of the reference's canonical form (`lib/optimize.ts` of thingtalk) this is what telling two programs apart turns on
    in practice; it never makes two programs of different meaning one.
    """
    if isinstance(node, tuple):
        return tuple(map(in_order, node))
    if isinstance(node, float) and node.is_integer():
        return int(node)
    if not is_dataclass(node) or isinstance(node, type):
        return node
    made: Any = replace(node, **{f.name: in_order(getattr(node, f.name)) for f in fields(node) if f.name != "at"})
    match made:
        case ast.And() | ast.Or():
            return type(made)(_sorted(_flat(made)))
        case ast.Not(ast.Not(inner)):
            return inner
        case ast.FilterExpression(ast.FilterExpression(inner, first), second):
            return ast.FilterExpression(inner, ast.And(_sorted(_flat(ast.And((first, second))))))
        case ast.Invocation():
            return replace(made, params=_sorted(made.params))
        case ast.Projection():
            return replace(made, fields=_sorted(made.fields))
    return made


def _flat(node: ast.And | ast.Or) -> tuple[ast.Filter, ...]:
    parts: list[ast.Filter] = []
    for part in node.operands:
        parts.extend(part.operands if type(part) is type(node) and isinstance(part, ast.And | ast.Or) else (part,))
    return tuple(parts)


def _sorted(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(parts, key=repr))
