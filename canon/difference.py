"""Where two programs differ: the smallest parts that, put for each other, would make them one."""

from dataclasses import dataclass

from ..compiler.sugar import is_pipeline, print_term
from ..compiler.terms import Abs, Act, App, Field, Record, Statement, Term, Turn, children
from .order import term_key


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
        if len(apart) != 1 or (isinstance(a, App) and a.fn in ("=", "!=", "<", "<=", ">", ">=", "between", "in")):
            return Difference(fragment(a, row), fragment(b, row))
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
