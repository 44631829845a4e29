"""Programs to S-expressions, term by term, exactly as they are (`canonical` knows the standard form)."""

from .program import Arg, Ascribed, Atom, Call, Expr, Lambda, Let, Name, Opaque, Tagged, TypeExpr, Var
from .reader import is_literal, is_long
from .sexp import META, VALUE, LispressError, Sexp, symbol, write


def write_program(expr: Expr) -> str:
    """Write on one line. Raises `LispressError` for what no text can say (an empty name, bottomless nesting)."""
    return write(sexp_of(expr))


def sexp_of(expr: Expr) -> Sexp:
    """The expression that spells a program; inverse of `reader.program_of`."""
    try:
        return _sexp(expr)
    except RecursionError:
        raise LispressError("nested too deep to write") from None


def _sexp(expr: Expr) -> Sexp:
    match expr:
        case Call(head, args, type_args):
            name: Sexp = _escaped(head) if head in ("let", "lambda") else symbol(head)
            if type_args is not None:
                name = (META, tuple([type_sexp(each) for each in type_args]), name)
            items = [name]
            for arg in args:
                _append(items, arg)
            return tuple(items)
        case Atom(_, text):
            return text
        case Name(name):
            return _escaped(name) if is_literal(name) or name.startswith(":") else symbol(name)
        case Var(name):
            return _escaped(name) if is_long(name) or name.startswith(":") else symbol(name)
        case Ascribed(given, inner):
            return (META, type_sexp(given), _sexp(inner))
        case Tagged(schema, values):
            return (VALUE, (symbol(schema), *values))
        case Let(bindings, body):
            pairs: list[Sexp] = []
            for bound, value in bindings:
                pairs += (symbol(bound), _sexp(value))
            return ("let", tuple(pairs), *[_sexp(each) for each in body])
        case Lambda(bound, given, inner):
            param: Sexp = symbol(bound)
            return ("lambda", (param if given is None else (META, type_sexp(given), param),), _sexp(inner))
        case Opaque(sexp):
            return sexp
        case _:
            return ()


def _escaped(name: str) -> str:
    """Spell a name that would otherwise be read as a keyword or a literal: a backslash makes it a plain symbol."""
    spelled = symbol(name)
    return spelled if spelled.startswith("\\") else "\\" + spelled


def _append(items: list[Sexp], arg: Arg) -> None:
    if arg.name is not None:
        items.append(":" + (symbol(arg.name) if arg.name else ""))
    if arg.value is not None:
        items.append(_sexp(arg.value))


def type_sexp(type_: TypeExpr) -> Sexp:
    """The expression that spells a type."""
    if type_.args is None:
        return symbol(type_.name)
    return (symbol(type_.name), *[type_sexp(each) for each in type_.args])
