"""Tokenized programs read by their pieces.

Dialogues repeat calls, conditions, arguments and results much more often than whole statements. So a statement is cut at
the separators between them, and each piece is read once, alone, by the parser; what is remembered of it does not
depend on where it stood. A piece that alone is exactly one piece means the same between its neighbours: an open string or
bracket would not have ended with it. Whatever is not made of such pieces is read whole.
"""

from typing import TYPE_CHECKING, Literal, TypeVar

from ...compiler.terms import Act, App, Outcome, Record, Statement, Term, Turn
from . import ast, values
from . import read_errors as errors
from .lexer import ThingTalkSyntaxError
from .parse_filters import filter_only
from .parse_queries import param
from .parser import Parser
from .programs import alone, standing, statement_expression
from .read_query import EMPTY, Argument, Query
from .read_text import Source, parsed, statements

if TYPE_CHECKING:
    from .read import ThingTalkReader

_ANY_STATE = "$dialogue @org.thingpedia.dialogue.transaction . execute ;"
_REMEMBERED = 200_000
_Kept = TypeVar("_Kept")


class _Unusual(Exception):
    """A text that is not made of pieces which can be told apart."""


class Pieces:
    """Reads tokenized programs with one reader and remembers them and their pieces by their texts."""

    def __init__(self, reader: "ThingTalkReader") -> None:
        self._reader = reader
        self._size = 0
        self._turns: dict[tuple[str, str], Turn] = {}
        self._states: dict[str, tuple[tuple[Act, ...], str | None, tuple[str, ...]]] = {}
        self._statements: dict[str, Statement] = {}
        self._queries: dict[str, Query] = {}
        self._calls: dict[str, Query] = {}
        self._fields: dict[str, tuple[values.Value | ast.Aliased, ...]] = {}
        self._standings: dict[str, Statement] = {}
        self._values: dict[Term, Term] = {}

    @property
    def full(self) -> bool:
        """Whether it is time to begin anew."""
        return self._size > _REMEMBERED

    def _keep(self, memory: dict[str, _Kept], text: str, made: _Kept) -> _Kept:
        self._size += 1
        memory[text] = made
        return made

    # ------------------------------------------------------------ turns and statements

    def turn(self, text: str, speaker: Literal["user", "agent"]) -> Turn:
        """The turn of a tokenized program. Raises CompileError (DLC22x)."""
        known = self._turns.get((text, speaker))
        if known is None:
            self._size += 1
            known = self._turns[text, speaker] = self._turn(text, speaker)
        return known

    def _turn(self, text: str, speaker: Literal["user", "agent"]) -> Turn:
        if not text.lstrip().startswith("$dialogue"):
            return self._reader.whole(Source(text, True), speaker)
        state, *items = statements(text)
        acts, about, params = self._states.get(state) or self._state(state)
        known = self._statements
        made = tuple([known.get(item) or self._statement(item) for item in items])
        if about is not None:
            acts = self._reader.acts(about, params, made)
        return Turn(speaker, acts, made)

    def _state(self, text: str) -> tuple[tuple[Act, ...], str | None, tuple[str, ...]]:
        """The acts of a dialogue state; one about fields (and their names) depends on the turn's statements."""
        act, params, _ = parsed(Source(f"{text} ;", True))
        acts = self._reader.acts(act, (), ())
        return self._keep(self._states, text, (acts, act if params else None, params))

    def _statement(self, text: str) -> Statement:
        try:
            made = self._in_pieces(text)
        except (_Unusual, errors.Misread, ThingTalkSyntaxError):
            # Read whole, an error has its place.
            source = Source(f"{_ANY_STATE} {text} ;", True, len(_ANY_STATE) + 1)
            (item,) = parsed(source)[2]
            made = self._reader.statement(item, source)
        return self._keep(self._statements, text, made)

    def _in_pieces(self, text: str) -> Statement:
        """An expression and its annotations."""
        said, mark, annotations = text.partition(" #[ ")
        if mark and f" {said} ".count(' " ') % 2:
            raise _Unusual
        query = self._queries.get(said) or self._query(said)
        if not mark:
            return Statement(query.term)
        records: tuple[Record, ...] = ()
        if annotations.startswith("results = [ { "):
            rows, closed, rest = annotations.removeprefix("results = [ { ").partition(" } ] ]")
            if not closed:
                raise _Unusual
            records = tuple([self._record(row, query) for row in rows.split(" } , { ")])
            annotations = f"results = [ ] ]{rest}"
        held = self._standings.get(annotations) or self._standing(annotations)
        outcome = held.outcome
        if records and outcome is not None:
            outcome = Outcome(records, outcome.count, outcome.more, outcome.error)
        return Statement(query.term, held.status, None, outcome)

    def _standing(self, annotations: str) -> Statement:
        """Status and outcome by a statement of nothing that has them. Result rows are left to `_record`, whose types
        are their query's."""
        confirm, results, _ = alone(f"#[ {annotations} ;", standing)
        if results is not None and results.rows:
            raise _Unusual
        return self._keep(self._standings, annotations, self._reader.standing(EMPTY, confirm, results))

    def _record(self, row: str, query: Query) -> Record:
        known = query.shape.results
        return Record(tuple([known.get(piece) or self._result(piece, query) for piece in row.split(" , ")]))

    def _result(self, piece: str, query: Query) -> Argument:
        name, value = alone(piece, Parser.object_field)
        label, term = self._reader.result(name, value, query)
        return self._keep(query.shape.results, piece, (label, self._values.setdefault(term, term)))

    # ------------------------------------------------------------ expressions

    def _query(self, said: str) -> Query:
        try:
            made = self._shown(said)
        except (_Unusual, errors.Misread, ThingTalkSyntaxError):
            made = self._reader.expression(alone(said, statement_expression))
        return self._keep(self._queries, said, made)

    def _shown(self, said: str) -> Query:
        """`[ fields ] of call filter atom && atom`, without fields or conditions too."""
        head, filtered, condition = said.partition(" filter ")
        fields, of, text = head.rpartition(" ] of ")
        query = self._calls.get(text) or self._call(text)
        if filtered:
            if query.table is None:
                raise _Unusual
            known = query.shape.atoms
            atoms = [known.get(piece) or self._atom(piece, query) for piece in condition.split(" && ")]
            query = query.then_where(atoms[0] if len(atoms) == 1 else App("and", tuple(atoms)))
        if of:
            query = self._reader.project(self._fields.get(fields) or self._projected(fields, text), query)
        return query

    def _projected(self, fields: str, call: str) -> tuple[values.Value | ast.Aliased, ...]:
        projection = alone(f"{fields} ] of {call}", statement_expression)
        if not isinstance(projection, ast.Projection) or not isinstance(projection.expression, ast.Invocation):
            raise _Unusual
        return self._keep(self._fields, fields, projection.fields)

    def _atom(self, piece: str, query: Query) -> Term:
        """One condition on the rows of a table."""
        condition = alone(piece, filter_only)
        if isinstance(condition, ast.And | ast.Or):
            raise _Unusual
        return self._keep(query.shape.atoms, piece, self._reader.condition(condition, query))

    def _call(self, text: str) -> Query:
        """A table or an action with arguments."""
        name, opened, given = text.partition(" ( ")
        if not opened or name[:1] != "@":
            raise _Unusual
        bare = self._calls.get(f"{name} ( )") or self._bare(name)
        if given == ")":
            return bare
        if not bare.action or not given.endswith(" )"):
            raise _Unusual
        known = bare.shape.arguments
        arguments = []
        for piece in given.removesuffix(" )").split(" , "):
            argument = known[piece] if piece in known else self._argument(piece, bare)
            if argument is not None:
                arguments.append(argument)
        return bare.with_arguments(tuple(arguments))

    def _bare(self, name: str) -> Query:
        """A call without arguments."""
        text = f"{name} ( )"
        return self._keep(self._calls, text, self._reader.expression(alone(text, statement_expression)))

    def _argument(self, piece: str, call: Query) -> Argument | None:
        made = self._reader.argument(alone(piece, param), call)
        if made is not None:
            # One object a value: what is found out about it is found once, and looked up by identity.
            made = made[0], self._values.setdefault(made[1], made[1])
        return self._keep(call.shape.arguments, piece, made)
