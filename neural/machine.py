"""A surface over a schema and a vocabulary, running: the reference that every executor must equal bit by bit.

A configuration is a control state, a stack and an environment. All are interned, so a fork is a copy of references,
two sequences in one place share everything, and whatever is learned about a configuration is learned once. What is
allowed depends on the configuration, the tokens left, and the plan, if one is being followed (see `costs`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .automaton import Automaton, Control, Frame
from .costs import Costs
from .exact import Ahead
from .net import NEVER, Net, use
from .reach import Ints, Reach, Reaches, Target
from .vocabulary import Vocabulary

Row = NDArray[np.uint32]
Plan = tuple[int, ...]
Environment = tuple[int, ...]
"""What the names bound so far stand for: results, by slot."""
MAX_DEPTH: Final = 44
"""Frames from which on only the plan is open: the parser bounds nesting too."""


class Stack:
    """A stack, by its top frame. `cost` is what finishing takes once the top procedure has returned."""

    __slots__ = ("children", "cost", "depth", "frame", "parent")

    def __init__(self, frame: Frame | None, parent: "Stack | None", cost: int) -> None:
        self.frame = frame
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.children: dict[int, Stack] = {}
        self.cost = cost


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some of what a token can do in a configuration: a reach, the stack it stands on, the names bound by then."""

    reach: Reach
    stack: Stack
    env: Environment


class Cell:
    """A configuration: what it allows, what finishing costs at most, where each token seen so far leads."""

    __slots__ = ("complete", "control", "cost", "env", "next", "number", "parts", "plan", "row", "slack", "stack")

    def __init__(
        self, number: int, control: Control, stack: Stack, env: Environment, cost: int, complete: bool
    ) -> None:
        self.number = number
        self.control = control
        self.stack = stack
        self.env = env
        self.cost = cost
        self.complete = complete
        self.parts: list[Piece] | None = None
        self.row: Row | None = None
        self.slack = NEVER
        self.plan: Plan | None = None
        self.next: dict[int, Cell] = {}


class Machine:
    """The running automaton of one network over one vocabulary. room: as of `Costs`. like: a machine of the same
    network and vocabulary, whose automaton this one shares."""

    def __init__(
        self,
        net: Net,
        root: int,
        vocabulary: Vocabulary,
        exact: bool = False,
        room: int = 0,
        like: "Machine | None" = None,
    ) -> None:
        self.net = net
        self.vocabulary = vocabulary
        self.automaton: Automaton = Automaton(net, root) if like is None else like.automaton
        self.reaches: Reaches = (
            Reaches(self.automaton, vocabulary.trie, vocabulary.size) if like is None else like.reaches
        )
        self.costs = Costs(net, vocabulary, room)
        self.exact = Ahead(self._successors) if exact else None
        self.words = (vocabulary.size + 31) // 32
        self._class_costs: dict[int, NDArray[np.int32]] = {}
        self._bits: dict[int, tuple[Row, int]] = {}
        self._cells: dict[tuple[int, int, Environment], Cell] = {}
        self.cells: list[Cell] = []
        self.bottom = Stack(None, None, 0)
        self.start = self.cell(self.automaton.root, self.bottom, ())

    # ------------------------------------------------------------ configurations

    def push(self, stack: Stack, frames: tuple[Frame, ...]) -> Stack:
        """The stack with frames on top."""
        for frame in frames:
            child = stack.children.get(frame.number)
            if child is None:
                child = stack.children[frame.number] = Stack(frame, stack, stack.cost + self.costs.frame(frame))
            stack = child
        return stack

    def cell(self, control: Control, stack: Stack, env: Environment) -> Cell:
        """The interned configuration."""
        key = (control.number, id(stack), env)
        known = self._cells.get(key)
        if known is None:
            cost = self.cost(control, stack)
            known = Cell(len(self.cells), control, stack, env, cost, self._complete(control, stack, env))
            self._cells[key] = known
            self.cells.append(known)
        return known

    def _complete(self, control: Control, stack: Stack, env: Environment) -> bool:
        while ended := resolved(control.ended, env):
            if stack.frame is None:
                return True
            back = self.returned(stack, ended, env)
            if back is None:
                return False
            control, stack, env = back
        return False

    def returned(
        self, stack: Stack, ended: frozenset[int], env: Environment
    ) -> tuple[Control, Stack, Environment] | None:
        """Where a stack goes on when results (no uses) return to it; None if it does not, or is empty."""
        if stack.frame is None or stack.parent is None or not ended:
            return None
        back = self.automaton.after(stack.frame, ended)
        return (back, stack.parent, env + self.automaton.bound(stack.frame, ended)) if back is not None else None

    # ------------------------------------------------------------ costs

    def cost(self, control: Control, stack: Stack) -> int:
        """Tokens with which a configuration can certainly be finished."""
        return min(NEVER, self.costs.control(control)[0] + stack.cost)

    def within(self, cell: Cell, tokens: int) -> bool:
        """Whether a configuration can be finished with so many tokens (as far as is known, if budgets are safe)."""
        return cell.cost <= tokens if self.exact is None else self.exact.within(cell, tokens)

    def class_costs(self, reach: Reach) -> NDArray[np.int32]:
        """What finishing takes after each class of a reach, up to the stack the reach stands on."""
        known = self._class_costs.get(id(reach))
        if known is None:
            pushed: dict[tuple[Frame, ...], int] = {(): 0}
            costs = []
            for target in reach.targets:
                above = pushed.get(target.pushed)
                if above is None:
                    above = pushed[target.pushed] = sum(map(self.costs.frame, target.pushed))
                costs.append(self.costs.control(target.control)[0] + above)
            known = self._class_costs[id(reach)] = np.array(costs, dtype=np.int32)
        return known

    # ------------------------------------------------------------ rows

    def parts(self, cell: Cell) -> list[Piece]:
        """Everything a token can do here."""
        if cell.parts is None:
            cell.parts = list(self._parts(cell))
        return cell.parts

    def _parts(self, cell: Cell) -> Iterator[Piece]:
        todo = [Piece(self.reaches.at(cell.control), cell.stack, cell.env)]
        while todo:
            piece = todo.pop()
            if piece.reach.targets:
                yield piece
            for rest in piece.reach.rests:
                env = piece.env + rest.bound
                back = self.returned(self.push(piece.stack, rest.pushed), resolved(rest.ended, env), env)
                if back is not None:
                    todo.append(Piece(self.reaches.at(back[0], rest.place), back[1], back[2]))

    def opens(self, piece: Piece, target: Target) -> bool:
        """Whether a target may be entered: if it is inside a variable's name, one of those it can be is bound, and
        the caller goes on after what it holds."""
        if target.control.slots is None:
            return True
        env, stack = piece.env + target.bound, self.push(piece.stack, target.pushed)
        held = {env[slot] for slot in target.control.slots if slot < len(env)}
        return any(self.returned(stack, frozenset((result,)), env) is not None for result in held)

    def _open(self, piece: Piece) -> NDArray[np.bool_]:
        """For each class of a reach, whether its target may be entered."""
        found = np.ones(len(piece.reach.targets), dtype=np.bool_)
        for i in piece.reach.named:
            found[i] = self.opens(piece, piece.reach.targets[i])
        return found

    def row(self, cell: Cell, budget: int, plan: Plan | None = None) -> Row:
        """Tokens allowed with `budget` tokens left, as bits, the end token apart. Do not write to it."""
        if self.exact is not None:
            return self._exact_row(cell, budget)
        if plan is None and cell.stack.depth < MAX_DEPTH:
            row = self._row(cell, budget)
            if cell.complete or row.any():
                return row
        if cell.complete:
            return np.zeros(self.words, dtype=np.uint32)
        return self.pack((plan or self.plan(cell))[:1])

    def is_open(self, cell: Cell, budget: int) -> bool:
        """Whether anything but the plan may be followed."""
        return cell.stack.depth < MAX_DEPTH and bool(self._row(cell, budget).any())

    def _row(self, cell: Cell, budget: int) -> Row:
        if cell.row is None:
            cell.row, cell.slack = np.zeros(self.words, dtype=np.uint32), 0
            for piece in self.parts(cell):
                row, dearest = self._whole(piece.reach)
                cell.row |= row
                cell.slack = max(cell.slack, dearest + piece.stack.cost)
                for i in piece.reach.named:
                    if self.opens(piece, piece.reach.targets[i]):
                        cell.row |= self.chosen(piece.reach, np.arange(len(piece.reach.targets)) == i)
        if budget > cell.slack:
            return cell.row
        tight = np.zeros(self.words, dtype=np.uint32)
        for piece in self.parts(cell):
            reach = piece.reach
            affordable = self.class_costs(reach) < min(NEVER, budget - piece.stack.cost)
            if reach.named:
                affordable &= self._open(piece)
            tight |= self.chosen(reach, affordable)
        return tight

    def _whole(self, reach: Reach) -> tuple[Row, int]:
        """All tokens of a reach that can be finished at all, those inside variables' names apart; and the most that
        any of its tokens costs."""
        known = self._bits.get(id(reach))
        if known is None:
            costs = self.class_costs(reach)
            ends = costs < NEVER
            dearest = int(costs[ends].max(initial=0))
            ends[list(reach.named)] = False
            row = self.chosen(reach, ends)
            known = self._bits[id(reach)] = row, dearest
        return known

    def chosen(self, reach: Reach, targets: NDArray[np.bool_]) -> Row:
        """The tokens of a reach that lead to chosen targets, bool [targets], as a row of bits."""
        row = self.pack(reach.tokens[targets[reach.which]])
        return row | reach.together if reach.together is not None and targets[reach.most] else row

    def pack(self, tokens: "Ints | Plan") -> Row:
        """Tokens as a row of bits."""
        chosen = np.zeros(self.words * 32, dtype=np.bool_)
        chosen[np.asarray(tokens, dtype=np.int64)] = True
        return np.packbits(chosen, bitorder="little").view("<u4").astype(np.uint32, copy=False)

    def _exact_row(self, cell: Cell, budget: int) -> Row:
        row = np.zeros(self.words, dtype=np.uint32)
        for piece in self.parts(cell):
            reach = piece.reach
            affordable = [
                self.opens(piece, target) and self.within(self.entered(piece, target), budget - 1)
                for target in reach.targets
            ]
            row |= self.chosen(reach, np.array(affordable, dtype=np.bool_))
        return row

    def _successors(self, cell: Cell) -> Iterator[Cell]:
        for piece in self.parts(cell):
            yield from (self.entered(piece, t) for t in piece.reach.targets if self.opens(piece, t))

    def entered(self, piece: Piece, target: Target) -> Cell:
        """The configuration after a class of tokens."""
        return self.cell(target.control, self.push(piece.stack, target.pushed), piece.env + target.bound)

    def plan(self, cell: Cell) -> Plan:
        """The tokens of a finish that takes no more than the cost of a configuration."""
        if cell.plan is None:
            tokens, result = self._named(cell) if cell.control.slots is not None else self._rest(cell.control)
            stack = cell.stack
            while stack.frame is not None and stack.parent is not None:
                _, state = self.costs.back(stack.frame, result)
                tokens = tokens + self.costs.plan(state)
                result, stack = self.costs.result(state), stack.parent
            assert len(tokens) <= cell.cost
            cell.plan = tuple(tokens)
        return cell.plan

    def finish(self, cell: Cell) -> list[bytes]:
        """The texts of the plan, procedure by procedure."""
        if cell.control.slots is not None:
            tokens, result = self._named(cell)
            texts = [b"".join(self.vocabulary.tokens[t] or b"" for t in tokens)]
        else:
            state = self.costs.control(cell.control)[1]
            texts, result = [self.costs.text(state)], self.costs.result(state)
        stack = cell.stack
        while stack.frame is not None and stack.parent is not None:
            _, state = self.costs.back(stack.frame, result)
            texts.append(self.costs.text(state))
            result, stack = self.costs.result(state), stack.parent
        return texts

    def _rest(self, control: Control) -> tuple[list[int], int]:
        _, state = self.costs.control(control)
        return self.costs.plan(state), self.costs.result(state)

    def _named(self, cell: Cell) -> tuple[list[int], int]:
        """The rest of a variable's name that goes, and what it holds."""
        names = [pair for n in cell.control.members for pair in self.net.states[n].slots]
        for slot, text in names:
            held = frozenset(cell.env[slot : slot + 1])
            if self.returned(cell.stack, held, cell.env) is not None:
                return self.vocabulary.spell(text), cell.env[slot]
        raise AssertionError("a name was begun that no variable has")

    # ------------------------------------------------------------ steps

    def advance(self, cell: Cell, budget: int, plan: Plan | None, token: int) -> tuple[Cell, Plan | None] | None:
        """The configuration after a token, with the plan then followed; None if the token is not allowed."""
        row = self.row(cell, budget, plan)
        if not row[token >> 5] >> np.uint32(token & 31) & np.uint32(1):
            return None
        if self.exact is None and (
            plan is not None or cell.stack.depth >= MAX_DEPTH or not self._row(cell, budget).any()
        ):
            plan = (plan or self.plan(cell))[1:]
        return self._after(cell, token), plan

    def _after(self, cell: Cell, token: int) -> Cell:
        """The configuration after a token that its row allows."""
        known = cell.next.get(token)
        if known is None:
            for piece in self.parts(cell):
                target = piece.reach.find(token)
                if target is not None:
                    known = cell.next[token] = self.entered(piece, target)
                    break
        assert known is not None
        return known

    def read(self, cell: Cell, text: bytes) -> Cell | None:
        """The configuration after some bytes, whatever their tokens; None if no program goes on like that."""
        control, stack, env = cell.control, cell.stack, cell.env
        for byte in text:
            moved = self.automaton.step(control, byte)
            while moved is None:
                back = self.returned(stack, resolved(control.ended, env), env)
                if back is None:
                    return None
                control, stack, env = back
                moved = self.automaton.step(control, byte)
            control, stack = moved[0], self.push(stack, moved[1])
        if control.slots is not None:
            held = {env[slot] for slot in control.slots if slot < len(env)}
            if all(self.returned(stack, frozenset((result,)), env) is None for result in held):
                return None
        return self.cell(control, stack, env)


def resolved(ended: frozenset[int], env: Environment) -> frozenset[int]:
    """Results with uses of slots filled in; uses of slots that are not bound are dropped."""
    if not ended or min(ended) >= 0:
        return ended
    return frozenset(r if r >= 0 else env[use(r)] for r in ended if r >= 0 or use(r) < len(env))
