"""The syntax tree: one node type, named after the rules of dl.lark."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from .lexer import Token
from .span import Span


@dataclass(frozen=True, slots=True)
class Node:
    """A visible rule of dl.lark with its kept tokens and child nodes, and where it stands."""

    rule: str
    children: "tuple[Tree, ...]"
    start: int = 0
    end: int = 0

    @property
    def span(self) -> Span:
        """The characters this node was read from (0..0 for a node that was built)."""
        return Span(self.start, self.end)

    def walk(self) -> "Iterator[Node]":
        """This node and all below it, parents first."""
        todo: list[Node] = [self]
        while todo:
            node = todo.pop()
            yield node
            todo.extend(child for child in reversed(node.children) if isinstance(child, Node))


Tree: TypeAlias = Node | Token


def token(kind: str, text: str) -> Token:
    """A token that was built, not read."""
    return Token(kind, text, 0, 0)


def same_shape(left: Tree, right: Tree) -> bool:
    """Whether two trees are equal but for places."""
    todo = [(left, right)]
    while todo:
        a, b = todo.pop()
        if isinstance(a, Node) and isinstance(b, Node):
            if a.rule != b.rule or len(a.children) != len(b.children):
                return False
            todo.extend(zip(a.children, b.children, strict=True))
        elif isinstance(a, Token) and isinstance(b, Token):
            if a.kind != b.kind or a.text != b.text:
                return False
        else:
            return False
    return True
