"""A surface over a schema and a vocabulary, running: configurations of the automaton with their rows of tokens.

A configuration is a control state and a stack. Both are interned, so a fork is a copy of references, two sequences
in one place share everything, and whatever is learned about a configuration is learned once.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .automaton import Automaton, Control, Frame
from .costs import NEVER, Costs
from .exact import Exact, Table
from .net import Net
from .reach import Reach, Reaches
from .vocabulary import Vocabulary

Row = NDArray[np.uint32]
MAX_DEPTH = 44
"""Frames beyond which only the cheapest way to finish is open: the parser bounds nesting too."""


_MANY = 256


class Stack:
    """A stack, by its top frame. `cost[p]` is what finishing takes once procedure p returns to it."""

    __slots__ = ("children", "cost", "depth", "frame", "parent")

    def __init__(self, frame: Frame | None, parent: "Stack | None", cost: dict[int, int]) -> None:
        self.frame = frame
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.children: dict[int, Stack] = {}
        self.cost = cost


class Cell:
    """A configuration: what it allows, what that costs at most, where each token seen so far leads."""

    __slots__ = ("complete", "control", "cost", "next", "number", "parts", "plan", "row", "slack", "stack")

    def __init__(self, number: int, control: Control, stack: Stack, cost: int, complete: bool) -> None:
        self.number = number
        self.control = control
        self.stack = stack
        self.cost = cost
        self.complete = complete
        self.parts: list[tuple[Reach, Stack]] | None = None
        self.row: Row | None = None
        self.plan: int | None = None
        self.slack = NEVER
        self.next: dict[int, Cell | None] = {}


class Machine:
    """The running automaton of one network over one vocabulary."""

    def __init__(self, net: Net, root: int, vocabulary: Vocabulary, exact: bool = False) -> None:
        self.net = net
        self.vocabulary = vocabulary
        self.automaton = Automaton(net, root)
        self.reaches = Reaches(self.automaton, vocabulary.trie)
        self.costs = Costs(net, vocabulary)
        self.exact = Exact(self.reaches) if exact else None
        self._exact_memo: dict[tuple[int, frozenset[int], int, frozenset[int]], int] = {}
        self.words = (vocabulary.size + 31) // 32
        self._bits: dict[int, Row] = {}
        self._bounds: dict[int, dict[int, int]] = {}
        self._control_costs: dict[int, dict[int, int]] = {}
        self._frame_costs: dict[int, dict[tuple[int, int], int]] = {}
        self._index: dict[int, dict[int, int]] = {}
        self._target_costs: dict[tuple[int, int], dict[int, int]] = {}
        self._cells: dict[tuple[int, int], Cell] = {}
        self.cells: list[Cell] = []
        self._classes: dict[tuple[int, int], Row] = {}
        self._keep: list[Reach] = []
        self.bottom = Stack(None, None, {root: 0})
        self.start = self.cell(self.automaton.root, self.bottom)

    # ------------------------------------------------------------ configurations

    def push(self, stack: Stack, frames: tuple[Frame, ...]) -> Stack:
        """The stack with frames on top."""
        for frame in frames:
            child = stack.children.get(frame.number)
            if child is None:
                cost: dict[int, int] = {}
                for (returned, ended), spent in self._frame_cost(frame).items():
                    total = spent + stack.cost.get(ended, NEVER)
                    if total < cost.get(returned, NEVER):
                        cost[returned] = total
                child = stack.children[frame.number] = Stack(frame, stack, cost)
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

    def _control_cost(self, control: Control) -> dict[int, int]:
        known = self._control_costs.get(control.number)
        if known is None:
            known = self._control_costs[control.number] = self.costs.control(control)
        return known

    def _frame_cost(self, frame: Frame) -> dict[tuple[int, int], int]:
        known = self._frame_costs.get(frame.number)
        if known is None:
            known = self._frame_costs[frame.number] = self.costs.frame(frame)
        return known

    def cost(self, control: Control, stack: Stack) -> int:
        """Tokens with which a configuration can certainly be finished (the least, if budgets are exact)."""
        if self.exact is not None:
            return self._least(self.exact.table(control), stack)
        best = NEVER
        for owner, spent in self._control_cost(control).items():
            best = min(best, spent + stack.cost.get(owner, NEVER))
        return best

    def _least(self, table: Table, stack: Stack) -> int:
        """The least tokens that finish, given the ways to return to a stack."""
        assert self.exact is not None
        best = NEVER
        for (ended, node, taken), spent in table.items():
            if stack.frame is None or stack.parent is None:
                if node == 0:
                    best = min(best, spent)
                continue
            key = (id(stack), ended, node, taken)
            if key not in self._exact_memo:
                back = self.automaton.after(stack.frame, ended)
                ways = self.exact.table(back, node, taken) if back is not None else {}
                self._exact_memo[key] = self._least(ways, stack.parent)
            best = min(best, spent + self._exact_memo[key])
        return best

    def _target_cost(self, reach: Reach, i: int) -> dict[int, int]:
        """Tokens from a target to the end of each procedure the reach's own control state is in."""
        key = (id(reach), i)
        known = self._target_costs.get(key)
        if known is None:
            target = reach.targets[i]
            known = self._control_cost(target.control)
            for frame in reversed(target.pushed):
                outer: dict[int, int] = {}
                for (returned, ended), spent in self._frame_cost(frame).items():
                    total = spent + known.get(returned, NEVER)
                    if total < outer.get(ended, NEVER):
                        outer[ended] = total
                known = outer
            self._target_costs[key] = known
        return known

    def _bound(self, reach: Reach, stack: Stack) -> int:
        """No less than the cost of any target of a reach on a stack."""
        worst = self._bounds.get(id(reach))
        if worst is None:
            worst = {}
            costs = [self._target_cost(reach, i) for i in range(len(reach.targets))]
            for owner in {o for c in costs for o in c}:
                worst[owner] = max(c.get(owner, NEVER) for c in costs)
            self._bounds[id(reach)] = worst
        if not reach.targets:
            return 0
        return min((w + stack.cost.get(o, NEVER) for o, w in worst.items()), default=NEVER)

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
            for ended, node, taken in reach.rests:
                back = self.automaton.after(stack.frame, ended)
                if back is not None:
                    todo.append((self.reaches.at(back, node, taken), stack.parent))

    def bits(self, reach: Reach) -> Row:
        """The tokens of a reach as a row of bits."""
        known = self._bits.get(id(reach))
        if known is None:
            known = self._bits[id(reach)] = self._row([t for tokens in reach.tokens for t in tokens])
            self._keep.append(reach)
        return known

    def _row(self, tokens: Sequence[int]) -> Row:
        ids = np.array(tokens, dtype=np.int64)
        row = np.zeros(self.words, dtype=np.uint32)
        np.bitwise_or.at(row, ids >> 5, np.uint32(1) << (ids & 31).astype(np.uint32))
        return row

    def row(self, cell: Cell, budget: int) -> Row:
        """Tokens allowed with `budget` tokens left, as bits. Do not write to it."""
        if cell.row is None:
            self._fill(cell)
            assert cell.row is not None
            if self.exact is not None:
                cell.slack = NEVER
        return cell.row if budget > cell.slack else self._tight(cell, budget)

    def _fill(self, cell: Cell) -> None:
        row, slack = np.zeros(self.words, dtype=np.uint32), 0
        for reach, stack in self.parts(cell):
            row |= self.bits(reach)
            slack = max(slack, self._bound(reach, stack))
            if stack.depth + 8 > MAX_DEPTH:
                slack = NEVER
        cell.row, cell.slack = row, slack

    def _tight(self, cell: Cell, budget: int) -> Row:
        """The row with only what can be paid for, tokens counted one by one."""
        row = np.zeros(self.words, dtype=np.uint32)
        priced = [each for each in self._priced(cell) if each[0] < budget]
        shallow = [each for each in priced if each[1] <= MAX_DEPTH]
        if not shallow and priced:
            least = min(each[0] for each in priced)
            shallow = [each for each in priced if each[0] == least]
        few: list[int] = []
        for _, _, reach, i in shallow:
            if len(reach.tokens[i]) > _MANY:
                row |= self._class_bits(reach, i)
            else:
                few.extend(reach.tokens[i])
        if few:
            row |= self._row(few)
        if not shallow and not cell.complete and self.exact is None:
            self._plan(cell)
        if cell.plan is not None and cell.cost <= budget:
            row[cell.plan >> 5] |= np.uint32(1 << (cell.plan & 31))
        return row

    def _plan(self, cell: Cell) -> None:
        """Write down, along its way, the finish that a configuration's cost was worked out from: a shorter text may
        take more tokens, so that no single step need look cheaper than the whole."""
        if cell.plan is not None:
            return
        tokens: list[int] = []
        for text in self._finish(cell.control, cell.stack):
            tokens += self.vocabulary.spell(text)
        for i, token in enumerate(tokens):
            left = len(tokens) - i
            if cell.plan is None or left < cell.cost:
                cell.plan, cell.cost = token, min(cell.cost, left)
            after = self.advance(cell, token)
            assert after is not None
            cell = after
        cell.cost = 0

    def _finish(self, control: Control, stack: Stack) -> list[bytes]:
        """The texts whose tokens `cost` counts: the rest of the control state, then of each frame."""
        costs = self._control_cost(control)
        owner = min(costs, key=lambda o: costs[o] + stack.cost.get(o, NEVER))
        members = [n for n in control.members if self.net.states[n].owner == owner]
        texts = [self.costs.rest(min(members, key=self.costs.tokens)) or b""]
        while stack.frame is not None and stack.parent is not None:
            parent = stack.parent
            options = [
                (self.costs.tokens(target) + parent.cost.get(self.net.states[target].owner, NEVER), target)
                for returned, target in stack.frame.calls
                if returned == owner
            ]
            target = min(options)[1]
            texts.append(self.costs.rest(target) or b"")
            owner, stack = self.net.states[target].owner, parent
        return texts

    def _class_bits(self, reach: Reach, i: int) -> Row:
        key = (id(reach), i)
        known = self._classes.get(key)
        if known is None:
            known = self._classes[key] = self._row(reach.tokens[i])
            self._keep.append(reach)
        return known

    def _priced(self, cell: Cell) -> Iterator[tuple[int, int, Reach, int]]:
        for reach, stack in self.parts(cell):
            for i, target in enumerate(reach.targets):
                if self.exact is not None:
                    cost = self.cost(target.control, self.push(stack, target.pushed))
                    yield cost, stack.depth + len(target.pushed), reach, i
                    continue
                costs = self._target_cost(reach, i)
                cost = min((spent + stack.cost.get(o, NEVER) for o, spent in costs.items()), default=NEVER)
                yield cost, stack.depth + len(target.pushed), reach, i

    # ------------------------------------------------------------ steps

    def advance(self, cell: Cell, token: int) -> Cell | None:
        """The configuration after a token; None if it is not allowed."""
        if token in cell.next:
            return cell.next[token]
        found: Cell | None = None
        for reach, stack in self.parts(cell):
            at = self._where(reach).get(token)
            if at is not None:
                target = reach.targets[at]
                found = self.cell(target.control, self.push(stack, target.pushed))
                break
        cell.next[token] = found
        return found

    def _where(self, reach: Reach) -> dict[int, int]:
        known = self._index.get(id(reach))
        if known is None:
            known = {token: i for i, tokens in enumerate(reach.tokens) for token in tokens}
            self._index[id(reach)] = known
            self._keep.append(reach)
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


Build = Callable[[], tuple[Net, int]]
