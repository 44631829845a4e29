"""What `show` lists: items with the labels that the printer writes or leaves out, and the columns they make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..compiler.expected import ground_types
from ..compiler.lower import fresh_label
from ..compiler.schema import Function
from ..compiler.spelling import quote_name
from ..compiler.types import NUMBER, Con, Type, substitute
from .dl_conditions import Spot, comparable
from .dl_context import Columns, Context, Dl, all_columns, fields, fields_of_type, spelled_field
from .dl_sums import Sums, leads
from .dl_values import COUNTS, OVER, Choice, aggregate, call, calls, has_plain, is_in, subject_of
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
    return known  # type: ignore[no-any-return]


def default_items(dl: Dl, context: Context, labels: set[str]) -> list[tuple[str, str, Type]]:
    """The simple items as they would be written after others, with the labels they would get."""
    found: list[tuple[str, str, Type]] = []
    for spelled, label, type_ in simple_items(dl, context):
        fresh = fresh_label(label, labels)
        found.append((spelled if fresh == label else f"{quote_name(fresh)}: {spelled}", fresh, type_))
    return found


def best_item(dl: Dl, context: Context, labels: set[str], wanted: Type) -> tuple[str, str, Type] | None:
    """The shortest simple item of a type."""
    options = [item for item in default_items(dl, context, labels) if item[2] == wanted]
    return min(options, key=lambda item: (len(item[0]), item), default=None)  # type: ignore[arg-type,return-value]


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
    rest: Callable[[Shown], bytes | None], limit: int,
) -> None:  # fmt: skip
    """Draw an item and what may follow it. follow: the query goes on after the items. may: whether a list of items
    may still be completed. rest: a short way to do so. limit: columns at most."""
    Items(dl, part, start, context, shown, follow, may, rest, limit).draw()


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
    return known  # type: ignore[no-any-return]


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
    limit: int

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
            self._arrive(part.text(self.start, "*"), replace(after, columns=after.columns + tuple(labelled.items())))
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
        return self.dl.words.word(self.part, self.start, f"{quote_name(fresh)}: ", depth=2), fresh

    def _word(self, spelled: str, label: str, columns: tuple[tuple[str | None, Type], ...]) -> None:
        source, fresh = self._at(label)
        if not self.may(self._with(fresh, columns)):
            return
        if spelled.startswith("pick("):
            after = self.part.call(source, picked_field(self.dl, spelled[5:-1]))
        else:
            after = self.dl.words.word(self.part, source, spelled, depth=1 if spelled.startswith(".") else 2)
        self._arrive(after, self._with(fresh, columns))

    def _with(self, label: str, columns: tuple[tuple[str | None, Type], ...]) -> Shown:
        return self.shown.with_item(label, tuple((label if n is None else n, t) for n, t in columns))

    def _call(self, procedure: int, path: str, label: str, type_: Type) -> None:
        from .dl_queries import named_call

        source, fresh = self._at(label)
        item = self._with(fresh, ((None, type_),))
        if self.may(item):
            after = self.part.call(source, named_call(self.dl, procedure))
            self._arrive(self.part.text(after, path) if path else after, item)

    def _calls(self) -> None:
        """Calls, and fields of what they give: what follows the name is drawn once it is read."""
        dl = self.dl
        for function, choices in all_calls(dl).items():
            label = function.name if function.name[0].isalpha() else "value"
            results = dict.fromkeys(substitute(function.result, dict(b)) for _, b in choices)
            items: dict[int, list[tuple[Type, str, Shown]]] = {}
            for type_ in results:
                found = [("", label, type_)]
                found += [(f".{spelled_field(n)}", n, t) for n, t in fields_of_type(dl, type_)]
                for path, name, shown in found:
                    source, item = self._item(name, shown)
                    if self.may(item):
                        items.setdefault(source, []).append((type_, path, item))
            for source, given in items.items():
                self._call_items(source, function, choices, given)

    def _call_items(
        self, source: int, function: Function, choices: Sequence[Choice], given: list[tuple[Type, str, Shown]]
    ) -> None:
        ends: dict[Type, int] = {}

        def end(choice: Choice) -> int:
            result = substitute(function.result, dict(choice[1]))
            if result not in ends:
                ends[result] = self.part.new()
                for type_, path, item in given:
                    if type_ == result:
                        self._arrive(self.part.text(ends[result], path) if path else ends[result], item)
            return ends[result]

        wanted = [c for c in choices if substitute(function.result, dict(c[1])) in {t for t, _, _ in given}]
        call(self.dl, self.part, source, function, wanted, self.context, False, end, 2)

    def _item(self, label: str, type_: Type) -> tuple[int, Shown]:
        source, fresh = self._at(label)
        return source, self._with(fresh, ((None, type_),))

    def _aggregates(self) -> None:
        dl, inner = self.dl, self.context.ungrouped()
        for type_ in comparable(dl, inner):
            for name in COUNTS:
                self._call(aggregate(dl, name, type_, inner), "", name, NUMBER)
            for name, cls in OVER.items():
                if name != "pick" and is_in(dl, type_, cls) and has_plain(dl, type_, inner):
                    self._call(aggregate(dl, name, type_, inner), "", name, type_)

    def _sums(self) -> None:
        source, fresh = self._at("value")
        units = [t for t in comparable(self.dl, self.context) if leads(self.dl, (None, "", t), frozenset((t,)), True)]
        goals = frozenset(t for t in units if self.may(self._with(fresh, ((None, t),))))
        ends: dict[Type, Spot] = {}

        def end(type_: Type) -> Spot:
            if type_ not in ends:
                ends[type_] = self.part.new(), self.part.new()
                self._follow(ends[type_], self._with(fresh, ((None, type_),)))
            return ends[type_]

        if goals:
            Sums(self.dl, self.part, self.context, goals, end).begin(source, "plain")

    def _arrive(self, after: int, shown: Shown) -> None:
        """After an item that no operator follows: the item's own state, so that its space is read once."""
        if self.may(shown):
            spot = self.part.new(), self.part.new()
            self.part.join(after, spot[0])
            self.part.text(after, " ", spot[1])
            self._follow(spot, shown)

    def _follow(self, spot: Spot, shown: Shown) -> None:
        self.follow(spot, shown)
        if len(shown.columns) < self.limit:
            again = self.part.lazy(lambda s: Items(
                self.dl, self.part, s, self.context, shown, self.follow, self.may, self.rest, self.limit
            ).draw())  # fmt: skip
            self.part.text(spot[0], ", ", again)
