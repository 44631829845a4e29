"""Canonical forms: the rules in order, and the one walk that applies them.

Innermost first; at each term the rules are tried in order until none fits, and what a rule builds is brought
to form before it is looked at again. `RULES` is all there is: nothing is rewritten elsewhere.
"""

from collections.abc import Mapping
from dataclasses import replace

from ..compiler.schema import Schema
from ..compiler.terms import (
    Abs,
    App,
    Entity,
    Field,
    Lit,
    Outcome,
    Record,
    Statement,
    Term,
    Turn,
    Var,
    children,
    rebuild,
)
from ..grammar.diagnostic import CompileError
from ..grammar.errors import too_deep
from ..grammar.span import Span
from .constants import plain_entity, plain_literal
from .context import Assumptions, Context, Rule
from .lets import plain_lets
from .relations import (
    ALL,
    CHOICES,
    SET_OPERATIONS,
    binders_of,
    conjunction,
    conjuncts,
    free_vars,
    grouped_relation,
    has,
    is_grouped,
)
from .rows import Scope
from .rules import (
    aggregates,
    chains,
    constants,
    counts,
    defaults,
    distinct,
    filters,
    groups,
    joins,
    labels,
    matches,
    members,
    names,
    sets,
    show,
    slices,
    sort,
    unions,
    where,
)

RULES: tuple[Rule, ...] = (
    constants.RULE,
    labels.RULE,
    defaults.RULE,
    matches.RULE,
    members.RULE,
    filters.RULE,
    counts.RULE,
    names.RULE,
    where.RULE,
    chains.RULE,
    show.RULE,
    aggregates.RULE,
    slices.RULE,
    sort.RULE,
    groups.RULE,
    distinct.RULE,
    sets.RULE,
    unions.RULE,
    joins.RULE,
)

_JOINS = frozenset(("join", "join_left", "join_right", "join_full"))
_RELATIONS = frozenset(("where", "sort", "take", "at", "show", "distinct", "group", "whole", "then", "as"))
_RELATIONS = _RELATIONS | _JOINS | SET_OPERATIONS
_BY_HEAD: Mapping[str, tuple[Rule, ...]] = {
    head: tuple(r for r in RULES if head in r.heads) for head in frozenset().union(*(r.heads for r in RULES))
}
# Rules for a single test within a condition, before the condition takes its form as a whole.
_TESTS: Mapping[str, tuple[Rule, ...]] = {
    head: tuple(r for r in rules if r is not filters.RULE)
    for head, rules in _BY_HEAD.items()
    if head in filters.CONDITIONS
}
# A term is rewritten this often at most; no real one comes near, but a cycle between rules must not hang.
_STEPS = 200
# Forms kept before all are forgotten: a corpus of a hundred thousand turns comes to a few of these.
_REMEMBERED = 200_000
TRUSTING = Assumptions()


class Canonicalizer:
    """Canonical forms over one schema; each distinct statement, relation and condition is rewritten once.

    The schema must include the prelude (`Checker(schema).schema` does). Not for use by several threads at once.
    """

    def __init__(self, schema: Schema, assume: Assumptions = TRUSTING) -> None:
        self.schema = schema
        self._context = Context(Scope(schema), assume)

    def turn(self, turn: Turn) -> Turn:
        """A turn in canonical form: same type, same meaning, and itself if it is canonical already.

        Raises CompileError (DLC005) if terms are nested too deeply.
        """
        try:
            made = self._statements(turn)
            for _ in range(_STEPS):
                # What a variable stood for may simplify in its new place, and then stand where it is used itself.
                plain = plain_lets(made)
                made = self._statements(plain) if plain is not made else plain
                if made == plain:
                    break
            return made
        except RecursionError:
            raise CompileError(too_deep(Span(0, 0))) from None

    def _statements(self, turn: Turn) -> Turn:
        return Turn(turn.speaker, turn.acts, tuple([self._statement(s) for s in turn.statements]))

    def term(self, term: Term) -> Term:
        """A query or expression in canonical form. Raises CompileError (DLC005) if it is nested too deeply."""
        try:
            return self._term(term)
        except RecursionError:
            raise CompileError(too_deep(Span(0, 0))) from None

    def _term(self, term: Term) -> Term:
        known = self._context.known
        key = ("statement", term)
        found = known.get(key)
        if found is None:
            if len(known) > _REMEMBERED:
                known.clear()
            found = known[key] = _labelled_columns(form(term, self._context), self._context)
        return found

    def _statement(self, statement: Statement) -> Statement:
        term, outcome = self._term(statement.term), _outcome(statement.outcome)
        if term == statement.term and outcome is statement.outcome:
            return statement
        return Statement(term, statement.status, statement.let, outcome)


def canonicalize(turn: Turn, schema: Schema, assume: Assumptions = TRUSTING) -> Turn:
    """`Canonicalizer.turn` for a single turn."""
    return Canonicalizer(schema, assume).turn(turn)


def canonical_term(term: Term, schema: Schema, assume: Assumptions = TRUSTING) -> Term:
    """`Canonicalizer.term` for a single query or expression."""
    return Canonicalizer(schema, assume).term(term)


def _outcome(outcome: Outcome | None) -> Outcome | None:
    """Results with their fields in the order of names, values in their plain spelling."""
    if outcome is None:
        return None
    results = tuple(
        Record(tuple(sorted(((label, _plain(v)) for label, v in r.fields), key=lambda f: f[0])))
        for r in outcome.results
    )
    count = outcome.count
    if isinstance(count, Lit) and count.value == str(len(results)):
        count = None
    return replace(outcome, results=results, count=_plain(count) if count is not None else None)


def _plain(term: Term) -> Term:
    if isinstance(term, Lit):
        return plain_literal(term)
    if isinstance(term, Entity):
        return plain_entity(term)
    parts = children(term)
    return rebuild(term, tuple(_plain(p) for p in parts)) if parts else term


def _labelled_columns(term: Term, context: Context) -> Term:
    """The columns a statement ends with, by label: they are a record, and a record has no order. All fields of a
    table's rows, each under its own name, are `*`."""
    if not isinstance(term, App) or not term.args:
        return term
    if term.fn in ("take", "at", "distinct", "sort"):
        return App(term.fn, (_labelled_columns(term.args[0], context), *term.args[1:]), term.named)
    if term.fn == "show" and len({label for label, _ in term.named}) == len(term.named):
        fields = context.fields(term.args[0])
        if fields and len(fields) <= len(term.named) and _all_plain(term, fields):
            binder = binders_of(term.args[0])[0]
            rest = tuple([item for item in term.named if item[0] not in fields])
            return App("show", term.args, ((ALL.fn, Abs("row", (binder,), ALL)), *sorted(rest, key=_label)))
        return App("show", term.args, tuple(sorted(term.named, key=_label)))
    return term


def _all_plain(show: App, fields: frozenset[str]) -> bool:
    (binder, *_) = binders_of(show.args[0])
    return fields.issubset(
        [label for label, o in show.named if isinstance(o, Abs) and o.body == Field(Var(binder), label)]
    )


def _label(item: tuple[str, Term]) -> str:
    return item[0]


# ---------------------------------------------------------------- the walk


def form(term: Term, context: Context) -> Term:
    """A term in canonical form."""
    match term:
        case App(fn=fn):
            if fn in filters.CONDITIONS and not term.named and not term.targs:
                return _condition(term, context)
            if fn in _RELATIONS and term.args and not term.targs:
                return _relation(term, context)
            return _rewritten(_call(term, context), context)
        case Lit():
            return plain_literal(term)
        case Entity():
            return plain_entity(term)
        case Abs("fn", params):
            inner = replace(context, scope=context.scope.without(params))
            depth = sum(name.startswith("v") for name in context.scope.binders)
            return names.bound(Abs("fn", params, form(term.body, inner)), depth)
        case Abs(kind, params):
            body = form(term.body, context.inside(context.scope.without(params)))
            return term if body is term.body else Abs(kind, params, body)
        case Field(subject, name):
            new = subject if isinstance(subject, Var) else form(subject, context)
            return term if new is subject else Field(new, name)
    parts = children(term)
    if not parts:
        return term
    return _over(term, parts, tuple([form(p, context) for p in parts]))


def _over(term: Term, old: tuple[Term, ...], new: tuple[Term, ...]) -> Term:
    """The same node over parts in form; the node itself if they were so already."""
    for before, after in zip(old, new, strict=True):
        if before is not after:
            return rebuild(term, new)
    return term


def _call(term: App, context: Context) -> App:
    if not term.args and not term.named:
        return term
    inner = context
    if term.fn == "exists":
        inner = context.using(0, False)
    elif term.fn == "the":
        inner = context.using(2, True)
    parts = children(term)
    new = _over(term, parts, tuple([form(p, inner) for p in parts]))
    assert isinstance(new, App)
    return new


def _condition(term: App, context: Context) -> Term:
    """A condition: operands first, then the whole at once."""
    return _rewritten(_operands(term, context), context)


def _operands(term: Term, context: Context) -> Term:
    if not isinstance(term, App) or term.named or term.targs:
        return form(term, context)
    if term.fn in filters.CONNECTIVES:
        return _over(term, term.args, tuple([_operands(a, context) for a in term.args]))
    if term.fn not in filters.CONDITIONS:
        return form(term, context)
    args = list(term.args)
    for i, arg in enumerate(args):
        if isinstance(arg, Lit) or (isinstance(arg, Field) and not isinstance(arg.subject, App)):
            continue
        members = i == 1 and term.fn in ("in", "not_in")
        args[i] = form(arg, context.using(0, False) if members else context)
    test = _over(term, term.args, tuple(args))
    assert isinstance(test, App)
    for rule in _TESTS.get(test.fn, ()):
        new = rule.apply(test, context)
        if new is not None:
            return new
    return test


def _relation(term: App, context: Context) -> Term:
    """A relation: each distinct one once for each use of its rows, if it speaks of no row around it."""
    around = context.scope.binders
    if around:
        # The names of `fn` parameters count how deep they are bound.
        if not free_vars(term).isdisjoint(around) or any(name.startswith("v") for name in around):
            return _stage(term, context)
        context = context.outside()
    key = (term, context.ordered, context.multiset)
    found: Term | None = context.known.get(key)
    if found is None:
        found = context.known[key] = _stage(term, context)
        context.known[(found, *key[1:])] = found
    return found


def _stage(term: App, context: Context) -> Term:
    fn = term.fn
    if fn == "where":
        term = _merged(term)
    source = form(term.args[0], _below(term, context))
    row = context.row(source)
    grouped = grouped_relation(source) if is_grouped(source) else None
    right: Term | None = None
    closed = not context.scope.binders

    def over(arg: Term) -> Term:
        if not isinstance(arg, Abs):
            return form(arg, context.using(0, True))
        # What is known of a row follows from the relations, unless there are rows around.
        key = ("over", arg, source, right)
        found: Term | None = context.known.get(key) if closed else None
        if found is None:
            scope = context.scope.over(arg.params, row)
            body = form(arg.body, Context(scope, context.assume, 1, True, grouped, context.known))
            found = arg if body is arg.body else Abs(arg.kind, arg.params, body)
            if closed:
                context.known[key] = context.known["over", found, source, right] = found
        return found

    if fn in _JOINS:
        right = form(term.args[1], context.using(context.ordered, True))
        row = context.row(App(fn, (source, right)))
        return _rewritten(App(fn, (source, right, *[over(a) for a in term.args[2:]])), context)
    if fn in SET_OPERATIONS:
        return _rewritten(App(fn, (source, form(term.args[1], _below(term, context)))), context)
    parts = children(term)
    new = _over(term, parts, (source, *[over(p) for p in parts[1:]]))
    return _rewritten(new, context)


def _merged(term: App) -> App:
    """Filters written one after the other as one filter, as `where` would make them one by one."""
    while True:
        match term.args:
            case (App("where", (below, Abs("spec", first, condition))), Abs("spec", second, further)) if (
                first == second
            ):
                both = conjunction((*conjuncts(condition), *conjuncts(further)))
                term = App("where", (below, Abs("spec", first, both)))
            case _:
                return term


def _below(term: App, context: Context) -> Context:
    """How a stage uses the rows below it."""
    match term.fn:
        case "where" | "as":
            return context
        case "show":
            picks = any(has(v, CHOICES) for _, v in term.named)
            return context.using(2, context.multiset) if picks else context
        case "sort":
            return context.using(0 if context.ordered == 0 else 2, context.multiset)
        case "take" | "at" | "then":
            return context.using(2, True)
        case "distinct":
            return context.using(context.ordered, False)
        case "group" | "whole":
            return context.using(2 if context.ordered == 2 else 0, True)
        case "union" | "except" | "intersect":
            return context.using(2 if context.ordered == 2 else 0, False)
    return context.using(2 if context.ordered == 2 else 0, True)


def _rewritten(term: Term, context: Context) -> Term:
    """Apply rules at a term whose parts are in form."""
    for _ in range(_STEPS):
        if not isinstance(term, App):
            return plain_literal(term) if isinstance(term, Lit) else term
        # Without operands it is a name (`count()` apart, which no rule is about), whatever operator is called so.
        rules = _BY_HEAD.get(term.fn, ()) if term.args else ()
        if term.named and term.fn != "show":
            rules = (labels.RULE, defaults.RULE, *rules)
        for rule in rules:
            new = rule.apply(term, context)
            if new is not None:
                break
        else:
            return term
        if new == term:
            return term
        if isinstance(new, App) and new.fn in _RELATIONS and new.args and not new.targs:
            return _relation(new, context)
        if rule is filters.RULE:
            return new
        term = new
    return term
