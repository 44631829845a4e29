"""Type checking a program: every turn, statement, outcome and act, against one schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from ..grammar.diagnostic import Diagnostic, Label
from ..grammar.span import Span
from . import errors
from .infer import Env, Finding, Inference, ground
from .lower import Origin, OutcomeOrigin, TurnOrigin, locate
from .schema import Column, Function, Schema, merge
from .schema_text import read_schema
from .terms import Act, App, Lit, Outcome, Record, Statement, Term, Turn, children, subterms
from .types import DYNAMIC, NUMBER, Con, RecordType, Row, Type, TypeVar, resolve, show, zonk
from .unify import Scheme, generalize


@dataclass(frozen=True, slots=True)
class CheckedTurn:
    """A turn, the type of each statement, the elaborated turn, and what was found (places resolved)."""

    turn: Turn
    types: tuple[Type, ...]
    elaborated: Turn
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """No error (lints do not count)."""
        return all(d.severity != "error" for d in self.diagnostics)


@dataclass(frozen=True, slots=True)
class _CheckedStatement:
    """What is known of a statement."""

    statement: Statement
    type: Type
    scheme: Scheme
    elaborated: Statement
    diagnostics: tuple[Diagnostic, ...]


_REMEMBERED = 100_000


NOTHING_BOUND: Mapping[str, Type] = {}


@cache
def prelude() -> Schema:
    """Functions every schema has."""
    return read_schema((files(__package__) / "prelude.dl").read_text(encoding="utf-8"))


class Checker:
    """Checks turns against a schema; keeps the memo of closed subterms from turn to turn."""

    def __init__(self, schema: Schema) -> None:
        self.schema = merge(prelude(), schema)
        self._inference = Inference(self.schema, frozenset(prelude().function))
        self._statements: dict[Statement, _CheckedStatement] = {}
        self._known_fields = sorted(
            {c.name for t in self.schema.tables for c in t.columns}
            | {p.name for f in self.schema.functions for p in f.params if p.name is not None}
            | {c.name for f in self.schema.functions for c in f.columns}
            | {f.name for f in self.schema.fields}
        )

    def check_turn(self, turn: Turn, origin: TurnOrigin | None = None) -> CheckedTurn:
        """Type one turn. Without `origin` (a turn that was built, not read) places are None."""
        inference = self._inference
        inference.reset()
        diagnostics: list[Diagnostic] = []
        for i, act in enumerate(turn.acts):
            diagnostics += self._check_act(turn.speaker, act, origin.acts[i] if origin else None)
        env = Env()
        checked: list[_CheckedStatement] = []
        for i, statement in enumerate(turn.statements):
            place = (origin.statements[i], origin.outcomes[i]) if origin else None
            known = self._statements.get(statement) if not env.bound else None
            if known is None or (known.diagnostics and place is not None):
                known = self._check_statement(statement, env, place)
                if not env.bound and (place is None or not known.diagnostics):
                    self._remember(known)
            checked.append(known)
            diagnostics += known.diagnostics
            if statement.let is not None:
                env = env.with_bound(statement.let, known.scheme)
        elaborated = replace(turn, statements=tuple(known.elaborated for known in checked))
        return CheckedTurn(turn, tuple(known.type for known in checked), elaborated, tuple(diagnostics))

    def _check_statement(
        self, statement: Statement, env: Env, place: tuple[Origin, OutcomeOrigin | None] | None
    ) -> "_CheckedStatement":
        inference = self._inference
        inference.findings = []
        inference.solver.level += 1
        origin = place[0] if place else None
        type_, node = inference.infer(statement.term, env, ())
        inference.solver.settle(final=True)
        found = _located(inference.findings, origin)
        if statement.outcome is not None:
            found += self._check_outcome(statement.term, type_, statement.outcome, place[1] if place else None)
        found += self._raw_lints(statement.term, origin)
        inference.solver.level -= 1
        scheme = generalize(type_, inference.solver.level)
        elaborated = replace(statement, term=inference.finish_with(node, DYNAMIC))
        return _CheckedStatement(statement, zonk(type_), scheme, elaborated, tuple(found))

    def _remember(self, checked: "_CheckedStatement") -> None:
        """Dialogues repeat their statements turn after turn; a closed one is checked once. One with something to
        say of its text is kept only without places, which belong to one text."""
        if len(self._statements) >= _REMEMBERED:
            self._statements.clear()
        self._statements[checked.statement] = checked

    def check_term(
        self, term: Term, origin: Origin | None = None, bound: Mapping[str, Type] = NOTHING_BOUND
    ) -> tuple[Type, Term, tuple[Diagnostic, ...]]:
        """Type one query or expression: its type, its elaboration, and what was found.

        bound: types of the variables that are free in it.
        """
        inference = self._inference
        inference.reset()
        type_, node = inference.infer(term, Env({name: Scheme(given) for name, given in bound.items()}), ())
        inference.solver.settle(final=True)
        found = tuple(_located(inference.findings, origin))
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
            type_, _ = inference.infer(statement.term, env, ())
            inference.solver.settle(final=True)
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
        env = Env()
        for statement in turn.statements:
            inference.solver.level += 1
            type_, _ = inference.infer(statement.term, env, ())
            inference.solver.settle(final=True)
            if statement.outcome is not None:
                self._check_outcome(statement.term, type_, statement.outcome, None)
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
        type_, _ = inference.infer(term, Env(), ())
        inference.solver.settle(final=False)
        return generalize(type_, 0)

    # ------------------------------------------------------------ acts and outcomes

    def _check_act(self, speaker: str, act: Act, origin: Origin | None) -> list[Diagnostic]:
        found: list[Diagnostic] = []
        if (speaker, act.name) not in self.schema.act and self.schema.acts:
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

    def _check_outcome(
        self, term: Term, type_: Type, outcome: Outcome, place: OutcomeOrigin | None
    ) -> list[Diagnostic]:
        inference = self._inference
        found: list[Diagnostic] = []
        columns = self._result_columns(type_)
        for i, record in enumerate(outcome.results):
            inference.findings = []
            self._check_record(record, columns, term, show(zonk(type_)))
            inference.solver.settle(final=True)
            found += _located(inference.findings, place.results[i] if place else None)
        if outcome.count is not None:
            inference.findings = []
            counted, node = inference.infer(outcome.count, Env(), ())
            if resolve(counted) != Con("Int"):
                inference.argument(counted, node, NUMBER, (), "a count")
            inference.solver.settle(final=True)
            found += _located(inference.findings, place.count if place else None)
        if outcome.error is not None:
            function = self._called(term)
            if function is not None and outcome.error not in {m.name for m in function.errors}:
                known = [m.name for m in function.errors]
                span = place.error if place else None
                found.append(errors.unknown_error(outcome.error, function.name, known, span))
        return found

    def _called(self, term: Term) -> Function | None:
        while isinstance(term, App) and term.fn == "then" and len(term.args) == 2:
            body = children(term.args[1])
            term = body[0] if body else term
        return self.schema.function.get(term.fn) if isinstance(term, App) else None

    def _result_columns(self, type_: Type) -> dict[str, Type] | None:
        """Fields a result record may have; None if anything goes (the type is not known).

        A projection's results may carry the row's other fields too: neighbours add keys to them.
        """
        type_ = resolve(type_)
        if isinstance(type_, Con) and type_.name == "Action" and type_.args:
            type_ = resolve(type_.args[0])
        if isinstance(type_, RecordType):
            return dict(type_.fields)
        if isinstance(type_, Con) and type_.name in ("Rel", "Groups"):
            columns: dict[str, Type] = {}
            row = resolve(type_.args[0])
            for name, binder in row.binders if isinstance(row, Row) else ():
                binder = resolve(binder)
                table = self.schema.table.get(binder.name) if isinstance(binder, Con) else None
                if table is not None:
                    columns |= {c.name: c.type for c in table.columns}
                elif isinstance(binder, RecordType):
                    columns |= dict(binder.fields)
                else:
                    columns[name] = binder
            return columns
        return None

    def _check_record(self, record: Record, columns: dict[str, Type] | None, term: Term, owner: str) -> None:
        inference = self._inference
        for i, (label, value) in enumerate(record.fields):
            expected = columns.get(label) if columns is not None else None
            if columns is not None and expected is None:
                expected = self._unshown(label, term)
                if expected is None:
                    inference.report(errors.unknown_result_field(label, owner, sorted(columns)), (i,))
            found, node = inference.infer(value, Env(), (i,), expected)
            if expected is not None:
                inference.argument(found, node, expected, (i,), f"`{label}`")

    def _unshown(self, label: str, term: Term) -> Type | None:
        """Type of a column the statement's tables have though the statement does not show it (neighbours add
        the key to a projection's results), or of an argument that an action's result gives back."""
        for node in subterms(term):
            function = self.schema.function.get(node.fn) if isinstance(node, App) else None
            parameter = function.labelled.get(label) if function is not None else None
            if parameter is not None:
                return parameter.type
            table = self.schema.table.get(node.fn) if isinstance(node, App) else None
            column: Column | None = table.by_name.get(label) if table is not None else None
            if column is not None:
                return column.type
        return None

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


def _located(findings: Sequence[Finding], origin: Origin | None) -> list[Diagnostic]:
    out: list[Diagnostic] = []
    seen: set[tuple[str, str, Span | None]] = set()
    for finding in findings:
        diagnostic = finding.diagnostic
        if origin is not None:
            labels = tuple(Label(locate(origin, path), text) for path, text in finding.labels)
            diagnostic = replace(diagnostic, span=locate(origin, finding.path), labels=labels)
        key = (diagnostic.code, diagnostic.message, diagnostic.span)
        if key not in seen:
            seen.add(key)
            out.append(diagnostic)
    return out


__all__ = ["CheckedTurn", "Checker", "TypeVar", "prelude"]
