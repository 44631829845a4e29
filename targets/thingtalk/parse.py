"""ThingTalk programs to syntax trees: recursive descent over the tokens of either syntax, depth bounded."""

from ...grammar.diagnostic import CompileError
from ...grammar.span import Span
from . import read_errors as errors
from .tokens import Tok, tokenize_normal, tokenize_tokens
from .tree import Annotations, Condition, Expression, Item, State, Value

MAX_DEPTH = 80

_AGGREGATES = frozenset(("count", "sum", "avg", "min", "max"))
_STREAMS = frozenset(("monitor", "timer", "attimer", "ontimer", "edge"))
_CALLED_OPERATORS = frozenset(
    ("contains", "contains~", "starts_with", "ends_with", "prefix_of", "suffix_of", "in_array", "in_array~")
)
_OPERATORS = frozenset(("==", ">=", "<=", "=~", "~=", ">", "<"))
_DEFINITIONS = frozenset(("class", "dataset", "function", "let", "abstract", "mixin", "import", "executor"))
_ARITHMETIC = ({"+": 1, "-": 1}, {"*": 2, "/": 2, "%": 2, "**": 3})


def parse_thingtalk(text: str, tokenized: bool = False) -> State:
    """A program or dialogue state. Raises CompileError (DLC221 to DLC225)."""
    return _Parser(tokenize_tokens(text) if tokenized else tokenize_normal(text)).state()


class _Parser:
    """One pass over the tokens; `mark` and `reset` where an open bracket can start two things."""

    def __init__(self, tokens: list[Tok]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0

    # ------------------------------------------------------------ tokens

    @property
    def token(self) -> Tok:
        return self.tokens[self.position]

    def next(self) -> Tok:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def at(self, text: str) -> bool:
        token = self.tokens[self.position]
        return token.text == text and token.kind in ("mark", "name")

    def ahead(self, offset: int) -> Tok:
        index = self.position + offset
        return self.tokens[index] if index < len(self.tokens) else self.tokens[-1]

    def take(self, text: str) -> bool:
        if self.at(text):
            self.position += 1
            return True
        return False

    def expect(self, text: str) -> Tok:
        if not self.at(text):
            raise self.error(f"`{text}`")
        return self.next()

    def error(self, expected: str) -> CompileError:
        token = self.token
        found = f"`{token.text}`" if token.kind != "end" else ""
        return CompileError(errors.unexpected(found, expected, Span(token.start, token.end)))

    def outside(self, what: str) -> CompileError:
        token = self.token
        return CompileError(errors.outside(what, Span(token.start, token.end)))

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            token = self.token
            raise CompileError(errors.too_deep(MAX_DEPTH, Span(token.start, token.end)))

    def name(self) -> str:
        if self.token.kind != "name":
            raise self.error("a name")
        return self.next().text

    # ------------------------------------------------------------ programs

    def state(self) -> State:
        act: str | None = None
        params: list[str] = []
        if self.at("$dialogue"):
            self.next()
            if self.token.kind != "function":
                raise self.error("a policy and its act")
            act = self.next().text.rpartition(".")[2]
            if self.take("("):
                while not self.at(")"):
                    params.append(self.name())
                    if not self.take(","):
                        break
                self.expect(")")
            self.expect(";")
        items: list[Item] = []
        while self.token.kind != "end":
            items.append(self.item())
        return State(act, tuple(params), tuple(items))

    def item(self) -> Item:
        token = self.token
        if (token.kind == "name" and token.text in _DEFINITIONS) or token.text in ("#[", "#_["):
            raise self.outside(f"a `{token.text}` definition")
        if token.kind == "name" and token.text.startswith("$") and token.text not in ("$dialogue",):
            raise self.outside("a control command")
        expression = self.chain()
        annotations = self.annotations()
        end = self.expect(";").end
        return Item(expression, annotations, token.start, end)

    def annotations(self) -> Annotations:
        found: list[tuple[str, Value]] = []
        while self.at("#[") or self.at("#_["):
            self.next()
            name = self.name()
            self.expect("=")
            found.append((name, self.value()))
            self.expect("]")
        return tuple(found)

    # ------------------------------------------------------------ expressions

    def chain(self) -> Expression:
        self.deeper()
        start = self.token.start
        links = [self.joined()]
        while self.take("=>"):
            links.append(self.joined())
        self.depth -= 1
        return links[0] if len(links) == 1 else Expression("chain", tuple(links), start)

    def joined(self) -> Expression:
        left = self.projected()
        while self.at("join"):
            start = self.next().start
            left = Expression("join", (left, self.projected()), start)
        return left

    def projected(self) -> Expression:
        if not self.at("["):
            return self.filtered()
        self.deeper()
        start = self.next().start
        items: list[tuple[Value, str | None]] = []
        while not self.at("]"):
            value = Value("var", "*", self.next().start) if self.at("*") else self.sum(0)
            label = self.name() if self.take("as") else None
            items.append((value, label))
            if not self.take(","):
                break
        self.expect("]")
        self.expect("of")
        inner = self.projected()
        self.depth -= 1
        return Expression("project", (tuple(items), inner), start)

    def filtered(self) -> Expression:
        expression = self.indexed()
        while self.at("filter") or self.at(","):
            start = self.next().start
            expression = Expression("filter", (expression, self.condition()), start)
        return expression

    def indexed(self) -> Expression:
        expression = self.primary()
        while True:
            start = self.token.start
            if self.take("["):
                values = [self.sum(0)]
                if self.take(":"):
                    expression = Expression("slice", (expression, values[0], self.sum(0)), start)
                else:
                    while self.take(","):
                        values.append(self.sum(0))
                    expression = Expression("index", (expression, tuple(values)), start)
                self.expect("]")
            elif self.take("as"):
                expression = Expression("alias", (expression, self.name()), start)
            else:
                return expression

    def primary(self) -> Expression:
        token = self.token
        if token.kind == "function":
            return self.call()
        if self.take("("):
            inner = self.chain()
            self.expect(")")
            return inner
        if token.kind == "name" and self.ahead(1).text == "(":
            if token.text == "sort":
                return self.sorted()
            if token.text in _AGGREGATES:
                return self.aggregate()
            if token.text in _STREAMS:
                raise self.outside(f"a `{token.text}` stream")
            raise self.outside(f"the user function `{token.text}`")
        raise self.error("a query or an action")

    def call(self) -> Expression:
        token = self.next()
        params: list[tuple[str, Value]] = []
        self.expect("(")
        while not self.at(")"):
            name = self.name()
            self.expect("=")
            params.append((name, self.sum(0)))
            if not self.take(","):
                break
        self.expect(")")
        if self.at(".") and self.ahead(1).kind == "name":
            raise self.outside("a device attribute")
        return Expression("call", (token.text, tuple(params)), token.start)

    def sorted(self) -> Expression:
        self.deeper()
        start = self.next().start
        self.expect("(")
        value = self.sum(0)
        direction = self.name()
        if direction not in ("asc", "desc"):
            raise self.error("`asc` or `desc`")
        self.expect("of")
        inner = self.chain()
        self.expect(")")
        self.depth -= 1
        return Expression("sort", (value, direction, inner), start)

    def aggregate(self) -> Expression:
        self.deeper()
        token = self.next()
        self.expect("(")
        mark = self.position
        field: str | None = None
        if self.token.kind == "name" and self.ahead(1).text == "of":
            field = self.name()
            self.next()
        elif self.at("*") and self.ahead(1).text == "of":
            self.position += 2
        else:
            self.position = mark
        inner = self.chain()
        self.expect(")")
        self.depth -= 1
        return Expression("aggregate", (token.text, field, inner), token.start)

    # ------------------------------------------------------------ conditions

    def condition(self) -> Condition:
        self.deeper()
        start = self.token.start
        parts = [self.conjunction()]
        while self.take("||"):
            parts.append(self.conjunction())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Condition("or", tuple(parts), start)

    def conjunction(self) -> Condition:
        start = self.token.start
        parts = [self.negation()]
        while self.take("&&"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else Condition("and", tuple(parts), start)

    def negation(self) -> Condition:
        start = self.token.start
        if self.take("!"):
            self.deeper()
            inner = self.negation()
            self.depth -= 1
            return Condition("not", inner, start)
        return self.atom()

    def atom(self) -> Condition:
        token = self.token
        if token.kind == "name" and self.ahead(1).text == "(":
            if token.text == "true":
                self.position += 2
                name = self.name()
                self.expect(")")
                return Condition("dontcare", name, token.start)
            if token.text == "any":
                self.position += 2
                inner = self.chain()
                self.expect(")")
                return Condition("any", inner, token.start)
            if token.text in _CALLED_OPERATORS:
                return self.called_operator()
        if token.text.startswith("~") and self.ahead(1).text == "(":
            return self.called_operator()
        if token.text == "(":
            return self.bracketed()
        left = self.sum(0)
        return self.compared(left, token.start)

    def bracketed(self) -> Condition:
        """A condition in brackets, or a comparison whose left side starts with one."""
        mark, depth = self.position, self.depth
        try:
            self.next()
            inner = self.condition()
            self.expect(")")
            if self.token.text not in _OPERATORS and self.token.text not in ("+", "-", "*", "/", "%"):
                return inner
        except CompileError as error:
            if error.diagnostics[0].code == "DLC224":
                raise
        self.position, self.depth = mark, depth
        return self.compared(self.sum(0), self.tokens[mark].start)

    def called_operator(self) -> Condition:
        token = self.next()
        self.expect("(")
        left = self.sum(0)
        self.expect(",")
        right = self.sum(0)
        self.expect(")")
        return Condition("atom", (left, token.text, right), token.start)

    def compared(self, left: Value, start: int) -> Condition:
        if self.token.text in _OPERATORS and self.token.kind == "mark":
            operator = self.next().text
            return Condition("atom", (left, operator, self.sum(0)), start)
        if left.kind == "boolean":
            return Condition("constant", left.payload, start)
        return Condition("value", left, start)

    # ------------------------------------------------------------ values

    def sum(self, level: int) -> Value:
        if level == len(_ARITHMETIC):
            return self.value()
        left = self.sum(level + 1)
        while self.token.kind == "mark" and self.token.text in _ARITHMETIC[level]:
            token = self.next()
            left = Value("computation", (token.text, (left, self.sum(level + 1))), token.start)
        return left

    def value(self) -> Value:
        token = self.next()
        start, text = token.start, token.text
        match token.kind:
            case "string":
                return self.entity(text, start) if self.token.kind == "entity" else Value("string", text, start)
            case "number":
                return self.number(text, start)
            case "placeholder":
                kind, _, index = text.rpartition("_")
                return Value("placeholder", (kind, int(index)), start)
            case "context":
                return Value("undefined" if text == "$?" else "context", text, start)
            case "name":
                return self.named(text, start)
        if text == "[":
            return self.array(start)
        if text == "{":
            return self.record(start)
        if text == "(":
            self.deeper()
            inner = self.sum(0)
            self.expect(")")
            self.depth -= 1
            return inner
        if text == "-":
            inner = self.value()
            if inner.kind == "number":
                return Value("number", f"-{inner.payload}", start)
            return Value("computation", ("-", (Value("number", "0", start), inner)), start)
        self.position -= 1
        raise self.error("a value")

    def number(self, text: str, start: int) -> Value:
        end = len(text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$"))
        if end < len(text) and text[end] in "eE" and text[end + 1 : end + 2].isdigit():
            end = len(text)
        amount, unit = text[:end], text[end:]
        if not unit:
            after = self.token
            if (after.kind == "name" and after.text.startswith("$") and len(after.text) == 4) or (
                after.kind == "name" and after.text in _UNITS and after.start > start
            ):
                unit = self.next().text
            else:
                return Value("number", text, start)
        if unit.startswith("$"):
            return Value("currency", (amount, unit[1:]), start)
        return Value("measure", (amount, unit), start)

    def entity(self, identifier: str | None, start: int) -> Value:
        type_ = self.next().text[2:]
        display: str | None = None
        if self.at("(") and self.ahead(1).kind == "string":
            self.next()
            display = self.next().text
            self.expect(")")
        return Value("entity", (identifier, type_, display), start)

    def named(self, text: str, start: int) -> Value:
        if text == "enum":
            return Value("enum", self.name(), start)
        if text in ("true", "false") and not self.at("("):
            return Value("boolean", text, start)
        if text == "null" and self.token.kind == "entity":
            return self.entity(None, start)
        if text == "new":
            return self.made(start)
        if text == "any" and self.at("("):
            self.next()
            inner = self.chain()
            self.expect(")")
            return Value("any", inner, start)
        if text == "$now":
            return Value("now", (), start)
        if text.startswith("$") and self.take("."):
            return Value("context", f"{text}.{self.name()}", start)
        if self.at("(") and (text in _FUNCTIONS or text.startswith("$")):
            return Value("computation", (text, self.arguments()), start)
        while self.at(".") and self.ahead(1).kind == "name":
            self.next()
            text += "." + self.name()
        return Value("var", text, start)

    def arguments(self) -> tuple[Value, ...]:
        self.deeper()
        self.expect("(")
        values: list[Value] = []
        while not self.at(")"):
            values.append(self.sum(0))
            if not self.take(","):
                break
        self.expect(")")
        self.depth -= 1
        return tuple(values)

    def made(self, start: int) -> Value:
        what = self.name()
        if what == "Date" and not self.at("("):
            return Value("date", (), start)
        self.expect("(")
        parts: list[Value | None] = []
        while not self.at(")"):
            parts.append(None if self.at(",") else self.sum(0))
            if not self.take(","):
                break
        self.expect(")")
        return Value(what.lower(), tuple(parts), start)

    def array(self, start: int) -> Value:
        self.deeper()
        values: list[Value] = []
        while not self.at("]"):
            values.append(self.sum(0))
            if not self.take(","):
                break
        self.expect("]")
        self.depth -= 1
        return Value("array", tuple(values), start)

    def record(self, start: int) -> Value:
        self.deeper()
        fields: list[tuple[str, Value]] = []
        while not self.at("}"):
            name = self.name() if self.token.kind == "name" else self.next().text
            while self.take("."):
                name += "." + self.name()
            self.expect("=")
            fields.append((name, self.sum(0)))
            if not self.take(","):
                break
        self.expect("}")
        self.depth -= 1
        return Value("object", tuple(fields), start)


_UNITS = frozenset(
    (
        "ms",
        "s",
        "min",
        "h",
        "day",
        "week",
        "mon",
        "year",
        "kg",
        "g",
        "lb",
        "oz",
        "m",
        "km",
        "mm",
        "cm",
        "in",
        "ft",
        "mi",
    )
    + ("C", "F", "K", "mps", "kmph", "mph", "byte", "KB", "MB", "GB", "TB", "bpm", "kcal", "Pa", "bar")
)
_FUNCTIONS = frozenset(("distance", "set_time", "min", "max", "sum", "avg", "count"))
