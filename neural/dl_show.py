"""What `show` lists: items with the labels that the printer writes or leaves out, and the columns they make."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from ..compiler.lower import fresh_label
from ..compiler.node import node
from ..compiler.spelling import quote_name
from ..compiler.types import NUMBER, Con, Type
from .dl_aggregates import COUNTS, OVER, aggregate, over
from .dl_calls import Called, all_calls, some_calls, was
from .dl_conditions import Spot, comparable
from .dl_context import Columns, Context, Dl, all_columns, fields
from .dl_short import short_plain, subject_of
from .dl_sums import CHAINED, Sums
from .net import Part

Follow = Callable[[Spot, "Shown"], None]


@node
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
    rest: Callable[[Shown], bytes | None], way: Callable[[Shown], bytes | None], limit: int, always: bytes | None,
    free: bool,
) -> None:  # fmt: skip
    """Draw an item and what may follow it. follow: the query goes on after the items. may: whether a list of items
    may still be completed. rest: a short way to do so, after a comma. way: the same right after an item. limit:
    columns at most. always: what `way` gives whatever the item, if there is such. free: any list may be."""
    if free and always is not None:
        Items(dl, part, start, context, shown, follow, may, rest, lambda _: always, limit, always, free).draw()
    else:
        Items(dl, part, start, context, shown, follow, may, rest, way, limit, None, free).draw()


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

    def build(body: Part) -> None:
        inner = body.text(body.start, "pick(")
        body.end(body.text(dl.words.word(body, inner, spelled, depth=2), ")"))

    return dl.net.deeper(dl.net.procedure(("picked", spelled), build, f"pick({spelled})".encode))


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
    always: bytes | None
    free: bool
    _labels: dict[str, int] = field(init=False, default_factory=dict)
    _afters: dict[Shown, int] = field(init=False, default_factory=dict)

    def draw(self) -> None:
        """All of them."""
        dl, part, context = self.dl, self.part, self.context
        names: dict[str, dict[str, Shown]] = {}
        types: dict[str, Type] = {}
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
            self._name(names, "pick_all()", "pick_all", all_columns(dl, context.rows))
        for spelled, label, type_ in simple_items(dl, context):
            types[spelled] = type_
            self._name(names, spelled, label, ((None, type_),))
        subject = subject_of(context)
        if subject is not None:
            types["it"] = subject
            self._name(names, "it", context.rows[0].binder, ((None, subject),))
        for name, type_ in context.bound:
            if isinstance(type_, Con) and type_.name not in ("Rel", "Action"):
                types[name] = type_
                self._name(names, name, name, ((None, type_),))
        for written, ways in names.items():
            dl.words.choose(part, self._source(written), ways, self._arrive, self._end, depth=2, types=types)
        self._calls()
        if context.keys is not None:
            self._aggregates()
        self._sums()

    def _label(self, label: str) -> tuple[str, str]:
        """What must be written before an item, empty where its label is the one implied; and the label."""
        if label not in self.shown.labels:
            return "", label
        fresh = fresh_label(label, set(self.shown.labels))
        return f"{quote_name(fresh)}: ", fresh

    def _source(self, written: str) -> int:
        """The state after what must be written. Something must follow it: it is read where all items are."""
        if not written:
            return self.start
        if written not in self._labels:
            self._labels[written] = self.dl.words.word(self.part, self.start, written, depth=2)
        return self._labels[written]

    def _name(
        self, names: dict[str, dict[str, Shown]], spelled: str, label: str,
        columns: tuple[tuple[str | None, Type], ...],
    ) -> None:  # fmt: skip
        """Add an item that is only a name to those that stand behind the same words; draw one in `pick`."""
        written, fresh = self._label(label)
        item = self._with(fresh, columns)
        if not self.may(item):
            return
        if spelled.startswith("pick("):
            self.part.call(self._source(written), picked_field(self.dl, spelled[5:-1]), self._after(item))
        else:
            names.setdefault(written, {})[spelled] = item

    def _with(self, label: str, columns: tuple[tuple[str | None, Type], ...]) -> Shown:
        return self.shown.with_item(label, tuple((label if n is None else n, t) for n, t in columns))

    def _calls(self) -> None:
        """Calls, and fields of what they give: by what must be written before, each with a short end."""
        ends: dict[str, dict[int, bytes]] = {}
        for i, called in enumerate(all_calls(self.dl)):
            taken = self.shown.labels & called.names
            writings = [self._label(name)[0] for name in sorted(taken)] if taken else []
            for written in writings if taken == called.names else ("", *writings):
                end = self._short_end(written, called)
                if end is not None:
                    ends.setdefault(written, {})[i] = end
        for written, some in ends.items():
            self._called(self._source(written), some, written)

    def _called(self, source: int, ends: dict[int, bytes], written: str) -> None:
        """Some of all calls, each with a short end of what follows it."""
        results = {was(self.dl, i): i for i in ends}

        def then(result: int) -> int | None:
            which = results.get(result)
            if which is None:
                return None

            def draw(state: int) -> None:
                for path, item in self._items_of(written, all_calls(self.dl)[which]):
                    if self.may(item):
                        self.part.text(state, path, self._after(item))

            return self.part.lazy(draw, lambda: ends[which])

        goes = self.dl.net.continuation(then, lambda count: max(map(count, set(ends.values()))))
        self.part.call(source, some_calls(self.dl, tuple(ends), self.context), goes)

    def _short_end(self, written: str, called: Called) -> bytes | None:
        """A short way on from after a call that is behind what is written."""
        if self.always is not None:
            if not written and called.ways[0][1] not in self.shown.labels:
                return self.always
            path = next(path for path, name, _ in called.ways if self._label(name)[0] == written)
            return path.encode() + self.always
        items = ((path, item) for path, item in self._items_of(written, called) if self.may(item))
        return next((path.encode() + end for path, item in items if (end := self._end(item)) is not None), None)

    def _end(self, shown: Shown) -> bytes | None:
        """A short way on right after an item: to the end, or by more items."""
        way = self.way(shown)
        if way is None and len(shown.columns) < self.limit:
            rest = self.rest(shown)
            way = b", " + rest if rest is not None else None
        return way

    def _items_of(self, written: str, called: Called) -> Iterator[tuple[str, Shown]]:
        """Items that a call may be behind what is written: the field taken of it, the item."""
        for path, name, shown in called.ways:
            before, fresh = self._label(name)
            if before == written:
                yield path, self._with(fresh, ((None, shown),))

    def _aggregates(self) -> None:
        dl, inner = self.dl, self.context.ungrouped()
        for name in (*COUNTS, *(n for n in OVER if n != "pick")):
            written, fresh = self._label(name)
            items = {t: self._with(fresh, ((None, NUMBER if name in COUNTS else t),)) for t in over(dl, name, inner)}
            items = {t: item for t, item in items.items() if self.may(item)}
            for type_, item in items.items():
                self.part.call(self._source(written), one_aggregate(dl, name, type_, inner), self._after(item))

    def _sums(self) -> None:
        written, fresh = self._label("value")
        units = CHAINED.intersection(comparable(self.dl, self.context))
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
            Sums(self.dl, self.part, self.context, goals, end, rest=rest).begin(self._source(written), "plain")

    def _after(self, shown: Shown) -> int:
        """The state after an item."""
        if shown not in self._afters:
            self._afters[shown] = self.part.lazy(lambda s: self._arrive(s, shown), lambda: self._end(shown))
        return self._afters[shown]

    def _arrive(self, after: int, shown: Shown) -> None:
        """What follows an item."""
        spot = self.part.new(), self.part.new()
        self.part.join(after, spot[0])
        self.part.text(after, " ", spot[1])
        self._follow(spot, shown)

    def _follow(self, spot: Spot, shown: Shown) -> None:
        self.follow(spot, shown)
        if len(shown.columns) < self.limit and (self.free or self.rest(shown) is not None):
            again = self.part.lazy(lambda s: replace(self, start=s, shown=shown).draw(), lambda: self.rest(shown))
            self.part.text(spot[0], ", ", again)
