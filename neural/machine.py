"""A surface over a schema and a vocabulary, running: the reference that every executor must equal bit by bit.

A configuration is a control state and a stack. Both are interned, so a fork is a copy of references, two sequences
in one place share everything, and whatever is learned about a configuration is learned once. What is allowed depends
on the configuration, the tokens left, and the plan, if one is being followed (see `costs`).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .automaton import Automaton, Control, Frame
from .costs import NEVER, Costs
from .exact import Exact, Table
from .net import Net
from .reach import START, Ints, Reach, Reaches
from .vocabulary import Vocabulary

Row = NDArray[np.uint32]
Plan = tuple[int, ...]
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


class Cell:
    """A configuration: what it allows, what finishing costs at most, where each token seen so far leads."""

    __slots__ = ("complete", "control", "cost", "next", "number", "parts", "plan", "row", "slack", "stack")

    def __init__(self, number: int, control: Control, stack: Stack, cost: int, complete: bool) -> None:
        self.number = number
        self.control = control
        self.stack = stack
        self.cost = cost
        self.complete = complete
        self.parts: list[tuple[Reach, Stack]] | None = None
        self.row: Row | None = None
        self.slack = NEVER
        self.plan: Plan | None = None
        self.next: dict[int, Cell] = {}


class Machine:
    """The running automaton of one network over one vocabulary."""

    def __init__(self, net: Net, root: int, vocabulary: Vocabulary, exact: bool = False) -> None:
        self.net = net
        self.vocabulary = vocabulary
        self.automaton = Automaton(net, root)
        self.reaches = Reaches(self.automaton, vocabulary.trie)
        self.costs = Costs(net, vocabulary)
        self.exact = Exact(self.reaches) if exact else None
        self._exact_memo: dict[tuple[int, frozenset[int], int], int] = {}
        self.words = (vocabulary.size + 31) // 32
        self._class_costs: dict[int, NDArray[np.int32]] = {}
        self._bits: dict[int, tuple[Row, int]] = {}
        self._cells: dict[tuple[int, int], Cell] = {}
        self.cells: list[Cell] = []
        self.bottom = Stack(None, None, 0)
        self.start = self.cell(self.automaton.root, self.bottom)

    # ------------------------------------------------------------ configurations

    def push(self, stack: Stack, frames: tuple[Frame, ...]) -> Stack:
        """The stack with frames on top."""
        for frame in frames:
            child = stack.children.get(frame.number)
            if child is None:
                child = stack.children[frame.number] = Stack(frame, stack, stack.cost + self.costs.frame(frame))
            stack = child
        return stack

    def cell(self, control: Control, stack: Stack) -> Cell:
        """The interned configuration."""
        key = (control.number, id(stack))
        known = self._cells.get(key)
        if known is None:
            cost = self.cost(control, stack)
            known = Cell(len(self.cells), control, stack, cost, self._complete(control, stack))
            self._cells[key] = known
            self.cells.append(known)
        return known

    def _complete(self, control: Control, stack: Stack) -> bool:
        current: Control | None = control
        while current is not None and current.ended:
            if stack.frame is None or stack.parent is None:
                return True
            current, stack = self.automaton.after(stack.frame, current.ended), stack.parent
        return False

    # ------------------------------------------------------------ costs

    def cost(self, control: Control, stack: Stack) -> int:
        """Tokens with which a configuration can certainly be finished (the least, if budgets are exact)."""
        if self.exact is not None:
            return self._least(self.exact.table(control), stack)
        return self.costs.control(control)[0] + stack.cost

    def _least(self, table: Table, stack: Stack) -> int:
        """The least tokens that finish, given the ways to return to a stack."""
        assert self.exact is not None
        best = NEVER
        for (ended, place), spent in table.items():
            if stack.frame is None or stack.parent is None:
                if place == START:
                    best = min(best, spent)
                continue
            key = (id(stack), ended, place)
            if key not in self._exact_memo:
                back = self.automaton.after(stack.frame, ended)
                ways = self.exact.table(back, place) if back is not None else {}
                self._exact_memo[key] = self._least(ways, stack.parent)
            best = min(best, spent + self._exact_memo[key])
        return best

    def class_costs(self, reach: Reach) -> NDArray[np.int32]:
        """What finishing takes after each class of a reach, up to the stack the reach stands on."""
        known = self._class_costs.get(id(reach))
        if known is None:
            costs = [
                self.costs.control(target.control)[0] + sum(self.costs.frame(frame) for frame in target.pushed)
                for target in reach.targets
            ]
            known = self._class_costs[id(reach)] = np.array(costs, dtype=np.int32)
        return known

    # ------------------------------------------------------------ rows

    def parts(self, cell: Cell) -> list[tuple[Reach, Stack]]:
        """Everything a token can do here: reaches, each with the stack it stands on."""
        if cell.parts is None:
            cell.parts = list(self._parts(cell))
        return cell.parts

    def _parts(self, cell: Cell) -> Iterator[tuple[Reach, Stack]]:
        todo = [(self.reaches.at(cell.control), cell.stack)]
        while todo:
            reach, stack = todo.pop()
            if reach.targets:
                yield reach, stack
            if stack.frame is None or stack.parent is None:
                continue
            for ended, place in reach.rests:
                back = self.automaton.after(stack.frame, ended)
                if back is not None:
                    todo.append((self.reaches.at(back, place), stack.parent))

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

    def _row(self, cell: Cell, budget: int) -> Row:
        if cell.row is None:
            cell.row, cell.slack = np.zeros(self.words, dtype=np.uint32), 0
            for reach, stack in self.parts(cell):
                row, dearest = self._whole(reach)
                cell.row |= row
                cell.slack = max(cell.slack, dearest + stack.cost)
        if budget > cell.slack:
            return cell.row
        tight = np.zeros(self.words, dtype=np.uint32)
        for reach, stack in self.parts(cell):
            affordable = self.class_costs(reach) < min(NEVER, budget - stack.cost)
            tight |= self.pack(reach.tokens[affordable[reach.which]])
        return tight

    def _whole(self, reach: Reach) -> tuple[Row, int]:
        """All tokens of a reach that can be finished at all, and the most that costs."""
        known = self._bits.get(id(reach))
        if known is None:
            costs = self.class_costs(reach)
            row = self.pack(reach.tokens[(costs < NEVER)[reach.which]])
            known = self._bits[id(reach)] = row, int(costs[costs < NEVER].max(initial=0))
        return known

    def pack(self, tokens: "Ints | Plan") -> Row:
        """Tokens as a row of bits."""
        ids = np.asarray(tokens, dtype=np.int64)
        row = np.zeros(self.words, dtype=np.uint32)
        np.bitwise_or.at(row, ids >> 5, np.uint32(1) << (ids & 31).astype(np.uint32))
        return row

    def _exact_row(self, cell: Cell, budget: int) -> Row:
        row = np.zeros(self.words, dtype=np.uint32)
        for reach, stack in self.parts(cell):
            costs = [self.cost(t.control, self.push(stack, t.pushed)) for t in reach.targets]
            affordable = np.array(costs, dtype=np.int64) < min(NEVER, budget)
            row |= self.pack(reach.tokens[affordable[reach.which]])
        return row

    def plan(self, cell: Cell) -> Plan:
        """The tokens of the finish whose price the cost of a configuration is."""
        if cell.plan is None:
            cost, state = self.costs.control(cell.control)
            tokens, stack = list(self.costs.plan(state)), cell.stack
            assert cost == len(tokens)
            while stack.frame is not None and stack.parent is not None:
                state = self.costs.back(stack.frame, self.net.states[state].owner)[1]
                tokens += self.costs.plan(state)
                stack = stack.parent
            cell.plan = tuple(tokens)
        return cell.plan

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
            for reach, stack in self.parts(cell):
                at = int(np.searchsorted(reach.tokens, token))
                if at < len(reach.tokens) and reach.tokens[at] == token:
                    target = reach.targets[reach.which[at]]
                    known = cell.next[token] = self.cell(target.control, self.push(stack, target.pushed))
                    break
        assert known is not None
        return known

    def read(self, cell: Cell, text: bytes) -> Cell | None:
        """The configuration after some bytes, whatever their tokens; None if no program goes on like that."""
        control, stack = cell.control, cell.stack
        for byte in text:
            moved = self.automaton.step(control, byte)
            while moved is None:
                if not control.ended or stack.frame is None or stack.parent is None:
                    return None
                back = self.automaton.after(stack.frame, control.ended)
                if back is None:
                    return None
                control, stack = back, stack.parent
                moved = self.automaton.step(control, byte)
            control, stack = moved[0], self.push(stack, moved[1])
        return self.cell(control, stack)
