"""The shortest DL form of a Lispress program: every type is left out that the schema lets inference restore."""

from ...compiler.check import CheckedTurn, Checker
from ...compiler.terms import Turn
from .from_dl import lispress_of
from .names import Names, Unsayable
from .program import Ascribed, Call, Expr, Lambda, Let
from .to_dl import NOTHING, Path, dl_turn

_ROUNDS = 4


class Shortener:
    """Programs as short turns over one schema; a turn is checked once and remembered."""

    def __init__(self, names: Names, checker: Checker) -> None:
        self.names = names
        self.checker = checker

    def turn(self, program: Expr) -> tuple[Turn, CheckedTurn]:
        """The turn, and the check that gives the program back exactly. Raises Unsayable.

        All types go. As long as calls come back differently, the type of one of them is written, first of those that
        stand to the left and inside, which may show the others theirs; in the end those of all.
        """
        types: frozenset[Path] = NOTHING
        shapes: frozenset[Path] = NOTHING
        for attempt in range(2 * _ROUNDS):
            turn = dl_turn(program, self.names, types, shapes)
            checked = self.checker.check_turn(turn)
            wrong = self._wrong(program, turn, checked)
            if wrong is None:
                break
            if not wrong:
                return turn, checked
            shapes |= wrong & types
            types |= {first_inside(wrong)} if attempt < _ROUNDS else wrong
        for kept in (NOTHING, None):
            turn = dl_turn(program, self.names, None, kept)
            checked = self.checker.check_turn(turn)
            if self._wrong(program, turn, checked) == NOTHING:
                return turn, checked
        raise Unsayable("a part that would not come back as it is")

    def _wrong(self, program: Expr, turn: Turn, checked: CheckedTurn) -> frozenset[Path] | None:
        """Calls that come back differently; None if the program as a whole does."""
        try:
            back = lispress_of(turn, self.names, checked)
        except Unsayable:
            return None
        return differences(program, back.program)


def first_inside(paths: frozenset[Path]) -> Path:
    """The leftmost of the paths that lead to none of the others."""
    first = min(paths)
    inside = [path for path in paths if path[: len(first)] == first]
    while len(inside) > 1:
        first = min(path for path in inside if path != first)
        inside = [path for path in inside if path[: len(first)] == first]
    return first


def differences(first: Expr, second: Expr) -> frozenset[Path] | None:
    """Paths of the calls in which two programs of one shape differ; None if their shapes do."""
    found: set[Path] = set()
    pending: list[tuple[Path, Expr, Expr]] = [((), first, second)]
    while pending:
        path, a, b = pending.pop()
        if a == b:
            continue
        match a, b:
            case Call(), Call():
                if len(a.args) != len(b.args):
                    return None
                named = [x.name for x in a.args] != [x.name for x in b.args]
                if a.head != b.head or a.type_args != b.type_args or named:
                    found.add(path)
                for i, (x, y) in enumerate(zip(a.args, b.args, strict=True)):
                    if x.value is not None and y.value is not None:
                        pending.append(((*path, i), x.value, y.value))
            case Let(), Let():
                if len(a.bindings) != len(b.bindings) or len(a.body) != len(b.body):
                    return None
                pending += [
                    ((*path, i), x[1], y[1]) for i, (x, y) in enumerate(zip(a.bindings, b.bindings, strict=True))
                ]
                pending.append(((*path, len(a.bindings)), a.body[0], b.body[0]))
            case Ascribed() | Lambda(), _:
                return None
            case _:
                return None
    return frozenset(found)
