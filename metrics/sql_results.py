"""Whether two query results are the same table: rows as a bag (or a list), columns in any order.

Source: taoyds/test-suite-sql-eval, `exec_eval.py` (`result_eq`).
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

Row = tuple[Hashable, ...]


def result_eq(gold: Sequence[Row], pred: Sequence[Row], *, ordered: bool) -> bool:
    """The official verdict: empty results are equal whatever their columns; else some order of `pred`'s columns makes the
    bags of rows (`ordered`: the lists) equal.

    The official quick rejection compares every row sorted by printed value and type, so 1 and 1.0, equal as values, may
    still be told apart; kept.
    """
    if not gold and not pred:
        return True
    if len(gold) != len(pred) or len(gold[0]) != len(pred[0]):
        return False
    left, right = ([_sorted_row(row) for row in rows] for rows in (gold, pred))
    if (left != right) if ordered else (set(left) != set(right)):
        return False
    if ordered:
        # Every column in place, row by row: the columns as lists must be the same bag of columns.
        return Counter(zip(*gold, strict=True)) == Counter(zip(*pred, strict=True))
    return _some_column_order(gold, pred)


def _sorted_row(row: Row) -> Row:
    return tuple(sorted(row, key=lambda value: f"{value}{type(value)}"))


def _some_column_order(gold: Sequence[Row], pred: Sequence[Row]) -> bool:
    """Whether some order of `pred`'s columns gives gold's bag of rows.

    The official script samples rows to thin out all permutations. Placing column by column, and going on only while the
    bags of the row prefixes agree, gives the same verdict without the factorial. Columns of identical content are
    interchangeable, so one of them is tried at a place.
    """
    columns = list(zip(*pred, strict=True))
    targets = list(zip(*gold, strict=True))
    used: list[int] = []
    prefixes = [([0] * len(gold), [0] * len(gold))]
    untried = [_distinct(columns, range(len(columns)))]
    while untried:
        if not untried[-1]:
            untried.pop()
            prefixes.pop()
            if used:
                used.pop()
            continue
        j = untried[-1].pop()
        left, right = (
            list(zip(labels, column, strict=True))
            for labels, column in zip(prefixes[-1], (targets[len(used)], columns[j]), strict=True)
        )
        if Counter(left) != Counter(right):
            continue
        used.append(j)
        if len(used) == len(columns):
            return True
        names = {pair: i for i, pair in enumerate(dict.fromkeys(left))}
        prefixes.append(([names[pair] for pair in left], [names[pair] for pair in right]))
        untried.append(_distinct(columns, [i for i in range(len(columns)) if i not in used]))
    return False


def _distinct(columns: Sequence[Row], indices: Iterable[int]) -> list[int]:
    return list({columns[i]: i for i in indices}.values())
