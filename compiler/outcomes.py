"""Checking what executing a statement gave: result records, a count, an error code."""

from dataclasses import dataclass, field

from ..grammar.diagnostic import Diagnostic
from . import errors
from .findings import located
from .infer import Env, Inference
from .lower import OutcomeOrigin
from .schema import Function, Schema
from .terms import App, Outcome, Record, Term, children, subterms
from .types import NUMBER, UNIT, Con, RecordType, Row, Type, closed, resolve, show, zonk

_NOTHING = Env()
_REMEMBERED = 100_000


@dataclass(slots=True)
class Columns:
    """Fields that records of one type may have; types None if anything goes.

    fitting: fields of records found to fit, by their identity, which they keep by being in here. Results repeat theirs.
    """

    types: dict[str, Type] | None
    fitting: dict[int, tuple[str, Term]] = field(default_factory=dict)


@dataclass(slots=True)
class Expected:
    """What the results of a statement may hold: worked out from its term and type when first asked for."""

    term: Term
    type: Type
    columns: Columns | None = None
    unshown: dict[str, Type] | None = None


@dataclass(slots=True)
class Outcomes:
    """Checks outcomes against one schema."""

    schema: Schema
    inference: Inference
    known: dict[Type, Columns] = field(default_factory=dict)

    def check(self, expected: Expected, outcome: Outcome, place: OutcomeOrigin | None) -> list[Diagnostic]:
        """What is wrong with an outcome."""
        inference = self.inference
        found: list[Diagnostic] = []
        for i, record in enumerate(outcome.results):
            if expected.columns is None:
                expected.columns = self._columns(expected.type)
            inference.findings = []
            self._check_record(record, expected, expected.columns)
            if inference.findings:
                found += located(inference.findings, place.results[i] if place else None)
        if outcome.count is not None:
            inference.findings = []
            counted, node = inference.infer(outcome.count, _NOTHING, ())
            if resolve(counted) != Con("Int"):
                inference.argument(counted, node, NUMBER, (), "a count")
            inference.solver.settle(final=True)
            found += located(inference.findings, place.count if place else None)
        if outcome.error is not None:
            function = self._called(expected.term)
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

    def _columns(self, type_: Type) -> Columns:
        """What records of a type may have, worked out once if the type is closed."""
        columns = self.known.get(type_)
        if columns is None or len(columns.fitting) > _REMEMBERED:
            columns = Columns(self._result_columns(type_))
            if closed(type_) is type_:
                if len(self.known) > _REMEMBERED:
                    self.known.clear()
                self.known[type_] = columns
        return columns

    def _result_columns(self, type_: Type) -> dict[str, Type] | None:
        """Fields a result record may have; None if anything goes (the type is not known).

        A projection's results may carry the row's other fields too: neighbours add keys to them.
        """
        type_ = resolve(type_)
        if isinstance(type_, Con) and type_.name == "Action" and type_.args:
            type_ = resolve(type_.args[0])
        if type_ == UNIT:
            return {}
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

    def _check_record(self, record: Record, results: Expected, shape: Columns) -> None:
        inference, columns = self.inference, shape.types
        # A trace wants to see every placeholder.
        fitting = shape.fitting if inference.trace is None else {}
        for i, given in enumerate(record.fields):
            if fitting.get(id(given)) is given:
                continue
            label, value = given
            expected = columns.get(label) if columns is not None else None
            if columns is not None and expected is None:
                if results.unshown is None:
                    results.unshown = self._unshown(results.term)
                expected = results.unshown.get(label)
                if expected is None:
                    shown = show(zonk(results.type))
                    inference.report(errors.unknown_result_field(label, shown, sorted(columns)), (i,))
                    continue
            if expected is None:
                inference.infer(value, _NOTHING, (i,))
            else:
                inference.fit(value, _NOTHING, expected, (i,), f"`{label}`")
                if columns is not None and label in columns and not inference.findings and inference.solver.idle:
                    fitting[id(given)] = given
        inference.solver.settle(final=True)

    def _unshown(self, term: Term) -> dict[str, Type]:
        """Types of columns the statement's tables have though the statement does not show them (neighbours add
        the key to a projection's results), and of arguments that an action's result gives back."""
        found: dict[str, Type] = {}
        for node in subterms(term):
            if isinstance(node, App):
                function = self.schema.function.get(node.fn)
                for label, parameter in function.labelled.items() if function is not None else ():
                    found.setdefault(label, parameter.type)
                table = self.schema.table.get(node.fn)
                for column in table.columns if table is not None else ():
                    found.setdefault(column.name, column.type)
        return found
