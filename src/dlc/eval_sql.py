"""`dlc eval sql`: exact set match, execution and test-suite accuracy."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place
from dlc.metrics.errors import GoldError, MetricError
from dlc.metrics.sql_execute import databases, judge
from dlc.metrics.sql_files import GoldTurn
from dlc.metrics.sql_match import compare
from dlc.metrics.sql_repairs import ALL_REPAIRS, NO_REPAIRS
from dlc.metrics.sql_schema import SqlSchema, read_tables_json, schema_from_sqlite
from dlc.metrics.sql_score import Figure, SqlScore, score

from . import errors
from .errors import InputFailure
from .eval_figures import Cell, Figures, Measure, Section, by_turn
from .eval_rows import Pairs, Row
from .eval_sql_meaning import Kind, MeaningJudge, crossed
from .schemas import Schemas, load_schema

Judge = Callable[[GoldTurn, str], bool]


def sql_figures(pairs: Pairs, tables: str | None, db: str | None, variant: str) -> Figures:
    """Figures by turn, hardness and part; with `db` also by execution, in the variant `meaning` also by proved equality.

    tables: a `tables.json`; without it the schemas are those of the SQLite files under `db`. Raises InputFailure for
    files that cannot be read, CompileError for gold rows that cannot be used.
    """
    repaired = variant == "repaired"
    repairs = ALL_REPAIRS if repaired else NO_REPAIRS
    names = dict.fromkeys(name for name in map(_database, _gold(pairs)) if name)
    schemas = _schemas(tables, db, names)
    found: list[Diagnostic] = []
    for row in _gold(pairs):
        if _database(row) not in schemas:
            known = f"no schema is given for the database `{_database(row)}`"
            found.append(errors.unusable_gold(row.place, known if _database(row) else "it names no database"))
            continue
        try:
            # An unusable gold query would raise below, where nobody knows its line any more.
            compare(row.text, row.text, schemas[_database(row)], repairs)
            compare(row.text, row.text, schemas[_database(row)])
        except GoldError as error:
            found.append(errors.unusable_gold(row.place, str(error)))
    if found:
        raise CompileError(*found)
    turns = [[(GoldTurn(gold.text, _database(gold)), answer.text) for gold, answer in dialogue] for dialogue in pairs]
    exact = score(turns, schemas, repairs=repairs)
    scores = {"exact set match" + (", repaired" if repaired else ""): exact}
    for name, decide in _judges(db, names).items():
        verdicts = iter(_decided(pairs, decide))
        scores[name] = score(turns, schemas, judge=lambda _, __, left=verdicts: next(left))  # type: ignore[misc]
    kinds = _meanings(pairs, tables, db) if variant == "meaning" else []
    for name, good in (("proved equal", ("equal",)), ("equal or likely", ("equal", "likely"))) if kinds else ():
        following = iter(kinds)
        scores[name] = score(turns, schemas, judge=lambda _, __, left=following, right=good: next(left) in right)  # type: ignore[misc]
    sections = _sections(scores, exact, sum(map(len, pairs)))
    if kinds:
        matched = [
            compare(gold.text, answer.text, schemas[_database(gold)]).exact
            for dialogue in pairs
            for gold, answer in dialogue
        ]
        rows = crossed(list(zip(matched, kinds, strict=True)))
        sections.append(Section("by meaning", ("verdict", "exact set match right", "exact set match wrong"), rows))
    return Figures(sections, [measure for name, found in scores.items() for measure in _measures(name, found)])


def _measures(name: str, scored: SqlScore) -> tuple[Measure, Measure]:
    whole = tuple(all(row) for row in scored.verdicts)
    return (
        by_turn(f"{name}, question", scored.verdicts),
        Measure(f"{name}, interaction", whole, tuple(range(len(whole)))),
    )


def _meanings(pairs: Pairs, tables: str | None, db: str | None) -> list[Kind]:
    """What is shown of each answer. Raises CompileError for gold that DL does not read."""
    judges: dict[str, MeaningJudge] = {}
    schemas = Schemas(tables) if tables is not None else None
    kinds: list[Kind] = []
    found: list[Diagnostic] = []
    for gold, answer in ((g, a) for dialogue in pairs for g, a in dialogue):
        name = _database(gold)
        try:
            if name not in judges:
                schema = schemas.get(name, None, "sql") if schemas is not None else load_schema(_file(db, name))
                judges[name] = MeaningJudge(schema)
            kinds.append(judges[name].judge(gold.text, answer.text))
        except CompileError as error:
            found += [errors.unusable_gold(gold.place, d.message) for d in error.diagnostics]
    if found:
        raise CompileError(*found)
    return kinds


def _file(db: str | None, name: str) -> str:
    """The SQLite file of a database. Raises InputFailure."""
    assert db is not None
    try:
        files = databases(Path(db), name)
    except (MetricError, OSError) as error:
        raise InputFailure(errors.no_such_file(db, str(error))) from error
    return str(next((file for file in files if file.name == f"{name}.sqlite"), files[0]))


def _gold(pairs: Pairs) -> Iterable[Row]:
    return (gold for dialogue in pairs for gold, _ in dialogue)


def _database(row: Row) -> str:
    return row.fields.get("db_id") or ""


def _judges(db: str | None, names: Iterable[str]) -> dict[str, Judge]:
    """Execution accuracy where every database has its own file, test-suite accuracy where one has several."""
    if db is None:
        return {}
    folder = Path(db)
    judges: dict[str, Judge] = {}
    try:
        files = {name: databases(folder, name) for name in names}
    except (MetricError, OSError) as error:
        raise InputFailure(errors.no_such_file(db, str(error))) from error
    if all(any(file.name == f"{name}.sqlite" for file in there) for name, there in files.items()):
        judges["execution"] = judge(folder, suite=False)
    if any(len(there) > 1 for there in files.values()) or not judges:
        judges["test suite"] = judge(folder)
    return judges


def _decided(pairs: Pairs, decide: Judge) -> list[bool]:
    verdicts: list[bool] = []
    found: list[Diagnostic] = []
    for dialogue in pairs:
        for gold, answer in dialogue:
            try:
                verdicts.append(decide(GoldTurn(gold.text, _database(gold)), answer.text))
            except MetricError as error:
                found.append(errors.unusable_gold(gold.place, str(error)))
    if found:
        raise CompileError(*found)
    return verdicts


def _sections(scores: Mapping[str, SqlScore], exact: SqlScore, count: int) -> list[Section]:
    names = tuple(scores)
    first = next(iter(scores.values()))

    def table(title: str, label: str, figures: Callable[[SqlScore], Mapping[str, Figure]]) -> Section:
        rows: list[tuple[Cell, ...]] = []
        for name, figure in figures(first).items():
            rows.append((name, figure.count, *(figures(s)[name].rate for s in scores.values())))
        return Section(title, (label, "count", *names), tuple(rows))

    return [
        table(f"sql: {count} questions", "match", lambda s: {"question": s.question, "interaction": s.interaction}),
        table("by turn", "turn", lambda s: s.turns),
        table("by hardness", "hardness", lambda s: s.levels),
        Section(
            "parts of exact set match",
            ("part", "precision", "recall", "F1"),
            tuple((name, part.precision, part.recall, part.f1) for name, part in exact.parts.items()),
        ),
    ]


def _schemas(tables: str | None, db: str | None, names: Iterable[str]) -> dict[str, SqlSchema]:
    if tables is not None:
        return _from_tables(tables)
    assert db is not None
    schemas: dict[str, SqlSchema] = {}
    for name in names:
        try:
            files = databases(Path(db), name)
            own = [file for file in files if file.name == f"{name}.sqlite"]
            schemas[name] = schema_from_sqlite((own or files)[0])
        except (MetricError, OSError) as error:
            raise InputFailure(errors.no_such_file(db, str(error))) from error
    return schemas


def _from_tables(path: str) -> dict[str, SqlSchema]:
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        entries = json.loads(text)
    except OSError as error:
        raise InputFailure(errors.no_such_file(path, error.strerror or str(error))) from error
    except UnicodeDecodeError as error:
        raise InputFailure(errors.not_unicode(Place(path), f"at byte {error.start + 1}")) from error
    except json.JSONDecodeError as error:
        place = Place(path, line=error.lineno)
        raise InputFailure(errors.bad_json(place, error.msg, error.lineno, error.colno)) from error
    except RecursionError:
        raise InputFailure(errors.nested_too_deeply(Place(path))) from None
    except ValueError as error:
        raise InputFailure(errors.bad_json(Place(path), str(error), 1, 1)) from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputFailure(
            errors.unknown_layout(Place(path), "this is no tables.json: a list of databases is expected")
        )
    try:
        return read_tables_json(entries)
    except MetricError as error:
        raise InputFailure(errors.unknown_layout(Place(path), str(error))) from error
