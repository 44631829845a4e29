"""Core terms: the small language every stage after the parser speaks.

Filters, joins, sorting, booking, `refer` and `revise` are all `App` of a declared function. Terms are
immutable, compare by structure and remember their hash, so equal subterms can be shared and memoized.
Where a term stood in a text is not part of it: `lower` returns that beside the term.

How surface constructs look in core (b is a binder name, `it` the subject of a specification):

    Hotel | where .stars = 4    App("where", (App("Hotel"), Abs("spec", ("Hotel",), App("=", (Field(Var("Hotel"),
                                "stars"), Lit("number", "4"))))))
    a | join t as u on e        App("join", (a, t, Abs("row", (*binders, "u"), e))), the right side App("as", (t,
                                Lit("name", "u"))) if the binder is not the table's own name; join_left and so on
    | sort e desc, f            App("sort", (rel, Abs("row", bs, App("desc", (e,))), Abs("row", bs, App("asc", (f,)))))
    | show e, l: f              App("show", (rel,), named=((label, Abs("row", bs, e)), ...)); `*` is App("all_fields")
    | take n skip m             App("take", (rel, n, m)); | at i, j   App("at", (rel, i, j))
    | group e | whole           App("group", (rel, Abs("row", bs, e))); App("whole", (rel,))
    | union all (q)             App("union_all", (rel, q)); union, except, intersect likewise
    | then f(x: .id)            App("then", (rel, Abs("row", bs, call)))
    { e }                       Abs("spec", ("it",), e);  everything is App("everything")
    fn x => e                   Abs("fn", ("x",), e);     x(y) of a bound x is Apply(Var("x"), (y,))
    a and b, not a              App("and", (a, b, ...)), App("not", (a,))
    a in l, a in lo .. hi       App("in", (a, l)), App("between", (a, lo, hi)); not_in, not_between, not_like
    a is any|none|missing|s     App("is_any", (a,)), is_none, is_missing, is_not_missing, App("is", (a, s))
    [a, b]                      App("list", (a, b));      (query) as a value  App("the", (query,))
    { l: e }                    Record((("l", e),));      (e : T)             Ascribe(e, T)
    f(l: any|none|missing)      named=(("l", App("any")),); none, missing (left open)
    raw "x"                     Lit("raw", "x")
"""

from collections.abc import Iterator
from dataclasses import field
from functools import lru_cache
from typing import Literal, TypeAlias

from .node import node
from .types import Type

LiteralKind = Literal["number", "int", "text", "bool", "date", "time", "datetime", "quantity", "raw", "name", "path"]


_set = object.__setattr__


@node
class Lit:
    """A literal as it prints: `value` is its text, for kind `text` the text itself without quotes.

    Kind `name` is a binder name (`as`), `path` a field named in an act's arguments.
    """

    kind: LiteralKind
    value: str


@node
class Entity:
    """`@"text"#"id"[type]`: an entity by what people call it, by its identifier, or both."""

    text: str | None
    id: str | None = None
    type: Type | None = None


@node
class Hole:
    """`$0`: a delexicalized constant; its kind is its type, written only if it is narrower than expected."""

    index: int
    type: Type | None = None


@node
class Var:
    """A variable: let-bound, lambda-bound, a relation's binder, or `it`."""

    name: str


@node
class App:
    """Application of a declared function: positional then labelled arguments (labels in any order).

    Hash and facts are found when asked for.
    """

    fn: str
    args: "tuple[Term, ...]" = ()
    named: "tuple[tuple[str, Term], ...]" = ()
    targs: tuple[Type, ...] = ()
    _hash: int | None = field(default=None, init=False, compare=False, repr=False)
    _facts: "Facts | None" = field(default=None, init=False, compare=False, repr=False)

    def __eq__(self, other: object) -> bool:
        """By structure; most unequal ones are told apart by their hashes."""
        if self is other:
            return True
        if not isinstance(other, App):
            return False
        mine, its = self._hash, other._hash
        if mine is not None and its is not None and mine != its:
            return False
        return (
            self.fn == other.fn and self.args == other.args and self.named == other.named and self.targs == other.targs
        )

    def __hash__(self) -> int:
        known = self._hash
        if known is None:
            known = hash((self.fn, self.args, self.named, self.targs))
            _set(self, "_hash", known)
        return known


@node
class Apply:
    """Application of a bound variable of function type."""

    fn: "Term"
    args: "tuple[Term, ...]"


@node
class Abs:
    """An abstraction: a specification over its subject, an expression over a row's binders, or a function."""

    kind: Literal["spec", "row", "fn"]
    params: tuple[str, ...]
    body: "Term"
    _hash: int | None = field(default=None, init=False, compare=False, repr=False)
    _facts: "Facts | None" = field(default=None, init=False, compare=False, repr=False)

    def __hash__(self) -> int:
        known = self._hash
        if known is None:
            known = hash((self.kind, self.params, self.body))
            _set(self, "_hash", known)
        return known


@node
class Field:
    """`subject.name`."""

    subject: "Term"
    name: str
    _hash: int | None = field(default=None, init=False, compare=False, repr=False)

    def __hash__(self) -> int:
        known = self._hash
        if known is None:
            known = hash((self.subject, self.name))
            _set(self, "_hash", known)
        return known


@node
class Record:
    """`{ label: value, ... }`."""

    fields: "tuple[tuple[str, Term], ...]"


@node
class Ascribe:
    """`(term : type)`."""

    term: "Term"
    type: Type


Term: TypeAlias = Lit | Entity | Hole | Var | App | Apply | Abs | Field | Record | Ascribe


@node
class Outcome:
    """What executing a statement gave. `count` is the literal after `of`; `error` an error code."""

    results: tuple[Record, ...] = ()
    count: Term | None = None
    more: bool = False
    error: str | None = None


@node
class Statement:
    """One statement of a turn.

    status: `accepted`, `proposed` or `confirmed`; one with an outcome is confirmed unless written otherwise.
    """

    term: Term
    status: Literal["accepted", "proposed", "confirmed"] = "accepted"
    let: str | None = None
    outcome: Outcome | None = None
    _hash: int | None = field(default=None, init=False, compare=False, repr=False)

    def __hash__(self) -> int:
        """Worked out when first asked for: outcomes can be long, and most statements are never looked up."""
        known = self._hash
        if known is None:
            known = hash((self.term, self.status, self.let, self.outcome))
            object.__setattr__(self, "_hash", known)
        return known


@node
class Act:
    """A dialogue act with its arguments."""

    name: str
    args: tuple[Term, ...] = ()
    named: tuple[tuple[str, Term], ...] = ()


@node
class Turn:
    """A turn: who speaks, the acts in order, the statements in order."""

    speaker: Literal["user", "agent"]
    acts: tuple[Act, ...] = ()
    statements: tuple[Statement, ...] = ()
    _hash: int | None = field(default=None, init=False, compare=False, repr=False)

    def __hash__(self) -> int:
        known = self._hash
        if known is None:
            known = hash((self.speaker, self.acts, self.statements))
            _set(self, "_hash", known)
        return known


def children(term: Term) -> "tuple[Term, ...]":
    """Immediate subterms, in the one order that paths count in."""
    # By class rather than by pattern: every stage asks this of every node.
    if isinstance(term, App):
        return term.args + tuple([value for _, value in term.named]) if term.named else term.args
    if isinstance(term, Field):
        return (term.subject,)
    if isinstance(term, Abs):
        return (term.body,)
    match term:
        case Apply(fn=fn, args=args):
            return (fn, *args)
        case Record(fields=fields):
            return tuple(value for _, value in fields)
        case Ascribe(term=inner):
            return (inner,)
    return ()


def rebuild(term: Term, new: "tuple[Term, ...]") -> Term:
    """The same node over other subterms (as many as `children(term)` gives)."""
    match term:
        case App(fn, args, named, targs):
            count = len(args)
            if not named:
                return App(fn, new, (), targs)
            labels = tuple([(label, value) for (label, _), value in zip(named, new[count:], strict=True)])
            return App(fn, new[:count], labels, targs)
        case Field(name=name):
            return Field(new[0], name)
        case Abs(kind, params, _):
            return Abs(kind, params, new[0])
        case Apply():
            return Apply(new[0], new[1:])
        case Record(fields):
            return Record(tuple((label, value) for (label, _), value in zip(fields, new, strict=True)))
        case Ascribe(type=type_):
            return Ascribe(new[0], type_)
    return term


def replaced(term: Term, old: Term, new: Term) -> Term:
    """The term with every occurrence of a part replaced; names that bind around it are not looked at."""
    if term == old:
        return new
    parts = children(term)
    return rebuild(term, tuple(replaced(p, old, new) for p in parts)) if parts else term


Facts: TypeAlias = tuple[frozenset[str], bool]
_CLOSED: Facts = (frozenset(), False)
_RAW: Facts = (frozenset(), True)


def facts(term: Term) -> Facts:
    """Names of the free variables, and whether a value kept raw is inside; found once for each application."""
    # By class rather than by pattern: inference asks this of every node.
    kind = type(term)
    if kind is App or kind is Abs:
        known: Facts | None = term._facts  # type: ignore[union-attr]
        if known is None:
            known = _joined(children(term))
            if kind is Abs and known[0]:
                known = known[0].difference(term.params), known[1]  # type: ignore[union-attr]
            _set(term, "_facts", known)
        return known
    if kind is Field:
        return facts(term.subject)  # type: ignore[union-attr]
    if kind is Var:
        return _free(term.name)  # type: ignore[union-attr]
    if kind is Lit:
        return _RAW if term.kind == "raw" else _CLOSED  # type: ignore[union-attr]
    if kind is Hole or kind is Entity:
        return _CLOSED
    return _joined(children(term))


@lru_cache(maxsize=10_000)
def _free(name: str) -> Facts:
    """One object a name: what mentions one row many times is joined without making sets."""
    return frozenset((name,)), False


def _joined(parts: "tuple[Term, ...]") -> Facts:
    joined = _CLOSED
    for part in parts:
        found = facts(part)
        if found is not joined and found is not _CLOSED:
            joined = found if joined is _CLOSED else (joined[0] | found[0], joined[1] or found[1])
    return joined


def free_names(term: Term) -> frozenset[str]:
    """Names of free variables."""
    return facts(term)[0]


def with_args(
    term: App, args: "tuple[Term, ...]", named: "tuple[tuple[str, Term], ...]" = (), targs: tuple[Type, ...] = ()
) -> App:
    """The application over other arguments: itself if they are its very own."""
    if targs or term.targs or len(args) != len(term.args) or len(named) != len(term.named):
        return App(term.fn, args, named, targs)
    for new, own in zip(args, term.args, strict=True):
        if new is not own:
            return App(term.fn, args, named)
    if named:
        for (_, new), (_, own) in zip(named, term.named, strict=True):
            if new is not own:
                return App(term.fn, args, named)
    return term


def subterms(term: Term) -> Iterator[Term]:
    """The term and all below it, parents first."""
    todo = [term]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(children(node)))


def number(value: int | str) -> Lit:
    """A Number literal."""
    return Lit("number", str(value))


def text(value: str) -> Lit:
    """A Text literal."""
    return Lit("text", value)
