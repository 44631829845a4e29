"""Grounded literals: masks against brute force, whatever way tokens cut the text; texts, sets, budgets, batches."""

import gzip
import itertools
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from exact_masks import going_on
from tokenizers_of import trained

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema_text import read_schema
from dlc.compiler.sugar import print_turn
from dlc.grammar.diagnostic import CompileError
from dlc.neural.contract import outside
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.flow_contract import FlowContract
from dlc.neural.grounding import Grounding, column_sets
from dlc.neural.literal_places import dl_places, flow_places
from dlc.neural.vocabulary import Vocabulary
from dlc.schemas import load_schema

SCHEMA = read_schema(
    """
enum Area = a | b
entity Inn
table T { t: Text, s: Text?, x: Area, i: Inn, ok: Bool }
table U { t: Text }
fun f(x: Text) -> Text
action note(; t?: Text, x: Area)
"""
)
FLOW = read_schema("fun a() -> A\nfun say(x: Text) -> A\nfun two(x: Text, y: Text) -> A\nfun both(x: A, y: A) -> A")

LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')


def vocabulary(*words: str) -> Vocabulary:
    spelled = [w.encode("latin-1") if w in ("\xc3", "\xa9") else w.encode() for w in dict.fromkeys(words)]
    return Vocabulary((*spelled, None), (len(spelled),))


def well_typed(text: str, checker: Checker) -> bool:
    checked = compile_program(text, checker)
    if not checked.ok or len(checked.turns) != 1:
        return False
    turn = checked.turns[0].turn
    return print_turn(turn) == text and outside(turn, checker.schema) is None


def grounded(text: str, wanted: Grounding) -> bool:
    """Whether every literal of a program is what was asked for: written anew, by regular expressions."""
    at = 0
    for match in LITERAL.finditer(text):
        value, before = json.loads(match.group(), strict=False), text[: match.start()]
        at = match.end()
        if before.endswith("#"):
            continue
        field = re.findall(r"\.(\w+)|(\w+): ", LITERAL.sub('""', before))
        name = "".join(field[-1]) if field else ""
        if name in wanted.sets:
            if value not in wanted.sets[name]:
                return False
        elif wanted.texts is not None and (wanted.entities or not before.endswith("@")) and not part(value, wanted):
            return False
    return at >= 0


def part(value: str, wanted: Grounding) -> bool:
    for text in wanted.texts or ():
        flags = re.IGNORECASE if wanted.fold_case else 0
        for found in re.finditer(f"(?={re.escape(value)})", text, flags) if value else ():
            start, end = found.start(), found.start() + len(value)
            inside = [
                0 < cut < len(text) and bool(re.fullmatch(r"\w\w", text[cut - 1 : cut + 1])) for cut in (start, end)
            ]
            if not wanted.words or (not any(inside) and value.strip() == value):
                return True
    return False


def programs(tokens: Vocabulary, budget: int, accepted, wanted: Grounding) -> set[tuple[int, ...]]:
    """Every sequence of at most `budget` tokens that spells a grounded program."""
    found = set()
    first = [t for t in range(tokens.size - 1) if (tokens.tokens[t] or b"").startswith((b"user: ", b"(", b'"'))]
    for length in range(budget):
        for sequence in itertools.product(first, *[range(tokens.size - 1)] * length):
            data = b"".join(tokens.tokens[t] or b"" for t in sequence)
            if data.endswith((b";", b")", b'"')):
                try:
                    said = data.decode()
                except UnicodeDecodeError:
                    continue
                if accepted(said) and grounded(said, wanted):
                    found.add(sequence)
    return found


CASES = {
    "parts": (
        ["user: T | where .t = ", '"', "a", "b", "ab", '"a', 'b"', '"ab";', ";", '";', "c"],
        5, Grounding(("xab", "ac")),
    ),
    "quotes in tokens": (
        ["user: T | where .t", ' = "', 'a" and .s = "', 'a" or .s = "b', "a", "b", '";', '"', 'b";'],
        5, Grounding(("ba",)),
    ),
    "words": (["user: T | where .t = ", '"', "in", " ", "n", "inn", " inn", '";', "'s", "s", " '", "i", "'"], 5,
              Grounding(("inn's  in",), words=True)),
    "escapes": (["user: T | where .t = ", '"', "\\", '\\"', "n", '";', "a", "\\n", '";\\', "\\u00", "1", "f"], 5,
                Grounding(('a"\n\x1f\\n',))),
    "bytes": (["user: T | where .t = ", '"', "\xc3", "\xa9", "é", "e", '";', "é\"", ";", "è"], 6, Grounding(("éèe",))),
    "case": (["user: T | where .t = ", '"', "a", "A", "É", "é", "B", '";', "b"], 5, Grounding(("aÉb",), fold_case=True)),
    "entities": (["user: T | where .i = ", '@"', "a", "b", '"', '#"', '";', ";", ".t", '@"a"#"b";', '"[Inn];'], 5,
                 Grounding(("a",), entities=True)),
    "free entities": (["user: T | where .i = ", '@"', "a", "b", '"', '";', "user: T | where .t = "], 4,
                      Grounding(("a",))),
    "sets": (["user: T | where .", "t = ", "s = ", '"', "ab", "a", "b", '";', '" and .', '"b";', "user: note(", "t: ",
              '");'], 5, Grounding(("b",), {"t": frozenset(("ab", "aab")), "s": frozenset(("", "b"))})),
    "sets only": (["user: T | where .", "t = ", "s = ", '"', "a", "b", '";', "i = @"], 5,
                  Grounding(None, {"T.t": frozenset(("ab",))})),
    "lists": (["user: T | where .t in [", '"a', '", "', "a", "b", '"];', '"', ", ", "];"], 5, Grounding(("ab",))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_masks_are_exact(name: str) -> None:
    words, budget, wanted = CASES[name]
    checker = Checker(SCHEMA)
    judge = Grounding(wanted.texts, {k.split(".")[-1]: v for k, v in wanted.sets.items()}, wanted.words,
                      wanted.fold_case, wanted.entities)  # fmt: skip
    tokens = vocabulary(*words)
    whole = programs(tokens, budget, lambda said: well_typed(said, checker), judge)
    assert whole
    decoder = ConstrainedDecoder(schema=SCHEMA, tokenizer=tokens, budgets="exact")
    compare(decoder, whole, budget, wanted)


def compare(decoder: ConstrainedDecoder, whole: set[tuple[int, ...]], budget: int, wanted: Grounding) -> None:
    nexts = going_on(whole)
    tokens = decoder.vocabulary
    # With tokens for all bytes a finish is never far: without a budget all that is exact is allowed, and more.
    covered = Vocabulary((*tokens.tokens[:-1], *(bytes((b,)) for b in range(256)), None), (tokens.size + 255,))
    safe = ConstrainedDecoder(surface=decoder.surface, schema=decoder.schemas, tokenizer=covered)
    states = [((), decoder.start(1, budget=budget, grounding=wanted), safe.start(1, grounding=wanted))]
    checked = 0
    while states:
        prefix, state, unbounded = states.pop()
        lost = decoder.mask(decoder.with_budget(state, 12))[0, :-1] & ~safe.mask(unbounded)[0, : tokens.size - 1]
        assert not lost.any(), (prefix, np.flatnonzero(lost))
        for left in range(budget - len(prefix) + 1):
            allowed = set(np.flatnonzero(decoder.mask(decoder.with_budget(state, left))[0]).tolist())
            expected = {t for t, least in nexts.get(prefix, {}).items() if least <= left}
            if prefix in whole:
                expected |= set(tokens.ends)
            said = b"".join(tokens.tokens[t] or b"" for t in prefix)
            assert allowed == expected, (said, left, [tokens.tokens[t] for t in allowed ^ expected])
            checked += 1
        for token in nexts.get(prefix, {}):
            states.append(((*prefix, token), decoder.advance(state, [token]), safe.advance(unbounded, [token])))
    assert checked > 5


FLOW_CASES = {
    "parts": (["(say ", '"', "a", "b", '"ab', '")', ")", "(two ", '" "', 'b" "a', "(a)"], 5, Grounding(("bab",))),
    "escapes": (["(say ", '"', "\xc3", "\xa9", "\\u00", "e9", "é", '")', "\\", "n", '\\"'], 6, Grounding(('é"\n',))),
    "sets": (["(say ", "(two ", '"', "a", "b", '" "', '")', "(both ", " ", "(say", ")"], 5,
             Grounding(("b",), {"say": frozenset(("ab", "aab")), "x": frozenset("a")})),
}  # fmt: skip


def flow_grounded(text: str, wanted: Grounding) -> bool:
    for match in LITERAL.finditer(text):
        value, before = json.loads(match.group(), strict=False), LITERAL.sub('""', text[: match.start()])
        head = (re.findall(r"\((\w+)", before) or [""])[-1]
        if not (value in wanted.sets[head] if head in wanted.sets else part(value, wanted)):
            return False
    return True


@pytest.mark.parametrize("name", FLOW_CASES)
def test_masks_of_lispress_are_exact(name: str) -> None:
    words, budget, wanted = FLOW_CASES[name]
    contract, tokens = FlowContract(FLOW), vocabulary(*words)

    def accepted(said: str) -> bool:
        return contract.outside(said) is None and flow_grounded(said, wanted)

    wanted = Grounding(wanted.texts, {k: v for k, v in wanted.sets.items() if k != "x"})
    whole = programs(tokens, budget, accepted, Grounding())
    assert whole
    decoder = ConstrainedDecoder(surface="dataflow", schema=FLOW, tokenizer=tokens, budgets="exact")
    compare(decoder, whole, budget, wanted)


# ------------------------------------------------------------------ walks: both executors, budgets, batches

WORDS = ["user", "user: ", "T | where .t = ", "U | where .t = ", ' = "', ' "', '"', '"a', 'bc"', '" and .', '";', "é",
         "alpha", "b", " beta", "gamma", "f(", '")', 'note(t: "', "; ", ".s = ", "i = @", '@"', " in [", '", "', '"\\']  # fmt: skip
BYTES = Vocabulary((*(bytes((b,)) for b in range(256)), *(w.encode() for w in WORDS), None), (256 + len(WORDS),))
TEXTS = (("alpha beta", 'say "gamma" é'), ("a\\b",), None, ("bcé", "x"))


@pytest.mark.parametrize("surface", ["dl", "dataflow"])
def test_walks_are_grounded_within_their_budgets_and_alike_in_both_executors(surface: str) -> None:
    schema = SCHEMA if surface == "dl" else FLOW
    one, two = (
        ConstrainedDecoder(surface=surface, schema=schema, tokenizer=BYTES, executor=executor)
        for executor in ("numpy", "cpu")
    )
    checker, contract = Checker(SCHEMA), FlowContract(FLOW)
    prefix, sizes = ("user: T | where .", (16, 20, 30, 60)) if surface == "dl" else ("(both (two ", (20, 22, 24, 60))
    rng = random.Random(5)
    forced = literals = 0
    for _ in range(12):
        budgets = [rng.choice(sizes) for _ in TEXTS]
        words = rng.random() < 0.5
        sets = {} if surface == "dataflow" else {"T.s": frozenset(("gamma", "é")), "U.t": frozenset(("alpha beta",))}
        wanted = Grounding(sets=sets, words=words, entities=rng.random() < 0.5)
        a, b = (d.start(len(TEXTS), budgets, None, prefix, TEXTS, wanted) for d in (one, two))
        said: list[list[int]] = [[] for _ in TEXTS]
        while not all(a.done):
            mask = one.mask(a)
            assert np.array_equal(mask, two.mask(b))
            chosen = []
            for i, row in enumerate(mask):
                allowed = np.flatnonzero(row)
                assert len(allowed)
                wordy = allowed[(allowed >= 256) & (allowed < BYTES.size - 1)]
                chosen.append(int(rng.choice(wordy if len(wordy) and rng.random() < 0.6 else allowed)))
                forced += a.rows[i].plan is not None
            order = rng.sample(range(len(TEXTS)), len(TEXTS))
            back = [order.index(i) for i in range(len(TEXTS))]
            a, b = one.advance(a, chosen), two.advance(b, chosen)
            a, b = one.fork(one.fork(a, order), back), two.fork(b, range(len(TEXTS)))
            for each, token in zip(said, chosen, strict=True):
                if not each or each[-1] != BYTES.ends[0]:
                    each.append(token)
        for each, texts, budget in zip(said, TEXTS, budgets, strict=True):
            assert each.pop() == BYTES.ends[0] and len(each) <= budget
            text = prefix + b"".join(BYTES.tokens[t] or b"" for t in each).decode()
            literals += text.count('"') // 2
            if surface == "dl":
                assert compile_program(text, checker).ok
                bare = Grounding(texts, {}, words, entities=wanted.entities)
                assert sets_hold(text) and (texts is None or grounded(without_sets(text), bare)), (text, texts)
            else:
                assert contract.outside(text) is None
                assert texts is None or flow_grounded(text, Grounding(texts, words=words)), (text, texts)
    assert literals > 20 and (forced > 20 or surface == "dataflow"), (forced, literals)


SET_PLACE = re.compile(r"\.s (?:!?= |(?:not )?in \[(?:[^][]*, )?)\Z")


def of_sets(text: str) -> list[re.Match[str]]:
    """The literals that are compared with T's column, alone or in a list."""
    return [m for m in LITERAL.finditer(text) if SET_PLACE.search(LITERAL.sub('""', text[: m.start()]))]


def sets_hold(text: str) -> bool:
    return all(json.loads(match.group()) in ("gamma", "é") for match in of_sets(text))


def without_sets(text: str) -> str:
    """A program without the literals that sets are for (of U's column: all of a program with U in it)."""
    for match in reversed(of_sets(text)):
        text = text[: match.start()] + "1" + text[match.end() :]
    return text if re.search(r"\bU\b", text) is None else ""


# ------------------------------------------------------------------ what cannot be

SMALL = ConstrainedDecoder(schema=SCHEMA, tokenizer=BYTES)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"texts": [[]]}, "DLC516"),
        ({"texts": [["", ""]]}, "DLC516"),
        ({"texts": [["\ud800"]]}, "DLC516"),
        ({"texts": [["  "]], "grounding": Grounding(words=True)}, "DLC516"),
        ({"grounding": Grounding(sets={"T.t": frozenset()})}, "DLC516"),
        ({"grounding": Grounding(sets={"T.u": frozenset("a")})}, "DLC517"),
        ({"texts": ["a", "b"]}, "DLC508"),
        ({"texts": "a"}, "DLC508"),
        ({"grounding": [None, None]}, "DLC508"),
        ({"texts": ["a"], "prefix": 'user: T | where .t = "b'}, "DLC504"),
        ({"texts": ["b"], "prefix": 'user: T | where .t = "bb'}, "DLC504"),
        ({"grounding": Grounding(sets={"t": frozenset(("abcdef",))}), "prefix": 'user: T | where .t = "', "budget": 7},
         "DLC503"),
    ],
)  # fmt: skip
def test_groundings_that_cannot_be(arguments: dict, code: str) -> None:
    with pytest.raises(CompileError) as caught:
        SMALL.start(1, **arguments)
    assert caught.value.diagnostics[0].code == code


def test_a_budget_is_enough_exactly_from_where_the_longest_member_fits() -> None:
    wanted = Grounding(sets={"t": frozenset(("abcdef",))})
    state = SMALL.start(1, budget=8, prefix='user: T | where .t = "', grounding=wanted)
    for token in b'abcdef";':
        assert SMALL.mask(state)[0, token] and SMALL.mask(state).sum() < 4
        state = SMALL.advance(state, [token])
    assert SMALL.is_complete(state)[0]


def test_a_token_that_is_not_grounded_is_refused_and_changes_nothing() -> None:
    state = SMALL.start(2, texts=["ab", None], prefix='user: T | where .t = "')
    assert SMALL.advance(state, [ord("b"), ord("c")]) is not None
    with pytest.raises(CompileError) as caught:
        SMALL.advance(state, [ord("c"), ord("c")])
    assert caught.value.diagnostics[0].code == "DLC505"
    assert set(np.flatnonzero(SMALL.mask(state)[0]).tolist()) == {ord("a"), ord("b")} | {256 + WORDS.index("b")}
    assert SMALL.mask(state)[1].sum() > 100


def test_what_is_not_text_is_not_grounded() -> None:
    said = 'user: T | where .x = a and .i = @"zz"#"key" and .t in ["b"] and .ok = true;'
    state = SMALL.start(1, texts=["b"])
    for byte in said.encode():
        assert SMALL.mask(state)[0, byte], (said, byte)
        state = SMALL.advance(state, [byte])
    assert SMALL.is_complete(state)[0]


def test_text_before_a_program_is_free_and_quotes_in_it_open_nothing() -> None:
    decoder = ConstrainedDecoder(schema=SCHEMA, tokenizer=BYTES, marker='="', after="\n")
    state = decoder.start(1, texts=["b"])
    for byte in b'say "x" ="user: T | where .t = ':
        state = decoder.advance(state, [byte])
    assert not decoder.mask(state)[0, 256 + WORDS.index('"a')] and decoder.mask(state)[0, ord('"')]
    state = decoder.advance(state, [ord('"')])
    assert np.flatnonzero(decoder.mask(state)[0]).tolist() == [ord("b"), 256 + WORDS.index("b")]
    with pytest.raises(CompileError) as caught:
        ConstrainedDecoder(schema=SCHEMA, tokenizer=BYTES, after='"').start(1, texts=["b"])
    assert caught.value.diagnostics[0].code == "DLC508"


@pytest.mark.parametrize(
    ("before", "names"),
    [
        ("user: T | where .t = ", ("T.t", "t", "Text")),
        ("user: T | where .ok = true and .t in [", ("T.t", "t", "Text")),
        ('user: T | where .t in ["a", ', ("T.t", "t", "Text")),
        ("user: note(t: ", ("note.t", "t", "Text")),
        ("user: U; T | where .i = @", ("T.i", "i", "Inn")),
        ("user: T | where .x in (U | show .t) and .s = ", ("T.s", "s", "Text")),
        ("user: T | join U as u on .t = u.t | where u.t ~ ", ("U.t", "t", "Text")),
        ("user: T | where .t = f(", ("f",)),
        ("user: T | where f(.t) = ", ("T.t", "t", "Text")),
        ("user: T -> [{ s: ", ("s",)),
    ],
)
def test_places_of_literals(before: str, names: tuple[str, ...]) -> None:
    assert dl_places(before, SCHEMA) == names


def test_places_of_lispress_literals() -> None:
    assert flow_places('(both (say "q") (^(A B) two (f x) :y ') == ("two.y", "y", "two", "both")
    assert flow_places("") == ()


def test_columns_of_a_database_are_sets() -> None:
    sets = column_sets({"T": [{"t": "ab", "n": 1}, {"t": "c", "s": None}], "U": [{"t": "u"}]})
    assert sets == {"T.t": frozenset(("ab", "c")), "U.t": frozenset("u")}
    for table, allowed in (("T", b"ac"), ("U", b"u")):
        state = SMALL.start(1, prefix=f'user: {table} | where .t = "', grounding=Grounding(sets=sets))
        spelled = [SMALL.vocabulary.tokens[t] for t in np.flatnonzero(SMALL.mask(state)[0])]
        assert [token for token in spelled if len(token) == 1] == [bytes((byte,)) for byte in allowed]


@pytest.mark.corpus
def test_gold_of_smcalflow_says_what_was_said(corpora: Path) -> None:
    """A sample; all of it by `benchmarks/grounding.py`."""
    schema = load_schema("smcalflow")
    with gzip.open(corpora / "smcalflow2" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        dialogues = [json.loads(line)["turns"] for line in itertools.islice(lines, 0, None, 60)]
    turns = [turn["lispress"] for dialogue in dialogues for turn in dialogue]
    tokenizer = trained("bytes", turns, 1500)
    decoder = ConstrainedDecoder(surface="dataflow", schema=schema, tokenizer=tokenizer)
    paths = frozenset({f.name for f in schema.fields} | {"output"})
    kept = lost = 0
    for dialogue in dialogues:
        said: list[str] = []
        for turn in dialogue:
            said.append(turn["user_utterance"]["original_text"])
            if '"' in turn["lispress"]:
                wanted = Grounding(tuple(said), {"Path.apply": paths}, fold_case=True)
                state = decoder.start(1, grounding=wanted)
                ids = tokenizer(turn["lispress"], add_special_tokens=False)["input_ids"]
                for token in ids:
                    if not decoder.mask(state)[0, token]:
                        lost += 1
                        break
                    state = decoder.advance(state, [token])
                else:
                    assert decoder.is_complete(state)[0]
                    kept += 1
            said.append(turn["agent_utterance"]["original_text"])
    assert kept > 20 and lost <= 0.05 * kept, (kept, lost)
