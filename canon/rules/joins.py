"""Joins of one query: superfluous tables go, membership in a key is a join, tables stand in one order.

A table joined only by its trusted key, to a column that references it, and used nowhere else, adds no row and
drops those whose reference is missing: it goes. `x in (T | where c | show .key)` is a join with T by a trusted key: at most one
partner, so nothing is doubled. Inner joins commute: tables are ordered by name, each next to one it is
compared with; tables joined with themselves are told apart by whichever naming prints first. The order is
left alone where a stage above sees the order of rows, and everything is where the whole row is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

from ...compiler.terms import Abs, App, Field, Lit, Term, Var, subterms
from ..context import Context, Rule
from ..order import condition_key, term_key
from ..relations import conjunction, conjuncts, free_vars, has, renamed, where
from ..rows import Source

_COMPARED = frozenset(("=",))
_PICK = frozenset(("pick",))
_ALL = frozenset(("pick_all",))
# More ways than this to name tables joined with themselves are not all tried.
_NAMINGS = 24


@dataclass(slots=True)
class _Block:
    """Tables by binder, in order, and the conditions over them."""

    leaves: dict[str, str]
    conditions: list[Term] = field(default_factory=list)


def apply(term: App, context: Context) -> Term | None:
    """Rewrite the join at the bottom of a projection; elsewhere put its conditions where they belong."""
    if term.fn in ("where", "join"):
        return _placed(term, context)
    stages: list[App] = []
    inner: Term = term
    while isinstance(inner, App) and inner.args and inner.fn in _ABOVE:
        stages.append(inner)
        inner = inner.args[0]
        if isinstance(inner, App) and inner.fn == "where" and _over_groups(inner):
            stages.append(inner)
            inner = inner.args[0]
    if _plain(inner):
        return None
    # What came out of here once is as it should be, unless there are rows around.
    key = ("joins", term, context.ordered == 2)
    if not context.scope.binders and key in context.known:
        return None
    new = _rewritten(inner, stages, context)
    if new == term:
        new = None
    if not context.scope.binders:
        context.known[key if new is None else ("joins", new, key[2])] = term if new is None else new
    return new


def _placed(term: App, context: Context) -> Term | None:
    """The same join of whole rows with equalities between two tables on the join, all else in `where`."""
    over = term.args[-1]
    if not isinstance(over, Abs) or len(over.params) < 2:
        return None
    between = [_joins(c, over.params) for c in conjuncts(over.body)]
    misplaced = any(between) if term.fn == "where" else not all(between)
    return _laid_out(term, context) if misplaced else None


def _laid_out(term: App, context: Context) -> Term | None:
    block = _block(term)
    if block is None or len(block.leaves) < 2:
        return None
    _normal(block, context)
    rebuilt = _rebuilt(block, list(block.leaves))
    return None if rebuilt == term else rebuilt


def _normal(block: _Block, context: Context) -> None:
    """Bring the conditions of a block to normal form together."""
    sources = {b: Source(table=t) for b, t in block.leaves.items()}
    scope = replace(context.scope, binders={**context.scope.binders, **sources})
    block.conditions = list(conjuncts(context.condition(conjunction(block.conditions), scope)))


def _clashes(condition: Term) -> bool:
    """Whether a condition may exclude an equality of two tables: anything about both but such an equality."""
    equality = isinstance(condition, App) and condition.fn == "="
    return not equality and (condition == Lit("bool", "false") or len(free_vars(condition)) > 1)


# Stages that see how often a row occurs, whoever looks at what they make of it.
_COUNTING = frozenset(("group", "whole", "take", "at"))
_ABOVE = frozenset(("show", "sort", "take", "at", "distinct", "group", "whole"))


def _plain(relation: Term) -> bool:
    """One table under its own name, with no condition that could become a join: nothing to do."""
    while isinstance(relation, App) and relation.fn == "where" and len(relation.args) == 2:
        condition = relation.args[1]
        if not isinstance(condition, Abs) or any(_is_member(c) for c in conjuncts(condition.body)):
            return False
        relation = relation.args[0]
    return isinstance(relation, App) and not relation.args


def _rewritten(inner: Term, stages: list[App], context: Context) -> Term | None:
    # Columns by label, as a statement's last projection will have them.
    overs = [a for s in stages for a in (*s.args[1:], *(v for _, v in sorted(s.named, key=lambda item: item[0])))]
    if any(isinstance(o, Abs) and o.body == App("all_fields") for o in overs) or any(has(o, _ALL) for o in overs):
        return None
    block = _block(inner)
    if block is None:
        return None
    leaves = dict(block.leaves)
    fixed = _order_seen(stages, context)
    if any(_clashes(c) for c in block.conditions):
        # What is never true says nothing of any table.
        _normal(block, context)
    _members_to_joins(block, context)
    twins = _one_row(block, context)
    if twins:
        overs = [Abs(o.kind, o.params, renamed(o.body, twins)) if isinstance(o, Abs) else o for o in overs]
    used = frozenset[str]().union(*[_free_over(o) for o in overs])
    _drop_parents(block, used, fixed, context)
    if not context.multiset and not fixed and not any(s.fn in _COUNTING for s in stages):
        while _joins_to_members(block, used, context):
            _drop_parents(block, used, fixed, context)
    names = {} if fixed else _naming(block, overs)
    if names:
        block.leaves = {names.get(b, b): t for b, t in block.leaves.items()}
        block.conditions = [renamed(c, names) for c in block.conditions]
    _normal(block, context)
    order = list(block.leaves) if fixed else _order(block)
    rebuilt = _rebuilt(block, order)
    if rebuilt == inner and block.leaves == leaves:
        return None
    names = {b: names.get(a, a) for b, a in twins.items()} | names
    binders = tuple(order)
    for stage in reversed(stages):
        params = ("it",) if _projected(stage) else binders
        rest = tuple([_rebound(a, names, params) for a in stage.args[1:]])
        named = tuple([(label, _rebound(a, names, params)) for label, a in stage.named])
        rebuilt = App(stage.fn, (rebuilt, *rest), named)
    return rebuilt


def _is_member(condition: Term) -> bool:
    return isinstance(condition, App) and condition.fn == "in"


def _projected(stage: App) -> bool:
    """Whether a stage works on the rows a `show` below it made."""
    inner: Term = stage.args[0]
    while (
        isinstance(inner, App)
        and inner.args
        and inner.fn in ("sort", "take", "at", "distinct", "where", "group", "whole")
    ):
        inner = inner.args[0]
    return isinstance(inner, App) and inner.fn == "show"


def _over_groups(stage: App) -> bool:
    inner = stage.args[0]
    return (
        isinstance(inner, App)
        and inner.fn in ("group", "whole", "where", "sort")
        and bool(inner.args)
        and (inner.fn in ("group", "whole") or _over_groups(inner))
    )


def _order_seen(stages: list[App], context: Context) -> bool:
    if context.ordered == 2:
        return True
    if any(s.fn in ("sort", "take", "at") for s in stages):
        return True
    return any(has(a, _PICK) for s in stages for a in (*s.args[1:], *(v for _, v in s.named)))


def _free_over(over: Term) -> frozenset[str]:
    return free_vars(over.body) if isinstance(over, Abs) else free_vars(over)


def _rebound(over: Term, names: dict[str, str], binders: tuple[str, ...]) -> Term:
    if not isinstance(over, Abs):
        return over
    if over.params == ("it",) and binders != ("it",):
        return over
    body = renamed(over.body, names) if names else over.body
    return Abs(over.kind, binders, body)


def _block(term: Term) -> _Block | None:
    """The inner joins and filters at the bottom of a query, if they are over tables only."""
    match term:
        case App("where", (inner, Abs("spec", _, body))):
            block = _block(inner)
            if block is not None:
                block.conditions.extend(conjuncts(body))
            return block
        case App("join", (left, right, *on)):
            first, second = _block(left), _block(right)
            if first is None or second is None or first.leaves.keys() & second.leaves.keys():
                return None
            merged = _Block(first.leaves | second.leaves, first.conditions + second.conditions)
            for over in on:
                if not isinstance(over, Abs):
                    return None
                merged.conditions.extend(conjuncts(over.body))
            return merged
        case App("as", (App(table, (), (), ()), Lit("name", name))):
            return _Block({name: table})
        case App(table, (), (), ()) if table[0].isalpha() or table[0] == "_":
            return _Block({table: table})
    return None


def _members_to_joins(block: _Block, context: Context) -> None:
    """`x in (T | where c | show .key)` becomes a join with T."""
    kept: list[Term] = []
    for condition in block.conditions:
        match condition:
            case App(
                "in", (Field(Var(_)) as column, App("show", (source,), ((_, Abs(_, _, Field(Var(binder), key))),)))
            ):
                inner = _block(source)
                table = context.scope.schema.table.get(inner.leaves.get(binder, "")) if inner is not None else None
                if (
                    inner is not None
                    and table is not None
                    and len(inner.leaves) == 1
                    and key in context.trusted_keys(table)
                ):
                    name = _fresh(inner.leaves[binder], block, inner.conditions)
                    block.leaves[name] = inner.leaves[binder]
                    kept.append(App("=", (column, Field(Var(name), key))))
                    kept.extend(renamed(c, {binder: name}) for c in inner.conditions)
                    continue
        kept.append(condition)
    block.conditions = kept


def _one_row(block: _Block, context: Context) -> dict[str, str]:
    """Tables joined with themselves by a key are one row: the later goes, its columns are the earlier's."""
    gone: dict[str, str] = {}
    order = list(block.leaves)
    for condition in list(block.conditions):
        match condition:
            case App("=", (Field(Var(a), x), Field(Var(b), y))) if x == y:
                a, b = gone.get(a, a), gone.get(b, b)
                table = context.scope.schema.table.get(block.leaves.get(a, ""))
                if a == b or table is None or block.leaves.get(b) != table.name or x not in context.trusted_keys(table):
                    continue
                first, second = sorted((a, b), key=order.index)
                del block.leaves[second]
                gone = {old: first if new == second else new for old, new in gone.items()} | {second: first}
                block.conditions = [renamed(c, {second: first}) for c in block.conditions]
    return gone


def _joins_to_members(block: _Block, used: frozenset[str], context: Context) -> bool:
    """Where nobody counts rows, a table that only has to have a partner is a membership: `x in (T | where c | show .y)`.

    One at a time; whether there was one. Not by a trusted key: such a membership is a join (above).
    """
    for binder, name in list(block.leaves.items()):
        table = context.scope.schema.table.get(name)
        about = [c for c in block.conditions if binder in free_vars(c)]
        links = [c for c in about if free_vars(c) != {binder}]
        if table is None or binder in used or len(block.leaves) == 1 or len(links) != 1:
            continue
        match links[0]:
            case App("=", (Field(Var(a), x) as left, Field(Var(b), y) as right)) if binder in (a, b):
                column, outer = (x, right) if a == binder else (y, left)
            case _:
                continue
        if column in context.trusted_keys(table) or context.scope.binders:
            continue
        inside = [renamed(c, {binder: name}) for c in about if c is not links[0]]
        if any(isinstance(t, Abs) and name in t.params for c in about for t in subterms(c)):
            continue
        shown = Abs("row", (name,), Field(Var(name), column))
        member = App("in", (outer, App("show", (where(App(name), conjunction(inside)),), ((column, shown),))))
        block.conditions = [c for c in block.conditions if c not in about] + [member]
        del block.leaves[binder]
        return True
    return False


def _fresh(table: str, block: _Block, conditions: list[Term]) -> str:
    taken = set(block.leaves)
    for condition in (*block.conditions, *conditions):
        taken |= {p for t in subterms(condition) if isinstance(t, Abs) for p in t.params}
        taken |= free_vars(condition)
    if table not in block.leaves and not any(
        isinstance(t, Abs) and table in t.params for c in conditions for t in subterms(c)
    ):
        return table
    number = 2
    while f"{table}{number}" in taken:
        number += 1
    return f"{table}{number}"


def _drop_parents(block: _Block, used: frozenset[str], fixed: bool, context: Context) -> None:
    """Drop tables that are only there because a reference leads to them."""
    changed = True
    while changed and len(block.leaves) > 1:
        changed = False
        for binder, name in list(block.leaves.items()):
            table = context.scope.schema.table.get(name)
            if table is None or binder in used or (fixed and binder == next(iter(block.leaves))):
                continue
            about = [c for c in block.conditions if binder in free_vars(c)]
            link = _link(about, binder, context.trusted_keys(table))
            if link is None:
                continue
            key, child = link
            target = context.scope.schema.table.get(block.leaves.get(child[0], ""))
            column = target.by_name.get(child[1]) if target is not None else None
            if column is None or column.references != (name, key) or not context.assume.keys or len(set(about)) != 1:
                continue
            block.conditions = [c for c in block.conditions if c not in about]
            if column.optional:
                block.conditions.append(App("is_not_missing", (Field(Var(child[0]), child[1]),)))
            del block.leaves[binder]
            changed = True


def _link(about: list[Term], binder: str, keys: frozenset[str]) -> tuple[str, tuple[str, str]] | None:
    """The key a table is joined by, and the column it equals."""
    for condition in about:
        match condition:
            case App("=", (Field(Var(a), x), Field(Var(b), y))):
                if a == binder and b != binder and x in keys:
                    return x, (b, y)
                if b == binder and a != binder and y in keys:
                    return y, (a, x)
    return None


def _naming(block: _Block, overs: list[Term]) -> dict[str, str]:
    """Names for tables: the table's own, then with a number; of all ways the one that prints first."""
    by_table: dict[str, list[str]] = {}
    for binder, table in block.leaves.items():
        by_table.setdefault(table, []).append(binder)
    bodies = [o.body if isinstance(o, Abs) else o for o in overs]
    abstractions = [s for t in (*block.conditions, *bodies) for s in subterms(t) if isinstance(s, Abs)]
    choices: list[dict[str, str]] = [{}]
    for table, binders in sorted(by_table.items()):
        names = [table] + [f"{table}{n}" for n in range(2, len(binders) + 1)]
        ways = list(permutations(binders))
        if len(choices) * len(ways) > _NAMINGS:
            ways = [tuple(binders)]
        choices = [c | dict(zip(way, names, strict=True)) for c in choices for way in ways]
    choices = [c for c in choices if not any(_captures(c, s) for s in abstractions)]
    if len(choices) < 2:
        return {old: new for old, new in choices[0].items() if old != new} if choices else {}

    def printed(names: dict[str, str]) -> list[str]:
        shown = [term_key(renamed(body, names)) for body in bodies]
        return sorted(condition_key(renamed(_sided(c, names), names)) for c in block.conditions) + shown

    best = min(choices, key=printed)
    return {old: new for old, new in best.items() if old != new}


def _captures(names: dict[str, str], abstraction: Abs) -> bool:
    """Whether a new name would mean what an abstraction inside binds, not the table out here."""
    free = free_vars(abstraction)
    return any(new in abstraction.params and old in free for old, new in names.items() if old != new)


def _sided(condition: Term, names: dict[str, str]) -> Term:
    """An equality with its sides in the order they will have after renaming."""
    match condition:
        case App("=" as fn, (a, b)):
            first, second = renamed(a, names), renamed(b, names)
            return App(fn, (a, b) if term_key(first) <= term_key(second) else (b, a))
    return condition


def _order(block: _Block) -> list[str]:
    """By name, each after one it is compared with where there is one."""
    left = sorted(block.leaves, key=lambda b: (block.leaves[b], b))
    links = [free_vars(c) & block.leaves.keys() for c in block.conditions if isinstance(c, App) and c.fn in _COMPARED]
    chosen: list[str] = []
    while left:
        near = [b for b in left if any(b in link and link & set(chosen) for link in links)]
        following = near[0] if chosen and near else left[0]
        chosen.append(following)
        left.remove(following)
    return chosen


def _rebuilt(block: _Block, order: list[str]) -> Term:
    """The joins in order, with equalities between two tables on the join, everything else in `where`."""
    conditions = block.conditions
    relation: Term | None = None
    seen: list[str] = []
    for binder in order:
        table = block.leaves[binder]
        leaf: Term = App(table) if binder == table else App("as", (App(table), Lit("name", binder)))
        seen.append(binder)
        if relation is None:
            relation = leaf
            continue
        here = [c for c in conditions if _joins(c, seen, binder)]
        conditions = [c for c in conditions if c not in here]
        on = (Abs("row", tuple(seen), conjunction(here)),) if here else ()
        relation = App("join", (relation, leaf, *on))
    assert relation is not None
    return where(relation, conjunction(conditions))


def _joins(condition: Term, binders: Sequence[str], binder: str | None = None) -> bool:
    """An equality between two of some tables (`binder` one of them, if given)."""
    if not (isinstance(condition, App) and condition.fn == "="):
        return False
    sides = [free_vars(side) for side in condition.args]
    about = sides[0] | sides[1]
    if binder is not None and binder not in about:
        return False
    return len(about) == 2 and about <= set(binders) and all(len(side) == 1 for side in sides)


RULE = Rule(
    "joins",
    frozenset(("show", "where", "join")),
    "trusted keys and references for dropping and membership; unseen order for reordering",
    apply,
)
