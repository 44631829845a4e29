"""Type checking a program: every turn, statement, outcome and act, against one schema."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from ..grammar.diagnostic import Diagnostic
from ..grammar.span import Span
from . import errors
from .findings import located
from .infer import Env, Inference, ground
from .lower import Origin, OutcomeOrigin, TurnOrigin, locate
from .node import node
from .outcomes import Expected, Outcomes
from .schema import Schema, merge
from .schema_text import read_schema
from .terms import Act, Lit, Statement, Term, Turn, children, facts
from .types import DYNAMIC, Type, TypeVar, zonk
from .unify import Scheme, generalize


@node
class CheckedTurn:
    """A turn, the type of each statement, the elaborated turn, and what was found (places resolved)."""

    turn: Turn
    types: tuple[Type, ...]
    elaborated: Turn
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """No error (lints do not count)."""
        return not self.diagnostics or all(d.severity != "error" for d in self.diagnostics)


@node
class _CheckedTerm:
    """What is known of a statement's term: its type (with the variables each use of a `let` takes anew, if it has
    any), its elaboration and the findings."""

    type: Type
    scheme: Scheme | None
    elaborated: Term
    diagnostics: tuple[Diagnostic, ...]


# A statement's term, its elaboration, and all findings.
_CheckedStatement = tuple[_CheckedTerm, Statement, tuple[Diagnostic, ...]]
_REMEMBERED = 100_000


_NOTHING = Env()
NOTHING_BOUND: Mapping[str, Type] = {}


@cache
def prelude() -> Schema:
    """Functions every schema has."""
    return read_schema((files(__package__) / "prelude.dl").read_text(encoding="utf-8"))


class Checker:
    """Checks turns against a schema; keeps the memo of closed subterms from turn to turn.

    acts: whether an act that the schema does not declare is worth a lint.
    """

    def __init__(self, schema: Schema, acts: bool = True) -> None:
        self.schema = merge(prelude(), schema)
        self._acts = acts
        self._inference = Inference(self.schema, frozenset(prelude().function))
        self._statements: dict[Statement, _CheckedStatement] = {}
        self._turns: dict[Turn, CheckedTurn] = {}
        self._terms: dict[Term, _CheckedTerm] = {}
        self._expected: dict[Term, Expected] = {}
        self._outcomes = Outcomes(self.schema, self._inference)
        self._known_fields = sorted(
            {c.name for t in self.schema.tables for c in t.columns}
            | {p.name for f in self.schema.functions for p in f.params if p.name is not None}
            | {c.name for f in self.schema.functions for c in f.columns}
            | {f.name for f in self.schema.fields}
        )

    def check_turn(self, turn: Turn, origin: TurnOrigin | None = None) -> CheckedTurn:
        """Type one turn. Without `origin` (a turn that was built, not read) places are None."""
        if origin is not None:
            return self._check_turn(turn, origin)
        known = self._turns.get(turn)
        if known is None:
            if len(self._turns) >= _REMEMBERED:
                self._turns.clear()
            known = self._turns[turn] = self._check_turn(turn, None)
        return known

    def _check_turn(self, turn: Turn, origin: TurnOrigin | None) -> CheckedTurn:
        diagnostics: list[Diagnostic] = []
        for i, act in enumerate(turn.acts):
            if self._acts or act.args or act.named:
                diagnostics += self._check_act(turn.speaker, act, origin.acts[i] if origin else None)
        env = _NOTHING
        checked: list[_CheckedStatement] = []
        begun, unchanged = False, True
        for i, statement in enumerate(turn.statements):
            place = (origin.statements[i], origin.outcomes[i]) if origin else None
            known = self._statements.get(statement) if not env.bound else None
            if known is None or (known[2] and place is not None):
                if not begun:
                    self._inference.reset()
                    begun = True
                known = self._check_statement(statement, env, place)
                if not env.bound and (place is None or not known[2]):
                    # Dialogues repeat their statements turn after turn; a closed one is checked once. One with something
                    # to say of its text is kept only without places, which belong to one text.
                    if len(self._statements) >= _REMEMBERED:
                        self._statements.clear()
                    self._statements[statement] = known
            checked.append(known)
            diagnostics += known[2]
            unchanged = unchanged and known[1] is statement
            if statement.let is not None:
                env = env.with_bound(statement.let, known[0].scheme or Scheme(known[0].type))
        elaborated = turn if unchanged else Turn(turn.speaker, turn.acts, tuple([known[1] for known in checked]))
        return CheckedTurn(turn, tuple([known[0].type for known in checked]), elaborated, tuple(diagnostics))

    def _check_statement(
        self, statement: Statement, env: Env, place: tuple[Origin, OutcomeOrigin | None] | None
    ) -> _CheckedStatement:
        term = statement.term
        known = self._terms.get(term) if not env.bound else None
        if known is None or (known.diagnostics and place is not None):
            known = self._check_term(term, env, place[0] if place else None)
            if not env.bound and (place is None or not known.diagnostics):
                if len(self._terms) >= _REMEMBERED:
                    self._terms.clear()
                    self._expected.clear()
                self._terms[term] = known
        found = known.diagnostics
        if statement.outcome is not None:
            expected = self._expected.get(term) if not env.bound else None
            if expected is None:
                expected = Expected(term, known.type)
                if not env.bound:
                    self._expected[term] = expected
            found += tuple(self._outcomes.check(expected, statement.outcome, place[1] if place else None))
        if known.elaborated is term:
            return known, statement, found
        return known, Statement(known.elaborated, statement.status, statement.let, statement.outcome), found

    def _check_term(self, term: Term, env: Env, origin: Origin | None) -> _CheckedTerm:
        inference = self._inference
        inference.findings = []
        inference.solver.level += 1
        type_, node = inference.whole(term, env)
        found = located(inference.findings, origin) if inference.findings else []
        if facts(term)[1]:
            found += self._raw_lints(term, origin)
        inference.solver.level -= 1
        scheme = None
        if not inference.is_remembered(type_, node):
            type_ = zonk(type_)
            scheme = generalize(type_, inference.solver.level)
            node = inference.finish_with(node, DYNAMIC)
        return _CheckedTerm(type_, scheme, node, tuple(found))

    def check_term(
        self, term: Term, origin: Origin | None = None, bound: Mapping[str, Type] = NOTHING_BOUND
    ) -> tuple[Type, Term, tuple[Diagnostic, ...]]:
        """Type one query or expression: its type, its elaboration, and what was found.

        bound: types of the variables that are free in it.
        """
        inference = self._inference
        inference.reset()
        type_, node = inference.whole(term, Env({name: Scheme(given) for name, given in bound.items()}))
        found = tuple(located(inference.findings, origin))
        return zonk(type_), inference.finish_with(node, DYNAMIC), found

    def subterm_types(self, turn: Turn) -> tuple[dict[tuple[int, ...], Type], ...]:
        """For each statement the type of every subterm, by path; what nothing decides is Dynamic."""
        inference = self._inference
        inference.reset()
        env = Env()
        traces: list[dict[tuple[int, ...], Type]] = []
        for statement in turn.statements:
            inference.solver.level += 1
            inference.trace = {}
            type_, _ = inference.whole(statement.term, env)
            traces.append(inference.trace)
            inference.trace = None
            inference.solver.level -= 1
            if statement.let is not None:
                env = env.with_bound(statement.let, generalize(type_, inference.solver.level))
        return tuple({path: ground(t, DYNAMIC) for path, t in trace.items()} for trace in traces)

    def placeholder_type(self, turn: Turn, index: int) -> Type | None:
        """The type that `$index` must have in a turn, errors elsewhere overlooked; None if it is not there."""
        inference = self._inference
        inference.reset()
        inference.holes.pop(index, None)
        # What is remembered of a term does not say which placeholders it has.
        inference.trace = {}
        try:
            return self._hole_type(turn, index)
        finally:
            inference.trace = None

    def _hole_type(self, turn: Turn, index: int) -> Type | None:
        inference = self._inference
        env = Env()
        for statement in turn.statements:
            inference.solver.level += 1
            type_, _ = inference.whole(statement.term, env)
            if statement.outcome is not None:
                self._outcomes.check(Expected(statement.term, type_), statement.outcome, None)
            if index in inference.holes:
                return inference.holes[index]
            inference.solver.level -= 1
            if statement.let is not None:
                env = env.with_bound(statement.let, generalize(type_, inference.solver.level))
        return None

    def principal(self, term: Term) -> Scheme:
        """The principal type of a closed term, nothing defaulted."""
        inference = self._inference
        inference.reset()
        inference.solver.level = 1
        type_, _ = inference.whole(term, Env(), final=False)
        return generalize(type_, 0)

    # ------------------------------------------------------------ acts and outcomes

    def _check_act(self, speaker: str, act: Act, origin: Origin | None) -> list[Diagnostic]:
        found: list[Diagnostic] = []
        if self._acts and (speaker, act.name) not in self.schema.act and self.schema.acts:
            known = [name for who, name in self.schema.act if who == speaker]
            found.append(errors.undeclared_act(speaker, act.name, known, origin.span if origin else None))
        arguments = [*act.args, *(value for _, value in act.named)]
        for i, argument in enumerate(arguments):
            if isinstance(argument, Lit) and argument.kind == "path":
                owner, _, name = argument.value.rpartition(".")
                owned = self.schema.fields_of(owner) if owner else self._known_fields
                if name not in owned and name not in self._function_fields(owner):
                    span = locate(origin, (i,)) if origin else None
                    found.append(errors.unknown_path(argument.value, self._known_fields, span))
        return found

    def _function_fields(self, owner: str) -> tuple[str, ...]:
        function = self.schema.function.get(owner)
        if function is None:
            return ()
        return (*function.labelled, *(c.name for c in function.columns))

    def _raw_lints(self, term: Term, origin: Origin | None) -> list[Diagnostic]:
        found: list[Diagnostic] = []
        todo: list[tuple[Term, tuple[int, ...]]] = [(term, ())]
        while todo:
            node, path = todo.pop()
            if isinstance(node, Lit) and node.kind == "raw":
                span: Span | None = locate(origin, path) if origin else None
                found.append(errors.raw_value(node.value, span))
            todo.extend((child, (*path, i)) for i, child in enumerate(children(node)))
        return found


__all__ = ["CheckedTurn", "Checker", "TypeVar", "prelude"]
