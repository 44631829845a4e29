"""A ThingTalk text as a reader is given it: parsed whole, or cut into its statements."""

from ...compiler.node import node
from ...grammar.diagnostic import CompileError
from ...grammar.span import Span
from . import ast, values
from . import read_errors as errors
from .declarations import ExpressionStatement, Program
from .lexer import ThingTalkSyntaxError, token_span
from .programs import parse


@node
class Source:
    """A text as it is parsed. `skipped` characters were put before what the reader was given."""

    text: str
    tokenized: bool
    skipped: int = 0

    def span(self, at: int) -> Span:
        """The characters of a token, by its number."""
        return self.characters(*token_span(self.text, at, self.tokenized))

    def characters(self, start: int, end: int) -> Span:
        """Characters of the parsed text as the reader was given them."""
        start = max(0, start - self.skipped)
        return Span(start, max(start, end - self.skipped))


def parsed(source: Source) -> tuple[str | None, tuple[str, ...], tuple[ast.Item, ...]]:
    """Act, its parameters and items of a text, by the parser of the whole language. Raises CompileError."""
    try:
        made = parse(source.text, source.tokenized)
    except ThingTalkSyntaxError as error:
        raise CompileError(errors.no_thingtalk(error.message, source.characters(error.offset, error.end))) from None
    if isinstance(made, ast.DialogueState):
        fields = [p for p in made.params or () if isinstance(p, values.VarRef)]
        if len(fields) < len(made.params or ()):
            raise CompileError(errors.outside("an act about something that is no field", source.span(0)))
        return made.act, tuple(p.name for p in fields), made.items
    found = made.statements if isinstance(made, Program) else (made,)
    items = []
    for statement in found:
        if not isinstance(statement, ExpressionStatement):
            raise CompileError(errors.outside(f"a {type(statement).__name__.lower()}", source.span(0)))
        items.append(ast.Item(statement.expression))
    return None, (), tuple(items)


def statements(text: str) -> list[str]:
    """The statements of a tokenized program, cut at each `;` that stands outside a string. Raises CompileError."""
    stripped = text.rstrip()
    if not stripped.endswith(";"):
        raise CompileError(errors.no_thingtalk("the program ends without `;`", Span(len(stripped), len(text))))
    pieces = stripped.lstrip().removesuffix(" ;").split(" ; ")
    if '"' not in text:
        return pieces
    parts: list[str] = []
    for piece in pieces:
        if parts and f" {parts[-1]} ".count(' " ') % 2:
            parts[-1] += " ; " + piece
        else:
            parts.append(piece)
    return parts
