"""Fully typed programs without what inference restores: the untyped form, as the data have it."""

from ...compiler.schema import fact
from .judge import Judge
from .names import leading
from .program import Arg, Ascribed, Call, Expr, Let


def untyped(program: Expr, judge: Judge) -> Expr:
    """The program without ascriptions; arguments by position as far as their signatures say; type arguments only
    where untyped Lispress writes them. Calls without a signature keep their labels and type arguments."""
    match program:
        case Ascribed(_, inner):
            return untyped(inner, judge)
        case Let(bindings, body):
            plain = tuple([(name, untyped(value, judge)) for name, value in bindings])
            return Let(plain, tuple([untyped(each, judge) for each in body]))
        case Call(head, args, type_args):
            return Call(head, _args(head, args, judge), type_args if _writes_types(head, judge) else None)
    return program


def _writes_types(head: str, judge: Judge) -> bool:
    function = judge.function(head)
    return function is None or fact(function.facts, "targs") is not None


def _args(head: str, args: tuple[Arg, ...], judge: Judge) -> tuple[Arg, ...]:
    function = judge.function(head)
    values = [Arg(a.name, None if a.value is None else untyped(a.value, judge)) for a in args]
    if function is None:
        return tuple(values)
    made: list[Arg] = []
    for i, arg in enumerate(values):
        follows = i < len(function.params) and function.params[i].name == arg.name
        follows = follows and all(a.name is None for a in made) and i < leading(function)
        made.append(Arg(None, arg.value) if follows else arg)
    return tuple(made)
