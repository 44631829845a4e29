"""`dlc eval dataflow`: exact match, after inlining too, states by running the programs, and kinds of errors."""

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dlc.grammar.diagnostic import CompileError, Diagnostic
from dlc.metrics.dataflow import (
    BeliefPair,
    Scores,
    TurnPair,
    Verdict,
    exact_verdicts,
    joint_goal,
    same_in_report,
    score,
)
from dlc.metrics.dataflow_errors import KINDS, error_kind

from . import errors
from .eval_figures import Cell, Figures, Measure, Section, by_dialogue, by_turn
from .eval_rows import Pairs, Row
from .schemas import Schemas

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.runtime.lispress import Plans

MATCHES: Final = ("token", "leaderboard", "report")
SUBSETS: Final = ("all", "refer", "revise")
_TITLES: Final = {"all": "all turns", "refer": "turns that refer", "revise": "turns that revise"}
_COLUMNS: Final = ("turns", "accuracy", "dialogues", "dialogue", "prefix length", "right after first error")


def dataflow_figures(pairs: Pairs, variant: str, schema: str | None = None, inline: bool = False) -> Figures:
    """Exact match, dialogues and prefixes, for all turns and for those that refer or revise.

    variant: one of MATCHES, or `all`. inline: the same once more with references inlined. Where all gold programs
    are requests of MultiWOZ's recipe, joint goal by running both sides. Raises CompileError for a gold row without a
    program or, for `report`, one that is not Lispress, and for a schema that cannot be read.
    """
    found: list[Diagnostic] = []
    turns: list[TurnPair] = []
    kinds = MATCHES if variant == "all" else (variant,)
    counts: Counter[str] = Counter()
    for number, dialogue in enumerate(pairs):
        for gold, answer in dialogue:
            why = _unusable(gold, "report" in kinds)
            if why:
                found.append(errors.unusable_gold(gold.place, why))
                continue
            predicted = answer.program if isinstance(answer.program, str) else None
            right, skip = gold.fields.get("refer_are_correct"), gold.fields.get("skip")
            turns.append(TurnPair(str(number), gold.turn, gold.text, predicted, right is not False, skip is True))
            said = gold.fields.get("utterance")
            kind = (
                error_kind(gold.text, predicted, said if isinstance(said, str) else None) if skip is not True else None
            )
            if kind is not None:
                counts[kind] += 1
    if found:
        raise CompileError(*found)
    measures: list[Measure] = []
    sections = _matches(turns, kinds, "dataflow", measures)
    named = pairs[0][0][0].fields.get("schema")
    if inline:
        known = Schemas(schema).get(named, "smcalflow", "dataflow")
        sections += _matches(inlined(turns, known), kinds, "dataflow, references inlined", measures)
    states = _states(turns, Schemas(schema).get(named, "multiwoz", "dataflow"))
    if states is not None:
        sections.append(Section("dataflow: states", ("joint goal", *_COLUMNS), (_figures("", joint_goal(states)),)))
        rows = [(pair.dialogue_id, pair.turn, dict(pair.gold) == dict(pair.predicted)) for pair in states]
        measures += _measures("states: joint goal", rows)
    total = sum(counts.values())
    wrong = tuple((kind, counts[kind], counts[kind] / total) for kind in KINDS if counts[kind])
    if wrong:
        sections.append(Section("dataflow: kinds of errors", ("kind", "turns", "share"), wrong))
    return Figures(sections, measures)


def _measures(name: str, rows: list[Verdict]) -> list[Measure]:
    """Accuracy, whole dialogues and prefixes of verdicts."""
    dialogues: dict[str, list[tuple[int, bool]]] = {}
    for dialogue, turn, right in rows:
        dialogues.setdefault(dialogue, []).append((turn, right))
    verdicts = [[right for _, right in sorted(turns)] for turns in dialogues.values()]
    return [by_turn(name, verdicts), *by_dialogue(name, verdicts)]


def _matches(turns: list[TurnPair], kinds: tuple[str, ...], title: str, measures: list[Measure]) -> list[Section]:
    """A section for each subset, and the items behind it. The programs as written tell which turns refer or revise."""
    sections = []
    for subset in SUBSETS:
        rows: list[tuple[Cell, ...]] = []
        for kind in kinds:
            for ignore in (False, True):
                verdicts = exact_verdicts(turns, kind, subset, ignore_refer=ignore)  # type: ignore[arg-type]
                name = f"{kind}, references aside" if ignore else kind
                rows.append(_figures(name, score(verdicts)))
                measures += _measures(f"{title.removeprefix('dataflow, ')}, {_TITLES[subset]}: {name}", verdicts)
        sections.append(Section(f"{title}: {_TITLES[subset]}", ("exact match", *_COLUMNS), tuple(rows)))
    return sections


def _figures(name: str, scores: Scores) -> tuple[Cell, ...]:
    return (
        name,
        scores.num_total_turns,
        scores.accuracy,
        scores.num_total_dialogues,
        scores.pct_correct_dialogues,
        scores.ave_num_turns_before_first_error,
        scores.num_correct_turns_after_first_error,
    )


def _unusable(gold: Row, parsed: bool) -> str:
    if not gold.text.strip() or gold.fields.get("skip") is True:
        return "" if gold.fields.get("skip") is True else "it has no program"
    try:
        if parsed:
            same_in_report(gold.text, gold.text)
    except ValueError as error:
        return str(error)
    return ""


def inlined(turns: list[TurnPair], schema: "Schema") -> list[TurnPair]:
    """The same turns with references inlined, each prediction in the context of the gold turns before it."""
    from .eval_inlining import Inliner

    inliner = Inliner(schema)
    made: list[TurnPair] = []
    dialogue = None
    for pair in turns:
        if pair.dialogue_id != dialogue:
            dialogue = pair.dialogue_id
            inliner.start()
        gold, predicted = inliner.turn(pair.gold, pair.predicted)
        made.append(replace(pair, gold=gold, predicted=predicted, written=pair.gold))
    return made


# ---------------------------------------------------------------- states


def _states(turns: list[TurnPair], schema: "Schema") -> list[BeliefPair] | None:
    """States after each turn by running gold and predictions; None if some gold program is no request."""
    from dlc.runtime.lispress import Plans
    from dlc.targets.dataflow.names import Names

    plans = Plans(Names(schema))
    if not turns or not all(_is_request(pair.gold) for pair in turns):
        return None
    gold = _run([(p.dialogue_id, p.gold) for p in turns], schema, plans)
    predicted = _run([(p.dialogue_id, p.predicted) for p in turns], schema, plans)
    return [BeliefPair(p.dialogue_id, p.turn, g, a) for p, g, a in zip(turns, gold, predicted, strict=True)]


def _is_request(text: str) -> bool:
    """Whether a program is `()` or made of requests; a look at its first words is enough."""
    from dlc.runtime.requests import ABANDON, FIND, OPERATORS

    head = text.strip().removeprefix("(do ").lstrip("(").split(" ", 1)[0]
    return head in (")", FIND, ABANDON) or head in OPERATORS


def _run(programs: list[tuple[str, str | None]], schema: "Schema", plans: "Plans") -> list[dict[str, str]]:
    """The state after each program, `{"hotel-area": "east"}`; a text that is no program changes nothing."""
    from dlc.compiler.check import Checker
    from dlc.runtime.requests import Requests, requests_dialogue
    from dlc.targets.dataflow.names import Unsayable
    from dlc.targets.dataflow.sexp import LispressError

    checker = Checker(schema)
    states: list[dict[str, str]] = []
    last: str | None = None
    running, live = requests_dialogue(checker), Requests()
    for dialogue, text in programs:
        if dialogue != last:
            running, live, last = requests_dialogue(checker), Requests(), dialogue
        try:
            running.run(plans.of(text if text is not None else "()"))
        except (LispressError, Unsayable, RecursionError):
            running.run(plans.of("()"))
        state = live.update(running.graph, running.graph.turns[-1])
        states.append({f"{name}-{slot}": value for name, slots in state.items() for slot, value in slots.items()})
    return states
