"""Random ThingTalk trees: all that the syntax can write, well typed or not.

`tree_strategies(placeholders)` builds them; with placeholders they are for the tokenized syntax only.
"""

from functools import cache
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from dlc.targets.thingtalk import ast, declarations, values
from dlc.targets.thingtalk.parse_filters import CALLED, INFIX
from dlc.targets.thingtalk.parser import PRECEDENCE

# Words with a meaning elsewhere are names too: `asc`, `count`, `contains`, ...
NAMES = (
    "area",
    "stars",
    "_x1",
    "camelCase",
    "asc",
    "error",
    "count",
    "min",
    "contains",
    "query",
    "results",
    "in_array",
)
names = st.sampled_from(NAMES)
plain_names = st.sampled_from(("area", "stars", "_x1", "timer", "query", "list"))
paths = st.lists(names, min_size=1, max_size=3).map(".".join)
members = st.sampled_from(("north", "guest_house", "on", "filter", "true", "Date", "asc", "_2"))
classes = st.sampled_from(("org.example", "org.example.cinema", "light-bulb", "a", "org.ex-am_ple.K2"))
entity_types = st.sampled_from(("tt:url", "org.example:Film", "org.ex-ample.x:_y2"))
units = st.sampled_from(("kg", "min", "in", "C", "byte", "h"))
codes = st.sampled_from(("usd", "gbp", "EUR"))
infix = st.sampled_from(sorted(INFIX))
called = st.sampled_from(sorted(CALLED))
texts = st.one_of(
    st.sampled_from(
        ("", " ", "cat", "two words", "  edges  ", 'say "hi"', "a\\b", "l1\nl2", "ünï ☂", "'", "// no", ";")
    ),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
)
numbers: st.SearchStrategy[int | float] = st.one_of(
    st.integers(-20, 20),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False, allow_infinity=False),
)


def _tuples(of: Any, least: int = 0, most: int = 3) -> Any:
    return st.lists(of, min_size=least, max_size=most).map(tuple)


def _placeholder(prefix: str) -> Any:
    return st.integers(0, 12).map(lambda i: values.Placeholder(f"{prefix}_{i}"))


@cache
def tree_strategies(placeholders: bool) -> SimpleNamespace:
    """Strategies by name: value, filter, expression, dialogue, program, input, type, class_."""
    num = numbers
    text: Any = texts
    time: Any = st.builds(values.Time, num, num, num)
    constants: list[Any] = []
    if placeholders:
        number_held = st.builds(values.Placeholder, st.sampled_from(("NUMBER_0", "NUMBER_3")), st.booleans())
        num, text = st.one_of(numbers, number_held), st.one_of(texts, _placeholder("QUOTED_STRING"))
        time = st.one_of(st.builds(values.Time, num, num, num), _placeholder("TIME"))
        kinds = ("QUOTED_STRING", "CURRENCY", "DURATION", "DATE", "LOCATION", "URL", "SLOT", "PICTURE", "MEASURE_kg")
        constants = [
            number_held,
            *map(_placeholder, (*kinds, "GENERIC_ENTITY_tt:iso_lang_code", "GENERIC_ENTITY_a.b:c_1")),
        ]

    value: Any = st.deferred(lambda: any_value)
    filter_: Any = st.deferred(lambda: any_filter)
    expression: Any = st.deferred(lambda: any_expression)
    type_: Any = st.deferred(lambda: any_type)

    annotation = st.builds(values.Annotation, plain_names, value, st.booleans())
    annotations = _tuples(annotation, most=2)
    field = st.builds(values.Argument, names, type_, st.none(), annotations)
    any_type = st.one_of(
        st.sampled_from([values.SimpleType(n) for n in ("Number", "String", "Date", "ArgMap", "film")]),
        st.builds(values.EntityType, entity_types),
        st.builds(values.EnumType, _tuples(members, 1)),
        st.builds(values.MeasureType, units),
        st.builds(values.ArrayType, type_),
        st.builds(values.CompoundType, _tuples(field, 1, 2)),
    )

    parts = st.one_of(
        st.tuples(_tuples(st.none() | num, 1, 3), st.none() | time),
        st.tuples(_tuples(st.none() | num, 5, 6), st.none()),
    ).filter(lambda made: any(part is not None for part in made[0]))
    date = st.one_of(st.builds(values.IsoDate, text), st.builds(values.DateEdge, st.just("end_of"), units))
    rule = st.fixed_dictionaries(
        {"beginTime": time},
        optional={
            "endTime": time,
            "interval": st.builds(values.Measure, num, units),
            "frequency": st.builds(values.Number, numbers.filter(lambda n: n >= 0)),
            "dayOfWeek": st.builds(values.Enum, members),
            "subtract": st.builds(values.Boolean, st.booleans()),
            "beginDate": date,
        },
    ).map(lambda made: tuple(made.items()))
    constant = st.one_of(
        *constants,
        st.builds(values.Boolean, st.booleans()),
        st.builds(values.Number, numbers),
        st.builds(values.String, texts),
        st.builds(values.Enum, members),
        st.builds(values.Entity, text, entity_types, st.none() | text),
        st.builds(values.Entity, st.none(), entity_types, text),
        st.builds(values.Entity, classes, st.just("tt:device")),
        st.builds(values.Measure, num, units),
        st.builds(values.Currency, num, codes),
        time,
        st.builds(values.RelativeTime, names),
        st.builds(values.Location, num, num, st.none() | text),
        st.builds(values.NamedLocation, text),
        st.builds(values.RelativeLocation, names),
        st.just(values.Now()),
        st.builds(values.IsoDate, text),
        parts.map(lambda made: values.DateParts(*made)),
        st.builds(values.WeekDay, members, st.none() | time),
        st.builds(values.DateEdge, st.sampled_from(("start_of", "end_of")), units),
        st.builds(values.RecurrentTime, _tuples(rule, 1, 2)),
        st.builds(values.ArgMap, _tuples(st.tuples(names, type_), most=2)),
        st.just(values.Undefined()),
    )
    # A truth value is no operand, and begins no comparison: the grammar has it as a filter there.
    operand = value.filter(lambda v: not isinstance(v, values.Boolean))
    any_value = st.one_of(
        constant,
        st.builds(values.VarRef, paths),
        st.builds(values.Event, st.sampled_from((None, "type", "program_id", "source"))),
        st.builds(values.ContextRef, paths, type_),
        st.builds(values.Array, _tuples(value)),
        st.builds(values.Object, _tuples(st.tuples(paths, value))),
        st.builds(values.Computation, st.sampled_from(sorted(PRECEDENCE)), st.tuples(operand, operand)),
        st.builds(values.Computation, st.sampled_from(("distance", "set_time", "count", "max")), _tuples(value, 1)),
        st.builds(values.ArrayField, paths, operand),
        st.builds(values.FilterValue, operand, filter_),
    )
    computed = operand.filter(lambda v: not isinstance(v, values.VarRef))
    any_filter = st.one_of(
        st.builds(ast.Truth, st.booleans()),
        st.builds(ast.And, _tuples(filter_, 2)),
        st.builds(ast.Or, _tuples(filter_, 2)),
        st.builds(ast.Not, filter_),
        st.builds(ast.Atom, paths, infix | called, value),
        st.builds(ast.Compute, computed, infix | called, value),
        st.builds(ast.DontCare, paths),
        st.builds(ast.ComparisonSubquery, operand, infix | called, expression),
        st.builds(ast.Existential, expression),
    )
    params = _tuples(st.builds(ast.InputParam, names | st.just("all"), value))
    projected = operand | st.builds(ast.Aliased, operand, names)
    star = _tuples(projected, 0, 2).map(lambda made: (values.VarRef("*"), *made))
    any_expression = st.one_of(
        st.builds(ast.Invocation, classes, names, params, st.none() | params),
        st.builds(ast.FunctionCall, plain_names, params),
        st.builds(ast.FilterExpression, expression, filter_),
        st.builds(ast.Projection, _tuples(projected, 1) | star, expression),
        st.builds(ast.BooleanQuestion, filter_, expression),
        st.builds(ast.Sort, value, st.sampled_from(("asc", "desc")), expression),
        st.builds(ast.Index, expression, _tuples(value, 1)),
        st.builds(ast.Slice, expression, value, value),
        st.builds(ast.Aggregation, st.sampled_from(("min", "max", "sum", "avg", "count")), paths, expression),
        st.builds(ast.Aggregation, st.just("count"), st.just("*"), expression),
        st.builds(ast.Alias, expression, names),
        st.builds(ast.Join, expression, expression),
        st.builds(ast.Chain, _tuples(expression, 2)),
        st.builds(ast.Monitor, expression, st.none() | _tuples(paths, 1)),
    )

    row = st.builds(values.Object, _tuples(st.tuples(paths, value)))
    results = st.builds(ast.Results, _tuples(row, most=2), st.none() | value, st.booleans(), st.none() | value)
    item = st.one_of(
        st.builds(ast.Item, expression),
        st.builds(ast.Item, expression, st.sampled_from(("accepted", "proposed", "confirmed")), st.none(), annotations),
        st.builds(ast.Item, expression, st.just("confirmed"), results, annotations),
    )
    dialogue = st.builds(ast.DialogueState, classes, names, st.none() | _tuples(value, 1), _tuples(item), annotations)
    statement: Any = st.deferred(lambda: any_statement)
    any_statement = st.one_of(
        st.builds(declarations.ExpressionStatement, expression),
        st.builds(declarations.Let, names, expression),
        st.builds(
            declarations.FunctionDeclaration,
            st.sampled_from(("area", "run", "error")),
            _tuples(st.tuples(names, type_), most=2),
            _tuples(statement | st.builds(declarations.Return, expression), 1, 2),
            annotations,
        ),
    )
    argument = st.builds(values.Argument, names, type_, st.sampled_from(("in req", "in opt", "out")), annotations)
    member = st.one_of(
        st.builds(declarations.Import, _tuples(names, 1, 2), classes, params),
        st.builds(declarations.EntityDef, names, _tuples(names | entity_types, most=2), annotations),
        st.builds(
            declarations.FunctionDef,
            st.just("query"),
            names,
            _tuples(argument),
            _tuples(names, most=2),
            st.booleans(),
            st.booleans(),
            annotations,
        ),
        st.builds(declarations.FunctionDef, st.just("action"), names, _tuples(argument), is_list=st.booleans()),
    )
    class_ = st.builds(
        declarations.ClassDef, classes, _tuples(member), _tuples(classes, most=2), annotations, st.booleans()
    )
    utterances = st.builds(
        values.Annotation,
        st.sampled_from(("utterances", "preprocessed")),
        st.builds(values.Array, _tuples(st.builds(values.String, texts))),
        st.just(True),
    )
    example = st.builds(
        declarations.Example,
        st.sampled_from(("stream", "query", "action", "program")),
        _tuples(st.tuples(names, type_), most=2),
        expression,
        _tuples(utterances, most=1),
    )
    dataset = st.builds(declarations.Dataset, classes, _tuples(example), st.none() | texts, annotations)
    program = st.one_of(
        st.builds(declarations.Program, _tuples(any_statement | class_, 1), annotations),
        st.builds(declarations.Program, _tuples(dataset | class_, 1, 2), annotations),
    )
    policy_function = st.one_of(
        st.just(declarations.PolicyFunction(None, None)),
        st.builds(declarations.PolicyFunction, classes, st.none()),
        st.builds(declarations.PolicyFunction, classes, names, st.none() | filter_),
    )
    policy = st.builds(declarations.Policy, filter_, policy_function, policy_function | st.none()) | st.builds(
        declarations.Policy, filter_, st.none(), policy_function
    )
    control = st.one_of(
        st.builds(declarations.Control, st.sampled_from(("yes", "no", "stop", "nevermind", "help", "wakeup"))),
        st.builds(declarations.Control, st.just("choice"), st.builds(values.Number, st.integers(0, 99))),
        st.builds(declarations.Control, st.just("answer"), value),
    )
    return SimpleNamespace(
        value=any_value,
        filter=any_filter,
        expression=any_expression,
        dialogue=dialogue,
        program=program,
        class_=class_,
        type=any_type,
        input=st.one_of(dialogue, program, policy, control),
    )
