"""Diagnostics about names and types, DLC1xx. Each docstring is what `dlc explain CODE` prints."""

from ..grammar.diagnostic import Diagnostic, Label, nearest
from ..grammar.span import Span


def _known(name: str, known: list[str], what: str) -> tuple[str, ...]:
    close = nearest(name, known)
    hints = [f"did you mean `{close[0]}`?"] if close else []
    if known:
        shown = sorted(known)
        listed = ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
        hints.append(f"{what}: {listed}")
    return tuple(hints)


def unknown_name(name: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC101: a name that nothing declares.

    What it means: the schema has no table, action, function or enum member of this name, and no `let`
    or `fn` around it binds it.

    How to fix it: compare with the names listed; load the right schema with --schema.
    """
    return Diagnostic("DLC101", f"`{name}` is not declared", span, help=_known(name, known, "in scope"))


def unknown_field(name: str, owner: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC102: a field that its type does not have.

    What it means: the value before the dot (or the row in hand) has a known type, and that type
    declares no such field.

    How to fix it: compare with the fields listed.
    """
    return Diagnostic("DLC102", f"{owner} has no field `{name}`", span, help=_known(name, known, f"fields of {owner}"))


def unknown_member(name: str, enum: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC103: a value that its closed enum does not have.

    What it means: a value of this enum is expected here and the enum lists its members; this is none.

    How to fix it: use a member, or keep an odd annotation exactly as it was with raw "...".
    """
    hints = (*_known(name, known, f"members of {enum}"), f'to keep it as annotated, write raw "{name}"')
    return Diagnostic("DLC103", f"`{name}` is no member of {enum}", span, help=hints)


def mismatch(
    found: str, expected: str, why: str, span: Span | None = None, labels: tuple[Label, ...] = (), hint: str = ""
) -> Diagnostic:
    """DLC104: a value of one type where another is needed.

    What it means: two parts of the program need the same value to have different types. The message
    says which type was found, which was expected, and what in the program or the schema expects it.

    How to fix it: change the value to the type expected, or compare another field.
    """
    return Diagnostic("DLC104", why, span, label=found, labels=labels, help=(hint,) if hint else ())


def infinite_type(span: Span | None = None) -> Diagnostic:
    """DLC105: a type that would contain itself.

    What it means: the program applies a function to itself or puts a list into itself, so that no
    finite type fits (the occurs check failed).

    How to fix it: look at the variable that is used both as a whole and as a part.
    """
    return Diagnostic("DLC105", "this would need a type that contains itself", span)


def type_too_large(limit: int, span: Span | None = None) -> Diagnostic:
    """DLC129: a type with more parts than any program needs.

    What it means: a value is put into itself several times over (`let y = { a: x, b: x };` again and again), so
    that its type doubles each time. Types beyond the limit are not computed.

    How to fix it: name what is shared once, or keep fewer copies of it.
    """
    return Diagnostic("DLC129", f"the type of this has more than {limit:,} parts", span)


def wrong_arguments(fn: str, message: str, signature: str, span: Span | None = None) -> Diagnostic:
    """DLC106: arguments that do not fit a function's parameters.

    What it means: an argument too many, one missing, a label the function does not have, or a label
    given twice. Positional parameters come before labelled ones and are required.

    How to fix it: compare with the signature shown.
    """
    return Diagnostic("DLC106", f"`{fn}`: {message}", span, help=(f"signature: {signature}",))


def not_comparable(type_name: str, operation: str, span: Span | None = None) -> Diagnostic:
    """DLC107: an operation on a type that does not support it.

    What it means: ordering needs a type with an order (numbers, times, dates, text, ordered enums),
    arithmetic a number or an amount, text match a text or an entity.

    How to fix it: use `=`, or declare the enum `ordered`.
    """
    return Diagnostic("DLC107", f"{type_name} does not support {operation}", span)


def unknown_type(name: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC108: a type that nothing declares, or with the wrong number of arguments.

    What it means: the schema has no enum, entity, table or wrapper of this name.

    How to fix it: compare with the types listed.
    """
    return Diagnostic("DLC108", f"there is no type `{name}`", span, help=_known(name, known, "types"))


def ambiguous(what: str, options: list[str], span: Span | None = None) -> Diagnostic:
    """DLC109: something the rest of the program does not decide.

    What it means: a placeholder, entity or enum member could be of several types and nothing around it
    says which, or a type argument does not occur in any argument.

    How to fix it: write the type: `$0[Restaurant]`, `f[Event](...)`.
    """
    hints = (f"could be {', '.join(options)}",) if options else ()
    return Diagnostic("DLC109", f"nothing decides {what}", span, help=hints)


def bad_escape(span: Span) -> Diagnostic:
    r"""DLC110: an escape that strings do not have.

    What it means: after a backslash only " \ / b f n r t and uXXXX can come.

    How to fix it: double the backslash to write one.
    """
    return Diagnostic("DLC110", "unknown escape in a string", span, help=("write \\\\ for a backslash",))


def binder_taken(name: str, span: Span) -> Diagnostic:
    """DLC111: a table joined twice under one name.

    What it means: rows of a join are named after their tables, and this name is in use.

    How to fix it: give the second one a name of its own: `join Hotel as Hotel2 on ...`.
    """
    return Diagnostic("DLC111", f"`{name}` already names a row of this query", span, help=(f"join {name} as {name}2",))


def which_row(what: str, binders: list[str], span: Span) -> Diagnostic:
    """DLC112: a bare field where several rows, or none, are in hand.

    What it means: after a join a field must say whose it is; outside a query or `{ ... }` there is no row.

    How to fix it: write `Table.field`.
    """
    hints = tuple(f"write {name}{what}" for name in binders if what.startswith("."))
    message = f"`{what}` could belong to several rows" if binders else f"`{what}` stands outside any row"
    return Diagnostic("DLC112", message, span, help=hints)


def positional_after_label(span: Span) -> Diagnostic:
    """DLC113: a positional argument after a labelled one.

    What it means: positional arguments come first.

    How to fix it: move it to the front, or give it its label.
    """
    return Diagnostic("DLC113", "a positional argument cannot follow a labelled one", span)


def not_grouped(field: str, span: Span | None = None) -> Diagnostic:
    """DLC114: a column of a group that differs from row to row.

    What it means: after `group` or `whole` only the keys and aggregates have one value per group.

    How to fix it: aggregate it, or say that any row's value will do: pick(.field).
    """
    return Diagnostic("DLC114", f"`.{field}` is no key of the group", span, help=(f"write pick(.{field})",))


def aggregate_outside(fn: str, span: Span | None = None) -> Diagnostic:
    """DLC115: an aggregate where there is no group.

    What it means: counts, sums and so on range over the rows of a group; here there is a single row.

    How to fix it: put `| group ...` or `| whole` before it.
    """
    return Diagnostic("DLC115", f"`{fn}` needs a group to range over", span, help=("| whole makes one of all rows",))


def one_column(count: int, span: Span | None = None) -> Diagnostic:
    """DLC116: a query used as a value, with other than one column.

    What it means: only a query that shows a single column can be compared with a value.

    How to fix it: end it with `| show .field`.
    """
    return Diagnostic("DLC116", f"a query used as a value shows one column, this has {count}", span)


def column_count(left: int, right: int, operation: str, span: Span | None = None) -> Diagnostic:
    """DLC117: a set operation over relations of different width.

    What it means: union, except and intersect compare rows column by column.

    How to fix it: show the same number of columns on both sides.
    """
    return Diagnostic("DLC117", f"{operation} of {left} columns with {right}", span)


def binder_count(rows: int, names: int, span: Span | None = None) -> Diagnostic:
    """DLC118: an expression over the wrong number of rows.

    What it means: the query joins a different number of tables than the expression names (this happens
    in terms built by a program, not in text).

    How to fix it: name every row of the query.
    """
    return Diagnostic("DLC118", f"the query has {rows} rows in hand, the expression names {names}", span)


def no_such_time(value: str, span: Span | None = None) -> Diagnostic:
    """DLC119: a time of day or a date that does not exist.

    What it means: minutes and seconds end at 59, months at 12 and so on. Hours may pass 24, for services
    that end after midnight.

    How to fix it: correct it, or keep an odd annotation with raw "...".
    """
    return Diagnostic("DLC119", f"there is no {value}", span)


def unknown_unit(unit: str, span: Span | None = None) -> Diagnostic:
    """DLC120: a unit that DL does not know.

    What it means: after the number stands neither a unit of time or measure nor a three-letter currency.

    How to fix it: use a known unit: ms s min h day week mon year, kg km m C and so on, usd eur gbp.
    """
    return Diagnostic("DLC120", f"unknown unit `{unit}`", span)


def out_of_bounds(
    what: str, value: str, minimum: str | None, maximum: str | None, span: Span | None = None
) -> Diagnostic:
    """DLC121: a number outside the bounds its schema declares (a lint).

    What it means: the program is well typed, but no row and no call can have this value.

    How to fix it: check the annotation; widen `min` or `max` in the schema if they are wrong.
    """
    bounds = f"{minimum if minimum is not None else '…'} to {maximum if maximum is not None else '…'}"
    return Diagnostic("DLC121", f"{what} ranges from {bounds}, this is {value}", span, severity="warning")


def undeclared_act(speaker: str, name: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC122: a dialogue act that the schema does not declare (a lint).

    What it means: acts are open; an act nobody declared is kept and passed on, but may be a misspelling.

    How to fix it: declare it (`act user name`), or use one of those listed.
    """
    return Diagnostic(
        "DLC122", f"{speaker} act `{name}` is not declared", span, help=_known(name, known, "acts"), severity="warning"
    )


def unknown_path(path: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC123: an act about a field that nothing has (a lint).

    What it means: the act names a field that no table, action or function of the schema has.

    How to fix it: compare with the nearest names.
    """
    close = nearest(path.lstrip("."), known)
    hints = tuple(f"did you mean `.{name}`?" for name in close[:1])
    return Diagnostic("DLC123", f"no table or action has `{path}`", span, help=hints, severity="warning")


def unknown_error(name: str, fn: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC124: an error code that its action does not declare (a lint).

    What it means: the outcome names an error the schema's action cannot give.

    How to fix it: compare with the codes listed, or declare it after `error`.
    """
    return Diagnostic(
        "DLC124", f"`{fn}` has no error `{name}`", span, help=_known(name, known, "errors"), severity="warning"
    )


def raw_value(value: str, span: Span | None = None) -> Diagnostic:
    """DLC125: a value kept exactly as it was annotated (a lint).

    What it means: `raw "..."` stands where the schema expects a value of another form. It equals only
    itself, and no neighbour can compute with it.

    How to fix it: replace it with a value of the type expected, if the annotation can be understood.
    """
    return Diagnostic("DLC125", f'"{value}" is kept as annotated', span, severity="warning")


def unknown_result_field(name: str, owner: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC126: a result with a field that nothing declares (a lint).

    What it means: results come from databases and services, which may give more than the schema says; the
    field is kept, and its value is typed on its own.

    How to fix it: declare the column, or look for a misspelling.
    """
    return Diagnostic(
        "DLC126",
        f"{owner} has no field `{name}`",
        span,
        help=_known(name, known, f"fields of {owner}"),
        severity="warning",
    )
