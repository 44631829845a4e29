"""Diagnostics about SQL, DLC24x to DLC26x. Each docstring is what `dlc explain CODE` prints."""

from ...grammar.diagnostic import Diagnostic, nearest
from ...grammar.span import Span

MAX_SQL = 1_000_000
MAX_DEPTH = 60
MAX_TABLES = 64


def bad_sql(why: str, span: Span | None = None) -> Diagnostic:
    """DLC240: text that is no SQL.

    What it means: the SQL parser could not make sense of the text at the place shown. Operators split by a space
    (`> =`) and strings in double quotes are understood; unbalanced parentheses are not.

    How to fix it: correct the query; `--dialect` says which SQL it is written in.
    """
    return Diagnostic("DLC240", f"this is no SQL: {why}", span)


def not_a_query(kind: str) -> Diagnostic:
    """DLC241: a statement that is no query.

    What it means: DL reads what asks: SELECT, set operations, WITH; several of them, separated by `;`, are statements
    of one turn. It neither reads nor runs what writes, defines or administrates.

    How to fix it: give a SELECT.
    """
    return Diagnostic("DLC241", f"only queries are read, this is {kind}")


def unsupported(construct: str, span: Span | None = None, hint: str = "") -> Diagnostic:
    """DLC242: a part of SQL that DL has no term for.

    What it means: the query is good SQL, but the part named has no counterpart in DL. Nothing is dropped silently,
    so the whole query is rejected.

    How to fix it: write the query without the part named.
    """
    return Diagnostic("DLC242", f"DL has no counterpart of {construct}", span, help=(hint,) if hint else ())


def unknown_table(name: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC243: a table that the schema does not have, or a table name used outside its query.

    What it means: neither a table, nor a WITH query, nor an alias of this or an enclosing query has this name.

    How to fix it: compare with the tables listed; load the right schema with --schema or `db_id`.
    """
    return Diagnostic("DLC243", f"no table `{name}` is in scope", span, help=_known(name, known, "tables"))


def unknown_column(name: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC244: a column that no table in scope has.

    What it means: none of the tables of this query, nor of the queries around it, has the column.

    How to fix it: compare with the columns listed; a text literal goes between single quotes.
    """
    return Diagnostic("DLC244", f"no column `{name}` is in scope", span, help=_known(name, known, "columns"))


def too_large(what: str, limit: int, span: Span | None = None) -> Diagnostic:
    """DLC245: a query beyond a bound.

    What it means: SQL's length, its nesting and the tables of one query are bounded, so that hostile input cannot
    exhaust the machine. SQLite itself joins at most 64 tables.

    How to fix it: split the query; name intermediate results with WITH.
    """
    return Diagnostic("DLC245", f"the query has more than {limit} {what}", span)


def affinity(what: str, found: str, expected: str, span: Span | None = None) -> Diagnostic:
    """DLC246: a comparison or sum over two types, made one (a lint).

    What it means: SQLite compares a number with a text by converting one of them (column affinity); DL writes the
    conversion: number_of(...) or text_of(...). The query keeps its meaning, but it is rarely what was intended.

    How to fix it: compare a number with a number, or correct the column's type in the schema.
    """
    return Diagnostic("DLC246", f"{what}: {found} is used as {expected}", span, severity="warning")


def repaired(left: str, right: str, span: Span | None = None) -> Diagnostic:
    """DLC247: two columns declared with different types that a foreign key makes one (a lint).

    What it means: the schema declares one column as text and the other as number, yet one refers to the other; the
    schema reader gave both the type of the key. The comparison is sound if the foreign key is.

    How to fix it: correct the declared type in the database.
    """
    return Diagnostic("DLC247", f"`{left}` and `{right}` are declared with different types", span, severity="warning")


def ambiguous_column(name: str, tables: list[str], span: Span | None = None) -> Diagnostic:
    """DLC248: a bare column that several tables have (a lint).

    What it means: SQLite refuses such a query; other readers take the first table that has the column, and so is
    done here.

    How to fix it: write `table.column`.
    """
    listed = ", ".join(tables)
    return Diagnostic("DLC248", f"`{name}` is a column of {listed}", span, severity="warning")


def truth_value(span: Span | None = None) -> Diagnostic:
    """DLC249: a condition used as a value.

    What it means: where a value is missing SQL's condition is NULL, DL's is false. In WHERE, HAVING and ON this
    makes no difference; shown or compared it does.

    How to fix it: test for NULL in the query where it matters.
    """
    return Diagnostic(
        "DLC249", "a condition used as a value is false here where SQL's is NULL", span, severity="warning"
    )


def division(span: Span | None = None) -> Diagnostic:
    """DLC250: a division, which some databases round (a lint).

    What it means: SQLite and PostgreSQL divide two integers to an integer; DL's Number knows no such difference.

    How to fix it: nothing, unless the query relies on the rounding.
    """
    return Diagnostic("DLC250", "databases that tell integers apart round this division", span, severity="warning")


def case_clash(kind: str, names: tuple[str, ...]) -> Diagnostic:
    """DLC255: two names of a schema that differ in case only.

    What it means: SQL does not tell `Name` from `name`, so no query could say which one it means.

    How to fix it: rename one of them.
    """
    listed = " and ".join(f"`{name}`" for name in names)
    return Diagnostic("DLC255", f"{listed} are one {kind} in SQL")


def bad_schema(why: str) -> Diagnostic:
    """DLC256: a schema that cannot be read.

    What it means: the file is no `tables.json`, no database and no list of CREATE TABLE statements, or it is
    damaged: an index that points nowhere, a list where a name should be.

    How to fix it: compare with the format's description in docs/sql.md.
    """
    return Diagnostic("DLC256", why)


def no_counterpart(name: str) -> Diagnostic:
    """DLC257: a table, column, action or function that the database does not have.

    What it means: the DL program names something the schema knows and the database does not: an action has
    effects, and a query language has no counterpart for it.

    How to fix it: nothing; the rest of the turn is written.
    """
    return Diagnostic("DLC257", f"the database has no counterpart of `{name}`")


def mark_dropped(mark: str, field: str) -> Diagnostic:
    """DLC258: a mark that no row can tell.

    What it means: `is any` says that the user does not care, `is none` that the annotator wrote none. Neither says
    anything about a row, so the condition is left out.

    How to fix it: nothing.
    """
    return Diagnostic("DLC258", f"`.{field} is {mark}` holds for every row and is left out")


def no_value(what: str) -> Diagnostic:
    """DLC259: a value that the database cannot be asked about.

    What it means: a placeholder, an entity known by identifier only, or a value kept as annotated has no form in
    the database's column.

    How to fix it: fill in the placeholders first.
    """
    return Diagnostic("DLC259", f"{what} has no value in SQL")


def no_construct(what: str) -> Diagnostic:
    """DLC260: a DL construct that SQL cannot say.

    What it means: references, actions, functions of the user and rows from the end of an unordered query have no
    SQL. The statement is left out; the rest of the turn is written.

    How to fix it: resolve references first (`dlc run`), and ask for rows in an order.
    """
    return Diagnostic("DLC260", f"SQL cannot say {what}")


def acts_elsewhere() -> Diagnostic:
    """DLC261: dialogue acts, which a query does not hold (a lint).

    What it means: acts annotate the utterance. A corpus keeps them beside its queries; the query itself is complete.

    How to fix it: nothing.
    """
    return Diagnostic("DLC261", "acts are not part of a query", severity="warning")


def constant_kept(value: str, field: str) -> Diagnostic:
    """DLC262: a constant of another kind than its column (a lint).

    What it means: the column holds members of an enum, times or entities, and the query compares it with something
    else. The constant is kept as it was written and equals only itself.

    How to fix it: compare with the column's values.
    """
    return Diagnostic("DLC262", f'"{value}" is no value of `.{field}`', severity="warning")


def no_query() -> Diagnostic:
    """DLC263: a turn that asks nothing of a database.

    What it means: the turn only acts, greets or refers; there is no query to write.

    How to fix it: nothing.
    """
    return Diagnostic("DLC263", "the turn has no query")


def bad_dialogue(where: str, why: str) -> Diagnostic:
    """DLC340: a dialogue whose layout is not the one documented.

    What it means: a key is missing, or has a value of another kind than CoSQL's, SParC's or Spider's release has.

    How to fix it: compare with the layout in docs/sql.md.
    """
    return Diagnostic("DLC340", f"{where}: {why}")


def unannotated(where: str) -> Diagnostic:
    """DLC341: a turn without SQL.

    What it means: the corpus has no query for this turn: the user greets, thanks or asks what SQL cannot answer. The
    turn has its acts, if they are annotated, and no statement.

    How to fix it: nothing.
    """
    return Diagnostic("DLC341", f"{where} has no query", severity="warning")


def unknown_database(db_id: str, known: list[str]) -> Diagnostic:
    """DLC342: a dialogue over a database whose schema is not there.

    What it means: `db_id` names the database, and the schemas given with --schema (a tables.json) do not have it.

    How to fix it: give the tables.json that belongs to the corpus.
    """
    return Diagnostic(
        "DLC342", f"no schema is given for the database `{db_id}`", help=_known(db_id, known, "databases")
    )


def _known(name: str, known: list[str], what: str) -> tuple[str, ...]:
    close = nearest(name, known)
    hints = [f"did you mean `{close[0]}`?"] if close else []
    if known:
        shown = sorted(known)
        listed = ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
        hints.append(f"{what}: {listed}")
    return tuple(hints)
