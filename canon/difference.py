"""Where two programs differ: the smallest parts that, put for each other, would make them one."""

from dataclasses import dataclass

from ..compiler.schema import Schema
from ..compiler.sugar import is_pipeline, print_term
from ..compiler.terms import Abs, Act, App, Entity, Field, Hole, Lit, Record, Statement, Term, Turn, Var, children
from .filters.decide import same
from .order import term_key
from .rows import Scope, Source


@dataclass(frozen=True, slots=True)
class Difference:
    """Two parts that differ, as text; "" for a part that one side does not have."""

    first: str
    second: str


def difference(a: Turn, b: Turn) -> Difference | None:
    """The smallest difference of two turns in canonical form; None if there is none."""
    if a == b:
        return None
    if a.speaker != b.speaker:
        return Difference(a.speaker, b.speaker)
    if a.acts != b.acts:
        return Difference(_acts(a.acts), _acts(b.acts))
    apart = [(x, y) for x, y in zip(a.statements, b.statements, strict=False) if x != y]
    if len(a.statements) != len(b.statements):
        longer = a.statements[len(b.statements) :], b.statements[len(a.statements) :]
        if not apart:
            return Difference(*("; ".join(print_term(s.term) for s in side) for side in longer))
        return Difference(*("; ".join(print_term(s.term) for s in t.statements) for t in (a, b)))
    if len(apart) > 1:
        return Difference(
            "; ".join(print_term(x.term) for x, _ in apart), "; ".join(print_term(y.term) for _, y in apart)
        )
    x, y = apart[0]
    if x.term != y.term:
        return terms(x.term, y.term)
    return Difference(_outcome(x), _outcome(y))


def certainly(a: Turn, b: Turn, schema: Schema) -> str | None:
    """Why two turns in canonical form cannot mean the same, where that needs no database; None if it is not certain.

    Filters of the fragment that has unique forms (marks and matches included: what a user does not care about is
    information) over one table, and actions called with other plain arguments.
    """
    if len(a.statements) != len(b.statements):
        return None
    for x, y in zip(a.statements, b.statements, strict=True):
        if x.term != y.term:
            found = _apart(x.term, y.term, schema)
            if found is not None:
                return found
    return None


def _apart(a: Term, b: Term, schema: Schema) -> str | None:
    # Rows that only one side has are rows that only one side shows.
    while isinstance(a, App) and isinstance(b, App) and a.fn == b.fn and a.fn in ("show", "sort") and a.args and b.args:
        if (a.args[1:], a.named) != (b.args[1:], b.named):
            return None
        a, b = a.args[0], b.args[0]
    (table, first), (other, second) = _filtered(a), _filtered(b)
    if table is not None and table == other:
        scope = Scope(schema, {table: Source(table=table)})
        if (
            table in schema.table
            and _interpreted(first)
            and _interpreted(second)
            and same(first, second, scope) is False
        ):
            return "the filters hold in other rows, or say other things of the dialogue"
    if isinstance(a, App) and isinstance(b, App) and _plain_action(a, schema) and _plain_action(b, schema):
        return "another action, or other arguments"
    return None


def _filtered(term: Term) -> tuple[str | None, Term]:
    """The table of a filtered table, None for anything else, and the filter."""
    match term:
        case App("where", (App(table, (), ()), Abs(_, _, condition))):
            return table, condition
        case App(table, (), ()):
            return table, Lit("bool", "true")
    return None, term


# Tests that are shown whole.
_WHOLE = frozenset(
    ("=", "!=", "<", "<=", ">", ">=", "between", "in", "~", "!~", "like", "not_like", "starts_with", "ends_with")
)
_TESTS = frozenset(("=", "!=", "<", "<=", ">", ">=", "in", "not_in", "between", "not_between"))
_MARKS = frozenset(("is_any", "is_none", "is_missing", "is_not_missing"))


def _interpreted(term: Term) -> bool:
    """Whether a condition consists of fields compared with constants, and marks: text matches are not looked into."""
    if isinstance(term, Lit):
        return True
    if not isinstance(term, App) or not term.args:
        return False
    if term.fn in ("and", "or", "not"):
        return all(_interpreted(a) for a in term.args)
    subject, *others = term.args
    if not (isinstance(subject, Field) and isinstance(subject.subject, Var) and (term.fn in _TESTS | _MARKS)):
        return False
    constants = [c for o in others for c in (children(o) if isinstance(o, App) and o.fn == "list" else (o,))]
    return all(isinstance(c, Lit | Entity) or (isinstance(c, App) and not c.args and not c.named) for c in constants)


def _plain_action(term: App, schema: Schema) -> bool:
    function = schema.function.get(term.fn)
    return (
        function is not None
        and function.action
        and all(not children(v) for _, v in term.named)
        and not any(isinstance(v, Var | Hole) for _, v in term.named)
    )


def terms(a: Term, b: Term) -> Difference:
    """The smallest difference of two terms that are not equal."""
    row: tuple[str, ...] = ()
    while True:
        if isinstance(a, Abs) and isinstance(b, Abs) and a.kind != "fn" and a.params == b.params:
            row, a, b = a.params, a.body, b.body
            continue
        if isinstance(a, App) and isinstance(b, App) and a.fn == b.fn and a.fn in ("and", "or"):
            left = [x for x in a.args if x not in b.args]
            right = [y for y in b.args if y not in a.args]
            if len(left) == 1 and len(right) == 1:
                a, b = left[0], right[0]
                continue
            return Difference(_joined(a.fn, left, row), _joined(b.fn, right, row))
        if not _alike(a, b):
            return Difference(fragment(a, row), fragment(b, row))
        apart = [(x, y) for x, y in zip(children(a), children(b), strict=True) if x != y]
        if len(apart) != 1 or (isinstance(a, App) and a.fn in _WHOLE):
            return Difference(fragment(a, row), fragment(b, row))
        if isinstance(a, App) and isinstance(b, App) and not children(apart[0][0]) and not children(apart[0][1]):
            # A value alone says little: its label goes with it.
            named = [
                (f"{n}: {fragment(x, row)}", f"{n}: {fragment(y, row)}")
                for (n, x), (_, y) in zip(a.named, b.named, strict=True)
                if x != y
            ]
            if named:
                return Difference(*named[0])
        a, b = apart[0]


def _alike(a: Term, b: Term) -> bool:
    """The same construct over as many parts."""
    if type(a) is not type(b) or len(children(a)) != len(children(b)) or not children(a):
        return False
    match a, b:
        case App(), App():
            return (a.fn, a.targs) == (b.fn, b.targs) and [n for n, _ in a.named] == [n for n, _ in b.named]
        case Abs(), Abs():
            return (a.kind, a.params) == (b.kind, b.params)
        case Field(), Field():
            return a.name == b.name
        case Record(), Record():
            return [n for n, _ in a.fields] == [n for n, _ in b.fields]
    return True


def _joined(fn: str, parts: list[Term], row: tuple[str, ...]) -> str:
    return f" {fn} ".join(fragment(p, row) for p in parts)


def fragment(term: Term, row: tuple[str, ...] = ()) -> str:
    """A part as it is written in its row, where the row in hand goes without a name."""
    if isinstance(term, Abs):
        return fragment(term.body, term.params)
    try:
        if row and not is_pipeline(term):
            return print_term(App("where", (App("x"), Abs("spec", row, term)))).removeprefix("x | where ")
        return print_term(term)
    except ValueError:
        return term_key(term)


def _acts(acts: tuple[Act, ...]) -> str:
    return ", ".join(
        a.name
        + (f"({', '.join(fragment(t) for t in (*a.args, *(v for _, v in a.named)))})" if a.args or a.named else "")
        for a in acts
    )


def _outcome(statement: Statement) -> str:
    outcome = statement.outcome
    if outcome is None:
        return statement.status
    shown = "[" + ", ".join(fragment(r) for r in outcome.results) + "]"
    count = f" of {fragment(outcome.count)}" if outcome.count is not None else ""
    tail = (" more" if outcome.more else "") + (f" error {outcome.error}" if outcome.error else "")
    return f"{statement.status} -> {shown}{count}{tail}"
