"""From what callers ask to have grounded to the requests that `grounded` follows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from ..compiler.schema import Schema
from ..grammar.diagnostic import CompileError
from . import errors
from .costs import priced
from .grounding import Grounding, Literals, Spell, folded, members, parts, spell_dl, spell_lispress
from .literal_places import dl_names, dl_places, flow_names, flow_places
from .literal_walks import Request
from .vocabulary import Vocabulary

Texts = Sequence["str | Sequence[str] | None"]
KEPT: Final = 256
"""Sets whose members stay drawn for the next request."""


def asked(batch: int, texts: "Texts | None", grounding: "Grounding | Sequence[Grounding | None] | None") -> list[Any]:
    """What each row is to be grounded in: a `Grounding` or None. texts: in place of those of its grounding."""
    each = [grounding] * batch if grounding is None or isinstance(grounding, Grounding) else list(grounding)
    given = [None] * batch if texts is None else list(texts)
    if len(each) != batch or len(given) != batch or isinstance(texts, str):
        raise CompileError(errors.wrong_shape(f"{batch} rows, {len(given)} lists of texts, {len(each)} groundings"))
    out: list[Grounding | None] = []
    for row, some in zip(each, given, strict=True):
        if some is not None:
            row = replace(row or Grounding(), texts=(some,) if isinstance(some, str) else tuple(some))
        out.append(None if row is not None and row.texts is None and not row.sets else row)
    return out


class Requests:
    """Requests of one surface over one vocabulary."""

    def __init__(self, surface: str, schemas: Sequence[Schema], vocabulary: Vocabulary) -> None:
        self.surface = surface
        self.schemas = tuple(schemas)
        self.vocabulary = vocabulary
        self._names: dict[int, frozenset[str]] = {}
        self._sets: dict[tuple[frozenset[str], bool], Literals] = {}

    def request(self, row: int, schema: int, grounding: Grounding) -> Request:
        """The request of a row. Raises CompileError: DLC516 if no literal would be possible, DLC517 if a set is for
        nothing that the schema has."""
        texts = None
        if grounding.texts is not None:
            texts = self._literals(grounding)
            if not parts(texts, grounding.texts, grounding.words):
                raise CompileError(errors.nothing_to_ground_in(row, "its texts"))
        sets = {}
        for name, values in grounding.sets.items():
            if name not in self._known(schema):
                raise CompileError(errors.unknown_place(row, name))
            sets[name] = self._set(frozenset(values), grounding)
            if not sets[name].possible:
                raise CompileError(errors.nothing_to_ground_in(row, f"the set of {name}"))
        return Request(texts, sets, grounding.entities, self._places(schema))

    def room(self, request: Request) -> int:
        """Tokens of the longest of its shortest literals."""
        return max(each.fewest(each.rest(each.start)) for each in request.all)

    def _literals(self, grounding: Grounding) -> Literals:
        spell: Spell = spell_dl if self.surface == "dl" else spell_lispress
        return Literals(folded(spell) if grounding.fold_case else spell, self.vocabulary.fewest)

    def _set(self, values: frozenset[str], grounding: Grounding) -> Literals:
        key = values, grounding.fold_case
        known = self._sets.pop(key, None)
        if known is None:
            known = self._literals(grounding)
            members(known, values)
        self._sets[key] = known
        if len(self._sets) > KEPT:
            del self._sets[next(iter(self._sets))]
        return known

    def _known(self, schema: int) -> frozenset[str]:
        if schema not in self._names:
            names = dl_names if self.surface == "dl" else flow_names
            self._names[schema] = names(self.schemas[schema])
        return self._names[schema]

    def _places(self, schema: int) -> Callable[[str], tuple[str, ...]]:
        return partial(dl_places, schema=self.schemas[schema]) if self.surface == "dl" else flow_places


def price(vocabulary: Vocabulary, room: int) -> Callable[[bytes], int]:
    """What a text costs if its literals have room."""
    return vocabulary.fewest if not room else partial(priced, vocabulary, room=room)


__all__ = ["Requests", "Texts", "asked", "price"]
