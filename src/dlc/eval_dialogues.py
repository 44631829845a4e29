"""`dlc eval acts` and `dlc eval responses`: CoSQL's two other tasks."""

import re

from dlc.grammar.diagnostic import CompileError
from dlc.metrics.errors import MissingLibraryError
from dlc.metrics.responses import bleu, score_acts

from . import errors
from .errors import InputFailure
from .eval_figures import Figures, Section, by_turn
from .eval_rows import Pairs, Row

_TURN = re.compile(r"(user|agent)\b")


def response_figures(pairs: Pairs, tokenize: str) -> Figures:
    """Corpus BLEU, 0 to 100, with sacrebleu's signature. A row's text is its `utterance` if it has one, else its line.

    tokenize: `13a` for plain text, `none` for text that is tokenized already. Raises InputFailure without sacrebleu.
    """
    texts = [(_said(gold), _said(answer)) for dialogue in pairs for gold, answer in dialogue]
    try:
        found = bleu([gold for gold, _ in texts], [answer for _, answer in texts], tokenize=tokenize)
    except MissingLibraryError as error:
        raise InputFailure(errors.library_missing(str(error))) from error
    rows = (("BLEU", found.score), ("signature", found.signature))
    return Figures([Section(f"responses: {len(texts)}", ("metric", "figure"), rows)])


def _said(row: Row) -> str:
    said = row.fields.get("utterance")
    return said if isinstance(said, str) else row.text


def act_figures(pairs: Pairs) -> Figures:
    """Accuracy of each turn's set of acts, micro and macro F1, F1 by act.

    A row is a turn of DL, whose acts count, or names joined by commas; a turn without acts is no act.
    Raises InputFailure without scikit-learn, CompileError for gold without a single act or a row that is no turn.
    """
    turns = [(acts_in(gold), acts_in(answer)) for dialogue in pairs for gold, answer in dialogue]
    if not any(acts for acts, _ in turns):
        raise CompileError(errors.unusable_gold(pairs[0][0][0].place, "no turn has an act"))
    try:
        found = score_acts([gold for gold, _ in turns], [answer for _, answer in turns])
    except MissingLibraryError as error:
        raise InputFailure(errors.library_missing(str(error))) from error
    overall = (("accuracy", found.accuracy), ("micro F1", found.micro_f1), ("macro F1", found.macro_f1))
    verdicts = [[set(acts_in(gold)) == set(acts_in(answer)) for gold, answer in dialogue] for dialogue in pairs]
    return Figures(
        [
            Section(f"acts: {len(turns)} turns", ("metric", "figure"), overall),
            Section("by act", ("act", "F1"), tuple(found.f1.items())),
        ],
        [by_turn("accuracy", verdicts)],
    )


def acts_in(row: Row) -> tuple[str, ...]:
    """The acts a row names, in CoSQL's spelling. Raises CompileError for text that begins like a turn and is none."""
    from dlc.compiler.lower import lower_program
    from dlc.grammar.parser import parse
    from dlc.targets.sql.dialogues import act_name

    if not _TURN.match(row.text):
        return tuple(act_name(name) for name in row.text.split(",") if name.strip())
    try:
        turns, _ = lower_program(parse(row.text))
    except CompileError as error:
        raise CompileError(*(d.at(row.place, row.text) for d in error.diagnostics)) from error
    return tuple(act_name(act.name) for turn in turns for act in turn.acts)
