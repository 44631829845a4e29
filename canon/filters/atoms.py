"""A condition as literals about subjects.

A subject is a value of the row (a field, an aggregate, any expression), or a proposition nothing is known
of (a mark, an opaque condition). Negation goes down to the literals; it is classical: the literal `not` of a
comparison holds for a missing value, the comparison of the opposite operator does not.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from ...compiler.terms import App, Entity, Field, Hole, Lit, Term
from ..constants import DAY, Amount, constant
from ..matching import MATCHES, NEGATED_MATCH
from ..order import term_key
from ..rows import Fact, Scope, row_of, type_name

FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
# The type of a proposition that is membership, and whose opposite is `not in`.
MEMBER = "member"
_CONVERTED = frozenset(("number", "int", "date"))
_NO_MEMBERS = frozenset(("count", "pick_all", "everything", "all_fields", "any", "none"))
Value: TypeAlias = Amount | str
Pattern: TypeAlias = tuple[str, Term]


@dataclass(slots=True)
class Subject:
    """What literals are about. `kind` is `value`, or `prop` for a proposition (`term` is then the condition).

    `scales` holds the constants named, by scale; `terms` how a constant without a literal of its own is
    written; `patterns` the text matches; `fallible` the scales whose constant may itself be missing.
    """

    key: str
    kind: str
    term: Term
    fact: Fact
    scales: dict[str, set[Value]] = field(default_factory=dict)
    terms: dict[tuple[str, Value], Term] = field(default_factory=dict)
    patterns: list[Pattern] = field(default_factory=list)
    fallible: set[str] = field(default_factory=set)
    type: str = ""


@dataclass(slots=True, eq=False)
class Literal:
    """A test of a subject, or its classical negation.

    test: `(operator, scale, value)`, `("match", operator, pattern)`, `("missing",)`, `("holds",)`.
    `cells` is the set of cells where it holds, once the subject's cells are known.
    """

    subject: str
    test: tuple[object, ...]
    positive: bool
    cells: int = -1


@dataclass(slots=True, eq=False)
class Gate:
    """`and` (`all` true) or `or` over two or more nodes. `about`: keys of its subjects, once asked for."""

    all: bool
    nodes: "tuple[Node, ...]"
    about: frozenset[str] | None = None


Node: TypeAlias = Literal | Gate | bool


class TooManyAtoms(Exception):
    """The condition is larger than the guard allows."""


class Reader:
    """Reads conditions into nodes; subjects and their constants collect over all conditions read."""

    def __init__(self, scope: Scope, limit: int = 600) -> None:
        self.scope = scope
        self.subjects: dict[str, Subject] = {}
        self.left = limit
        self._known: dict[Term, Subject] = {}
        self._read: tuple[dict[Term, Node], dict[Term, Node]] = ({}, {})

    # ------------------------------------------------------------ connectives

    def read(self, term: Term, positive: bool = True) -> Node:
        """The node of a Bool term (of its negation if not `positive`)."""
        if isinstance(term, App):
            fn, args = term.fn, term.args
            if not term.named and not term.targs:
                if fn in FLIPPED and len(args) == 2:
                    # Conditions repeat within a filter, and between two that are compared.
                    node = self._read[positive].get(term)
                    if node is None:
                        node = self._read[positive][term] = self.compare(fn, args[0], args[1], positive)
                    return node
                if fn == "and" or fn == "or":
                    return gate((fn == "and") is positive, [self.read(a, positive) for a in args])
                if fn == "not" and len(args) == 1:
                    return self.read(args[0], not positive)
                rule = _RULES.get(fn)
                if rule is not None:
                    node = rule(self, fn, args, positive)
                    if node is not None:
                        return node
            return self.proposition(term, positive)
        if isinstance(term, Lit) and term.kind == "bool":
            return (term.value == "true") is positive
        if isinstance(term, Field):
            return self.compare("=", term, Lit("bool", "true"), positive)
        return self.proposition(term, positive)

    def literal(self, subject: Subject, test: tuple[object, ...], positive: bool) -> Literal:
        self.left -= 1
        if self.left < 0:
            raise TooManyAtoms
        return Literal(subject.key, test, positive)

    def proposition(self, term: Term, positive: bool) -> Node:
        """A condition taken as it is: true or false, nothing else known."""
        key = "~" + term_key(term)
        subject = self.subjects.get(key)
        if subject is None:
            subject = self.subjects[key] = Subject(key, "prop", term, Fact(None, False))
        return self.literal(subject, ("holds",), positive)

    def value(self, term: Term) -> Subject:
        """The subject a value is."""
        subject = self._known.get(term)
        if subject is None:
            key = term_key(term)
            fact = self.scope.fact(term)
            subject = Subject(key, "value", term, fact, type=type_name(fact.type))
            self.subjects[key] = self._known[term] = subject
        return subject

    def present(self, term: Term, positive: bool) -> Node:
        """`term is not missing`."""
        subject = self.value(term)
        if not subject.fact.optional:
            return positive
        return self.literal(subject, ("missing",), not positive)

    # ------------------------------------------------------------ comparisons

    def compare(self, operator: str, left: Term, right: Term, positive: bool) -> Node:
        """`left operator right`, the constant on whichever side."""
        if isinstance(left, Field) and isinstance(right, Lit):
            pass
        elif is_constant(left, self.scope):
            if is_constant(right, self.scope):
                return self._constants(operator, left, right, positive)
            left, right, operator = right, left, FLIPPED[operator]
        elif not is_constant(right, self.scope):
            return self._values(operator, left, right, positive)
        subject = self.value(left)
        scale, value = self.place(subject, operator, right)
        known = subject.scales.get(scale)
        if known is None:
            known = subject.scales[scale] = set()
        known.add(value)
        return self.literal(subject, (operator, scale, value), positive)

    def _constants(self, operator: str, left: Term, right: Term, positive: bool) -> Node:
        decided = decide(operator, left, right)
        if decided is not None:
            return decided is positive
        if term_key(right) < term_key(left):
            left, right, operator = right, left, FLIPPED[operator]
        return self.proposition(App(operator, (left, right)), positive)

    def _values(self, operator: str, left: Term, right: Term, positive: bool) -> Node:
        if left == right:
            return self.present(left, positive) if operator in ("=", "<=", ">=") else not positive
        if _rank(right) < _rank(left):
            left, right, operator = right, left, FLIPPED[operator]
        subject = self.value(left)
        scale = "term:" + term_key(right)
        subject.scales.setdefault(scale, set()).add(0)
        subject.terms[scale, 0] = right
        if self.scope.fact(right).optional:
            subject.fallible.add(scale)
        return self.literal(subject, (operator, scale, 0), positive)

    def place(self, subject: Subject, operator: str, term: Term) -> tuple[str, Value]:
        """Scale and value of a constant compared with a subject."""
        if isinstance(term, Lit):
            if term.kind == "raw":
                scale = "raw" if operator in ("=", "!=") else f"raw:{term.value}"
                return self._spelled(subject, scale, term.value, term)
            known = constant(term.kind, term.value)
            if known is None:
                return self._spelled(subject, "term:" + term_key(term), 0, term)
            if known.scale in _CONVERTED:
                return _convert(known.scale, known.value, subject.type, subject.fact.counts)
            return known.scale, known.value
        if isinstance(term, Hole):
            return self._spelled(subject, "hole:" + term_key(term), 0, term)
        if isinstance(term, Entity):
            return self._spelled(subject, "entity", term.id if term.id is not None else term.text or "", term)
        assert isinstance(term, App)
        enum = self.scope.schema.enum.get(subject.type)
        if enum is not None and term.fn not in enum.names and not enum.open:
            return self._spelled(subject, "stray", term.fn, term)
        if enum is not None and enum.ordered and enum.open and operator not in ("=", "!="):
            return self._spelled(subject, f"stray:{term.fn}", 0, term)
        return "enum", term.fn

    def _spelled(self, subject: Subject, scale: str, value: Value, term: Term) -> tuple[str, Value]:
        known = subject.terms.get((scale, value))
        if known is None or term_key(term) < term_key(known):
            subject.terms[scale, value] = term
        return scale, value

    # ------------------------------------------------------------ other tests

    def member(self, fn: str, args: tuple[Term, ...], positive: bool) -> Node | None:
        """`a in [b, c]` and its opposite, which is false for a missing `a` but true of the empty list."""
        if len(args) != 2:
            return None
        if not (isinstance(args[1], App) and args[1].fn == "list" and not args[1].named):
            return self.member_of_query(fn, args, positive)
        items, within = args[1].args, fn == "in"
        if not items:
            return (not within) is positive
        operator = "=" if within else "!="
        return gate(within is not positive, [self.compare(operator, args[0], item, positive) for item in items])

    def member_of_query(self, fn: str, args: tuple[Term, ...], positive: bool) -> Node | None:
        """`a not in (query)` is the opposite of `a in (query)` where neither side can be missing."""
        row = row_of(args[1], self.scope)
        columns = row[0][1].columns if len(row) == 1 else None
        if self.scope.fact(args[0]).optional or not columns or any(fact.optional for fact in columns.values()):
            return None
        member = App("in", args)
        node = self.proposition(member, (fn == "in") is positive)
        self.subjects["~" + term_key(member)].type = MEMBER
        return node

    def between(self, fn: str, args: tuple[Term, ...], positive: bool) -> Node | None:
        """`a in lo .. hi`."""
        if len(args) != 3:
            return None
        subject, low, high = args
        within = fn == "between"
        parts = [
            self.compare(">=" if within else "<", subject, low, positive),
            self.compare("<=" if within else ">", subject, high, positive),
        ]
        return gate(within is positive, parts)

    def match(self, fn: str, args: tuple[Term, ...], positive: bool) -> Node | None:
        """A text match: a proposition of a present value; `!~` and `not like` demand a present value too."""
        if len(args) != 2:
            return None
        operator = NEGATED_MATCH.get(fn, fn)
        if operator != "like" and args[1] == Lit("text", ""):
            # Nothing is in every text that is there.
            return self.present(args[0], positive) if operator == fn else not positive
        subject = self.value(args[0])
        pattern = (operator, args[1])
        if pattern not in subject.patterns:
            subject.patterns.append(pattern)
        if operator == fn:
            return self.literal(subject, ("match", operator, args[1]), positive)
        matched = self.literal(subject, ("match", operator, args[1]), not positive)
        return gate(positive, [matched, self.present(args[0], positive)])

    def any_match(self, fn: str, args: tuple[Term, ...], positive: bool) -> Node | None:
        """`any_match(a, ["x", "y"])` is `a ~ "x" or a ~ "y"`."""
        if len(args) != 2 or not (isinstance(args[1], App) and args[1].fn == "list"):
            return None
        parts = [self.match("~", (args[0], item), positive) for item in args[1].args]
        return gate(not positive, [p for p in parts if p is not None])

    def missing(self, fn: str, args: tuple[Term, ...], positive: bool) -> Node | None:
        """`a is missing`, `a is not missing`."""
        if len(args) != 1:
            return None
        wanted = (fn == "is_not_missing") is positive
        if is_constant(args[0], self.scope):
            return wanted
        return self.present(args[0], wanted)


_RULES = {
    "in": Reader.member,
    "not_in": Reader.member,
    "between": Reader.between,
    "not_between": Reader.between,
    "is_missing": Reader.missing,
    "is_not_missing": Reader.missing,
    "any_match": Reader.any_match,
    **dict.fromkeys((*MATCHES, *NEGATED_MATCH), Reader.match),
}


def gate(conjunction: bool, nodes: list[Node]) -> Node:
    """`and` or `or` of nodes, flattened, constants gone."""
    flat: list[Node] = []
    for node in nodes:
        if node is conjunction:
            continue
        if isinstance(node, bool):
            return node
        if isinstance(node, Gate) and node.all is conjunction:
            flat.extend(node.nodes)
        else:
            flat.append(node)
    if not flat:
        return conjunction
    return flat[0] if len(flat) == 1 else Gate(conjunction, tuple(flat))


def is_constant(term: Term, scope: Scope) -> bool:
    """A value that is the same in every row and never missing: a literal, placeholder, entity or enum member."""
    if isinstance(term, Lit):
        return term.kind not in ("name", "path")
    if isinstance(term, App):
        # A bare name that is no function and no table is a member of some enum, declared or not.
        bare = not term.args and not term.named and not term.targs
        return bare and term.fn not in _NO_MEMBERS and _is_name(term.fn, scope)
    return isinstance(term, Hole | Entity)


def _is_name(fn: str, scope: Scope) -> bool:
    return fn not in scope.schema.function and fn not in scope.schema.table


def decide(operator: str, left: Term, right: Term) -> bool | None:
    """The truth of a comparison of two constants, if it is certain."""
    if left == right:
        return operator in ("=", "<=", ">=")
    if isinstance(left, Lit) and isinstance(right, Lit):
        a, b = constant(left.kind, left.value), constant(right.kind, right.value)
        if a is None or b is None or (a.scale != b.scale and {a.scale, b.scale} != {"int", "number"}):
            return None
        if a.scale == "bool" and operator not in ("=", "!="):
            return None
        x, y = a.value, b.value
        order = (x > y) - (x < y)  # type: ignore[operator]
        return {"=": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[
            operator
        ]
    if isinstance(left, App) and isinstance(right, App) and operator in ("=", "!="):
        return operator == "!="
    return None


def _rank(term: Term) -> tuple[bool, str]:
    return not isinstance(term, Field), term_key(term)


def _convert(scale: str, value: Value, type_: str, counts: bool) -> tuple[str, Value]:
    """A literal's scale, seen from the type it is compared with."""
    if scale == "number" or scale == "int":
        if counts:
            return "count", value
        if type_ == "Int":
            return "int", value
        if type_ == "Number":
            return "number", value
        if type_ == "Money":
            return "money:", value
    elif scale == "date" and type_ == "DateTime":
        return "datetime", int(value) * DAY
    return scale, value
