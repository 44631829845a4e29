"""Typing a call against its signature, and a bare name against everything it may be."""

from typing import TYPE_CHECKING

from . import errors
from .schema import Function, Parameter
from .terms import App, Lit, Term, with_args
from .types import DYNAMIC, UNIT, Con, Constraint, RecordType, Row, Type, TypeVar, resolve, show, substitute

if TYPE_CHECKING:
    from .infer import Env, Inference, Path, Typed


def infer_call(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    """`f(...)`, a table's name, or an enum member."""
    function = inference.schema.function.get(term.fn)
    bare = not term.args and not term.named and not term.targs
    if function is None:
        if bare and term.fn in inference.schema.table and term.fn not in inference.schema.enums_of_member:
            return Con("Rel", (Row(((term.fn, Con(term.fn)),)),)), term
        if bare:
            return _name(inference, term, path), term
        return _unknown_function(inference, term, env, path)
    if bare and term.fn in inference.schema.enums_of_member and not function.positional:
        return _member_or_function(inference, term, function, path), term
    return _apply_signature(inference, term, function, env, path)


def _name(inference: "Inference", term: App, path: "Path") -> Type:
    """A name that no function has: an enum member of the type expected, a table, or unknown."""
    name = term.fn
    variable = inference.solver.fresh(Constraint("member", name, path=path))
    is_table = name in inference.schema.table
    if is_table:
        variable.constraints.clear()

    def decide(final: bool) -> bool:
        known = resolve(variable)
        if not isinstance(known, TypeVar):
            if is_table and not (isinstance(known, Con) and known.name in inference.schema.enum):
                row = Con("Rel", (Row(((name, Con(name)),)),))
                inference.unify(
                    row, known, path, lambda f, e: errors.mismatch(show(f), show(e), f"a table, not {show(e)}")
                )
            return True
        if not final:
            return False
        known.constraints[:] = [c for c in known.constraints if c.kind != "member"]
        owners = inference.schema.enums_of_member.get(name, ())
        if is_table or len(owners) == 1:
            found = Con("Rel", (Row(((name, Con(name)),)),)) if is_table else Con(owners[0].name)
            inference.unify(known, found, path, lambda f, e: errors.mismatch(show(f), show(e), show(e)))
        elif owners:
            inference.report(errors.ambiguous(f"which `{name}` is meant", [e.name for e in owners]), path)
        else:
            inference.report(errors.unknown_name(name, inference.names_in_scope()), path)
        return True

    inference.solver.deferred.append(decide)
    return variable


def _member_or_function(inference: "Inference", term: App, function: Function, path: "Path") -> Type:
    """A name that is both: an enum member where such an enum is expected, else the function."""
    variable = inference.solver.fresh()

    def decide(final: bool) -> bool:
        known = resolve(variable)
        if isinstance(known, TypeVar) and not final:
            return False
        enum = inference.schema.enum.get(known.name) if isinstance(known, Con) else None
        if enum is None or term.fn not in enum.names:
            binding = inference.solver.instantiate(function.tparams, {}, path)
            result = substitute(function.result, binding)
            inference.unify(
                result,
                known,
                path,
                lambda f, e: errors.mismatch(show(f), show(e), f"`{term.fn}` is {show(f)}, not {show(e)}"),
            )
        return True

    inference.solver.deferred.append(decide)
    return variable


def _unknown_function(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    """Everything else in the program is still typed, the arguments included."""
    result = inference.report(errors.unknown_name(term.fn, inference.names_in_scope()), path)
    args = tuple(inference.infer(a, env, (*path, i))[1] for i, a in enumerate(term.args))
    count = len(args)
    named = tuple((n, inference.infer(v, env, (*path, count + i))[1]) for i, (n, v) in enumerate(term.named))
    return result, App(term.fn, args, named, term.targs)


def signature(function: Function) -> str:
    """A signature as a person reads it."""
    positional = ", ".join(show(p.type) for p in function.positional)
    labelled = ", ".join(f"{n}{'?' if p.optional else ''}: {show(p.type)}" for n, p in function.labelled.items())
    inner = positional + ("; " + labelled if labelled else "")
    tparams = f"[{', '.join(n for n, _ in function.tparams)}]" if function.tparams else ""
    return f"{function.name}{tparams}({inner}) -> {show(function.result)}"


def _apply_signature(inference: "Inference", term: App, function: Function, env: "Env", path: "Path") -> "Typed":
    given = {}
    if term.targs:
        if len(term.targs) != len(function.tparams):
            message = f"takes {len(function.tparams)} type arguments, not {len(term.targs)}"
            inference.report(errors.wrong_arguments(term.fn, message, signature(function)), path)
        for (name, _), type_ in zip(function.tparams, term.targs, strict=False):
            if type_ != Con("_"):
                inference.known_type(type_, path)
                given[name] = _holes(inference, type_)
    binding = inference.solver.instantiate(function.tparams, given, path)
    args = _positional(inference, term, function, binding, env, path)
    named = _labelled(inference, term, function, binding, env, path)
    result = substitute(function.result, binding)
    if function.action:
        result = Con("Action", (result,))
    return result, with_args(term, args, named, tuple([binding[name] for name, _ in function.tparams]))


def _holes(inference: "Inference", type_: Type) -> Type:
    """`_` inside a type argument is whatever inference finds."""
    if isinstance(type_, Con):
        if type_ == Con("_"):
            return inference.solver.fresh()
        return Con(type_.name, tuple(_holes(inference, a) for a in type_.args))
    return type_


def _positional(
    inference: "Inference", term: App, function: Function, binding: dict[str, Type], env: "Env", path: "Path"
) -> tuple[Term, ...]:
    wanted = function.positional
    if len(term.args) != len(wanted):
        count = f"{len(wanted)} positional argument{'s' if len(wanted) != 1 else ''}"
        inference.report(
            errors.wrong_arguments(term.fn, f"takes {count}, has {len(term.args)}", signature(function)), path
        )
    new: list[Term] = []
    for i, arg in enumerate(term.args):
        expected = substitute(wanted[i].type, binding) if i < len(wanted) else None
        if expected is None:
            new.append(inference.infer(arg, env, (*path, i), expected)[1])
        else:
            new.append(inference.fit(arg, env, expected, (*path, i), f"argument {i + 1} of `{term.fn}`"))
    return tuple(new)


def _labelled(
    inference: "Inference", term: App, function: Function, binding: dict[str, Type], env: "Env", path: "Path"
) -> tuple[tuple[str, Term], ...]:
    new: list[tuple[str, Term]] = []
    seen: set[str] = set()
    for i, (label, arg) in enumerate(term.named, start=len(term.args)):
        place = (*path, i)
        parameter = function.labelled.get(label)
        if label in seen:
            inference.report(errors.wrong_arguments(term.fn, f"`{label}` is given twice", signature(function)), place)
        elif parameter is None:
            message = f"has no parameter `{label}`"
            inference.report(errors.wrong_arguments(term.fn, message, signature(function)), place)
        seen.add(label)
        expected = substitute(parameter.type, binding) if parameter is not None else None
        if expected is None or parameter is None:
            node = inference.infer(arg, env, place, expected)[1]
        else:
            what = f"`{label}` of `{term.fn}`"
            node = inference.fit(arg, env, expected, place, what)
            if parameter.minimum is not None or parameter.maximum is not None:
                check_bounds(inference, arg, parameter.minimum, parameter.maximum, what, place)
        new.append((label, node))
    if not function.action:
        missing = [n for n, p in function.labelled.items() if n not in seen and not p.optional]
        if missing:
            message = f"needs {', '.join(f'`{n}`' for n in missing)}"
            inference.report(errors.wrong_arguments(term.fn, message, signature(function)), path)
    return tuple(new)


def check_bounds(
    inference: "Inference", arg: Term, minimum: str | None, maximum: str | None, what: str, path: "Path"
) -> None:
    """A lint for a number outside the bounds the schema declares."""
    if isinstance(arg, Lit) and arg.kind in ("number", "int"):
        value = float(arg.value)
        if (minimum is not None and value < float(minimum)) or (maximum is not None and value > float(maximum)):
            inference.report(errors.out_of_bounds(what, arg.value, minimum, maximum), path)


__all__ = ["DYNAMIC", "UNIT", "Parameter", "RecordType", "check_bounds", "infer_call", "signature"]
