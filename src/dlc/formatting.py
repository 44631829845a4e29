"""`dlc fmt`: DL files in their printed form. Comments and single blank lines between items stay."""

from dataclasses import dataclass
from typing import cast

from dlc.grammar.diagnostic import CompileError, Place
from dlc.grammar.errors import too_deep
from dlc.grammar.lexer import comments
from dlc.grammar.parser import parse
from dlc.grammar.printer import join, print_tree, tokens_of
from dlc.grammar.span import Span
from dlc.grammar.syntax import Node

MAX_WIDTH = 120
_SCHEMA_WORDS = ("schema", "open", "ordered", "enum", "entity", "wrapper", "table", "action", "fun", "field", "act")


@dataclass(frozen=True, slots=True)
class _Item:
    """A turn or declaration of a file: where it stands and how it is printed."""

    span: Span
    text: str


def format_text(text: str, file: str | None = None) -> str:
    """The text of a program or schema file as `fmt` prints it. Raises CompileError with places in the text."""
    try:
        items = _schema_items(text) if is_schema(text) else _program_items(text)
    except RecursionError:
        raise CompileError(too_deep(Span(0, len(text))).at(Place(file), text)) from None
    except CompileError as error:
        raise CompileError(*(d.at(Place(file), text) for d in error.diagnostics)) from error
    return _assemble(text, items)


def is_schema(text: str) -> bool:
    """Whether a file declares things, going by its first word."""
    start = 0
    for comment in comments(text):
        if text[start : comment.start].strip():
            break
        start = comment.end
    words = text[start:].split(maxsplit=1)
    return bool(words) and words[0] in _SCHEMA_WORDS


def _program_items(text: str) -> list[_Item]:
    from dlc.compiler.lower import lower_turn
    from dlc.compiler.sugar import print_turn

    turns = cast("tuple[Node, ...]", parse(text).children)
    return [_Item(node.span, print_turn(lower_turn(node)[0])) for node in turns]


def _schema_items(text: str) -> list[_Item]:
    declarations = cast("tuple[Node, ...]", parse(text, "schema").children)
    return [_Item(node.span, _declaration(node)) for node in declarations]


def _declaration(node: Node) -> str:
    """One line; a table that is too long for one has a column a line."""
    printed = print_tree(Node("schema", (node,))).strip()
    if len(printed) <= MAX_WIDTH or node.rule != "table":
        return printed
    columns = [c for c in node.children if isinstance(c, Node) and c.rule == "column"]
    facts = [c for c in node.children if isinstance(c, Node) and c.rule == "fact"]
    inner = ",\n".join("  " + join(tokens_of(column)) for column in columns)
    tail = "".join(" " + join(tokens_of(fact)) for fact in facts)
    return f"table {join(tokens_of(node.children[0]))} {{\n{inner}\n}}{tail}"


def _assemble(text: str, items: list[_Item]) -> str:
    """Items with their comments: one beside an item's end stays there, any other comes before the next item."""
    notes = list(comments(text))
    lines: list[str] = []
    end, last = 0, 0
    for item in items:
        while notes and notes[0].start < item.span.end:
            note = notes.pop(0)
            beside = bool(lines) and note.start < item.span.start and "\n" not in text[last : note.start]
            end = _put(lines, text, end, note, beside)
        _blank(lines, text[end : item.span.start] if end <= item.span.start else "")
        lines.append(item.text)
        end = last = item.span.end
    for note in notes:
        end = _put(lines, text, end, note, bool(items) and "\n" not in text[last : note.start])
    return "".join(line + "\n" for line in lines)


def _put(lines: list[str], text: str, end: int, note: Span, beside: bool) -> int:
    comment = text[note.start : note.end].rstrip()
    if beside:
        lines[-1] += "  " + comment
    else:
        _blank(lines, text[end : note.start] if end <= note.start else "")
        lines.append(comment)
    return max(end, note.end)


def _blank(lines: list[str], between: str) -> None:
    if lines and between.count("\n") > 1:
        lines.append("")
