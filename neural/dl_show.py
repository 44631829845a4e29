"""What `show` lists: items with the labels that the printer writes or leaves out, and the columns they make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..compiler.expected import ground_types
from ..compiler.lower import fresh_label
from ..compiler.schema import Function
from ..compiler.spelling import quote_name
from ..compiler.types import NUMBER, Con, Type, substitute
from .dl_conditions import Spot, comparable
from .dl_context import Columns, Context, Dl, all_columns, fields, fields_of_type, spelled_field
from .dl_sums import Sums, leads
from .dl_values import COUNTS, OVER, Choice, aggregate, calls, one_call, over, short_plain, subject_of
from .net import Part

Follow = Callable[[Spot, "Shown"], None]


@dataclass(frozen=True, slots=True)
class Shown:
    """Items listed so far: labels they have, columns they make (`*` makes many under one label)."""

    labels: frozenset[str] = frozenset()
    columns: Columns = ()

    def with_item(self, label: str, columns: Columns) -> "Shown":
        """One more item."""
        return Shown(self.labels | {label}, self.columns + columns)


def simple_items(dl: Dl, context: Context) -> list[tuple[str, str, Type]]:
    """Fields, and in a group `pick` of any field and `count()`: how they are spelled, their labels, their types."""
    key = ("simple items", context)
    known = dl.memo.get(key)
    if known is None:
        known = list(fields(dl, context))
        if context.keys is not None:
            inner = replace(context.ungrouped(), outer=())
            known += [(f"pick({s})", name, t) for s, name, t in fields(dl, inner)]
            known.append(("count()", "count", NUMBER))
        dl.memo[key] = known
    return known


def default_items(dl: Dl, context: Context, labels: set[str]) -> list[tuple[str, str, Type]]:
    """The simple items as they would be written after others, with the labels they would get."""
    key = ("default items", context, frozenset(labels))
    known: list[tuple[str, str, Type]] | None = dl.memo.get(key)
    if known is None:
        known = dl.memo[key] = []
        for spelled, label, type_ in simple_items(dl, context):
            fresh = fresh_label(label, labels)
            known.append((spelled if fresh == label else f"{quote_name(fresh)}: {spelled}", fresh, type_))
    return known


def best_item(dl: Dl, context: Context, labels: set[str], wanted: Type | None) -> tuple[str, str, Type] | None:
    """The shortest simple item of a type (None: of any)."""
    if not labels:
        key = ("best item", context, wanted)
        if key not in dl.memo:
            items = [item for item in simple_items(dl, context) if wanted is None or item[2] == wanted]
            dl.memo[key] = min(items, key=lambda item: (len(item[0]), item[:2]), default=None)
        return dl.memo[key]  # type: ignore[no-any-return]
    options = [item for item in default_items(dl, context, labels) if wanted is None or item[2] == wanted]
    return min(options, key=lambda item: (len(item[0]), item[:2]), default=None)


def shown_text(dl: Dl, context: Context, types: tuple[Type, ...], shown: Shown) -> bytes | None:
    """Items of these types, one after the other; None if some type cannot be shown here."""
    labels, items = set(shown.labels), []
    for wanted in types:
        best = best_item(dl, context, labels, wanted)
        if best is None:
            return None
        items.append(best[0])
        labels.add(best[1])
    return ", ".join(items).encode()


def whole_text(dl: Dl, context: Context, types: tuple[Type, ...]) -> bytes | None:
    """The same after `whole`."""
    return shown_text(dl, replace(context, keys=()), types, Shown())


def show_items(
    dl: Dl, part: Part, start: int, context: Context, shown: Shown, follow: Follow, may: Callable[[Shown], bool],
    rest: Callable[[Shown], bytes | None], way: Callable[[Shown], bytes | None], limit: int, free: bool,
) -> None:  # fmt: skip
    """Draw an item and what may follow it. follow: the query goes on after the items. may: whether a list of items
    may still be completed. rest: a short way to do so, after a comma. way: the same right after an item. limit:
    columns at most. free: any list may be."""
    Items(dl, part, start, context, shown, follow, may, rest, way, limit, free).draw()


def all_calls(dl: Dl) -> dict[Function, list[Choice]]:
    """Every function at every instance that shows its own type."""
    known = dl.memo.get("all calls")
    if known is None:
        known = {}
        results = (f.result for f in dl.schema.functions if not f.action and not f.tparams)
        for type_ in dict.fromkeys((*ground_types(dl.schema), *results)):
            for choice in calls(dl, type_, False):
                known.setdefault(choice[0], []).append(choice)
        dl.memo["all calls"] = known
    return known


def one_aggregate(dl: Dl, name: str, type_: Type, inner: Context) -> int:
    """An aggregate over a type, as deep in calls as one in an expression."""

    def build(body: Part) -> None:
        end = body.new()
        body.end(end)
        aggregate(dl, body, body.start, name, (type_,), inner, lambda _: end)

    def text() -> bytes | None:
        over = short_plain(dl, type_, inner)
        return f"{name}(".encode() + over + b")" if over is not None else None

    return dl.net.procedure(("one aggregate", name, type_, inner), build, text)


def picked_field(dl: Dl, spelled: str) -> int:
    """`pick` of a field, as deep in calls as one in an expression."""
    from .dl_queries import named_call

    def build(body: Part) -> None:
        inner = body.text(body.start, "pick(")
        body.end(body.text(dl.words.word(body, inner, spelled, depth=1 if spelled.startswith(".") else 2), ")"))

    return named_call(dl, dl.net.procedure(("picked", spelled), build, lambda: f"pick({spelled})".encode()))


@dataclass(frozen=True)
class Items:
    """The items that may stand at one place of a list."""

    dl: Dl
    part: Part
    start: int
    context: Context
    shown: Shown
    follow: Follow
    may: Callable[[Shown], bool]
    rest: Callable[[Shown], bytes | None]
    way: Callable[[Shown], bytes | None]
    limit: int
    free: bool
    _labels: dict[str, int] = field(init=False, default_factory=dict)
    _afters: dict[Shown, int] = field(init=False, default_factory=dict)

    def draw(self) -> None:
        """All of them."""
        dl, part, context = self.dl, self.part, self.context
        part.rest(self.start, lambda: self.rest(self.shown))
        if context.keys is None:
            columns = all_columns(dl, context.rows)
            labelled: dict[str, Type] = {}
            for name, type_ in columns:
                labelled[fresh_label(name, {*labelled, *(n for n, _ in self.shown.columns)})] = type_
            after = Shown(self.shown.labels | {fresh_label("all_fields", set(self.shown.labels))}, self.shown.columns)
            star = replace(after, columns=after.columns + tuple(labelled.items()))
            if self.may(star):
                part.text(self.start, "*", self._after(star))
        else:
            self._word("pick_all()", "pick_all", all_columns(dl, context.rows))
        for spelled, label, type_ in simple_items(dl, context):
            self._word(spelled, label, ((None, type_),))
        subject = subject_of(context)
        if subject is not None:
            self._word("it", context.rows[0].binder, ((None, subject),))
        for name, type_ in context.bound:
            if isinstance(type_, Con) and type_.name not in ("Rel", "Action"):
                self._word(name, name, ((None, type_),))
        self._calls()
        if context.keys is not None:
            self._aggregates()
        self._sums()

    def _at(self, label: str) -> tuple[int, str]:
        """The state after the label, if it must be written, and the label."""
        fresh = fresh_label(label, set(self.shown.labels))
        if fresh == label:
            return self.start, label
        if fresh not in self._labels:
            self._labels[fresh] = self.dl.words.word(self.part, self.start, f"{quote_name(fresh)}: ", depth=2)
        return self._labels[fresh], fresh

    def _word(self, spelled: str, label: str, columns: tuple[tuple[str | None, Type], ...]) -> None:
        source, fresh = self._at(label)
        if not self.may(self._with(fresh, columns)):
            return
        after = self._after(self._with(fresh, columns))
        if spelled.startswith("pick("):
            self.part.call(source, picked_field(self.dl, spelled[5:-1]), after)
        else:
            self.dl.words.word(self.part, source, spelled, 1 if spelled.startswith(".") else 2, after)

    def _with(self, label: str, columns: tuple[tuple[str | None, Type], ...]) -> Shown:
        return self.shown.with_item(label, tuple((label if n is None else n, t) for n, t in columns))

    def _calls(self) -> None:
        """Calls, and fields of what they give: what follows the name is drawn once it is read."""
        dl = self.dl
        for function, choices in all_calls(dl).items():
            label = function.name if function.name[0].isalpha() else "value"
            sources = dict.fromkeys((self._at(label)[0],))
            if self.shown.labels:
                results = dict.fromkeys(substitute(function.result, dict(b)) for _, b in choices)
                sources |= dict.fromkeys(self._at(n)[0] for t in results for n, _ in fields_of_type(dl, t))
            for source in sources:
                given = self._call_items(source, function, label, choices)
                if given or self.free:
                    self._draw_calls(source, function, label, choices)

    def _call_items(
        self, source: int, function: Function, label: str, choices: Sequence[Choice]
    ) -> dict[Choice, list[tuple[str, Shown]]]:
        """What calls can be items after a label's source, each with the field taken of it."""
        if self.free:
            return {}
        given = {
            choice: self._items_of(source, label, substitute(function.result, dict(choice[1]))) for choice in choices
        }
        return {choice: items for choice, items in given.items() if items}

    def _items_of(self, source: int, label: str, type_: Type) -> list[tuple[str, Shown]]:
        found = [("", label, type_)]
        found += [(f".{spelled_field(n)}", n, t) for n, t in fields_of_type(self.dl, type_)]
        items = []
        for path, name, shown in found:
            at, item = self._item(name, shown)
            if at == source and self.may(item):
                items.append((path, item))
        return items

    def _draw_calls(self, source: int, function: Function, label: str, choices: Sequence[Choice]) -> None:
        results: dict[Type, list[Choice]] = {}
        for choice in choices:
            results.setdefault(substitute(function.result, dict(choice[1])), []).append(choice)
        for result, group in results.items():
            if (self.free and source == self._at(label)[0]) or self._items_of(source, label, result):

                def after(state: int, result: Type = result) -> None:
                    for path, item in self._items_of(source, label, result):
                        self.part.text(state, path, self._after(item))

                def text(result: Type = result) -> bytes | None:
                    ways = ((path, self.way(item)) for path, item in self._items_of(source, label, result))
                    return next((path.encode() + way for path, way in ways if way is not None), None)

                called = one_call(self.dl, function, tuple(group), self.context)
                self.part.call(source, called, self.part.lazy(after, text))

    def _item(self, label: str, type_: Type) -> tuple[int, Shown]:
        source, fresh = self._at(label)
        return source, self._with(fresh, ((None, type_),))

    def _aggregates(self) -> None:
        dl, inner = self.dl, self.context.ungrouped()
        for name in (*COUNTS, *(n for n in OVER if n != "pick")):
            source, fresh = self._at(name)
            items = {t: self._with(fresh, ((None, NUMBER if name in COUNTS else t),)) for t in over(dl, name, inner)}
            items = {t: item for t, item in items.items() if self.may(item)}
            for type_, item in items.items():
                self.part.call(source, one_aggregate(dl, name, type_, inner), self._after(item))

    def _sums(self) -> None:
        source, fresh = self._at("value")
        units = [t for t in comparable(self.dl, self.context) if leads((None, "", t), frozenset((t,)), True)]
        goals = frozenset(t for t in units if self.may(self._with(fresh, ((None, t),))))
        ends: dict[Type, Spot] = {}

        def end(type_: Type) -> Spot:
            if type_ not in ends:
                ends[type_] = self.part.new(), self.part.new()
                item = self._with(fresh, ((None, type_),))
                self._follow(ends[type_], item)
            return ends[type_]

        if goals:
            rest = lambda found: self.way(self._with(fresh, ((None, found),)))  # noqa: E731
            Sums(self.dl, self.part, self.context, goals, end, rest=rest).begin(source, "plain")

    def _after(self, shown: Shown) -> int:
        """The state after an item."""
        if shown not in self._afters:
            self._afters[shown] = self.part.lazy(lambda s: self._arrive(s, shown), lambda: self.way(shown))
        return self._afters[shown]

    def _arrive(self, after: int, shown: Shown) -> None:
        """What follows an item."""
        spot = self.part.new(), self.part.new()
        self.part.join(after, spot[0])
        self.part.text(after, " ", spot[1])
        self._follow(spot, shown)

    def _follow(self, spot: Spot, shown: Shown) -> None:
        self.follow(spot, shown)
        if len(shown.columns) < self.limit:
            again = self.part.lazy(lambda s: replace(self, start=s, shown=shown).draw(), lambda: self.rest(shown))
            self.part.text(spot[0], ", ", again)
