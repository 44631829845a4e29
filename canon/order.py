"""One total order of terms, by structure: what canonical forms sort by."""

from functools import lru_cache

from ..compiler.terms import Abs, App, Apply, Ascribe, Entity, Field, Hole, Lit, Record, Term, Var
from ..compiler.types import Type, show


@lru_cache(maxsize=65536)
def condition_key(term: Term) -> str:
    """Conditions by their first subject, then by the test."""
    if isinstance(term, App) and term.args:
        if term.fn in ("and", "or", "not"):
            return f"{condition_key(term.args[0])} {term_key(term)}"
        if isinstance(term.args[0], Field):
            return f"{term_key(term.args[0])} {term_key(term)}"
    return f"~{term_key(term)}"


@lru_cache(maxsize=65536)
def term_key(term: Term) -> str:
    """A text that is different for different terms. Fields sort by name first, whatever their binder."""
    match term:
        case Field(subject, name):
            return f"{term_key(subject)}.{name}" if isinstance(subject, Field) else f".{name}<{term_key(subject)}"
        case Lit(kind, value):
            return repr(value) if kind == "text" else f"{kind} {value}"
        case Var(name):
            return f"${name}"
        case App(fn, args, named, targs):
            inner = [term_key(a) for a in args] + [f"{label}:{term_key(v)}" for label, v in named]
            types = f"[{','.join(_shown(t) for t in targs)}]" if targs else ""
            return f"{fn}{types}({' '.join(inner)})" if inner else fn + types
        case Hole(index, type_):
            return f"${index:04d}{_typed(type_)}"
        case Entity(text, identifier, type_):
            return f"@{text!r}#{identifier!r}{_typed(type_)}"
        case Abs(kind, params, body):
            return f"\\{kind} {' '.join(params)}.{term_key(body)}"
        case Apply(fn_, args):
            return f"({term_key(fn_)} {' '.join(term_key(a) for a in args)})"
        case Record(fields):
            return "{" + " ".join(f"{label}:{term_key(v)}" for label, v in fields) + "}"
        case Ascribe(inner_, type_):
            return f"({term_key(inner_)}:{_shown(type_)})"
    raise TypeError(term)


def _shown(type_: Type) -> str:
    return show(type_)


def _typed(type_: Type | None) -> str:
    return "" if type_ is None else f"[{show(type_)}]"
