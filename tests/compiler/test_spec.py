"""The typing rules as executable Markdown: tests/spec/*.md, and every example of docs/language.md.

A ```schema block declares; a ```dl block holds programs. After a program, comment lines say what must be true:

    -- reveal: TYPE      the type of the (last) statement
    -- typed: TEXT       the elaborated program
    -- error: CODE WORDS one of the diagnostics, with these words in its message or help
    -- prints: TEXT      canonical text, where the program is not canonical already

A program without comments is well typed (lints allowed) and canonical as written.
"""

import re
from pathlib import Path

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema_text import print_schema, read_schema
from dlc.compiler.sugar import print_turn
from dlc.compiler.types import show
from dlc.grammar.parser import parse

ROOT = Path(__file__).parents[2]
FILES = [*sorted((ROOT / "tests" / "spec").glob("*.md")), ROOT / "docs" / "language.md"]


def examples(path: Path):
    """(line, schema text so far, program, claims) for each program of a file."""
    schema = ""
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"^```(schema|dl)\n(.*?)^```", text, re.S | re.M):
        line = text.count("\n", 0, match.start()) + 2
        if match.group(1) == "schema":
            schema += match.group(2)
            continue
        program: list[str] = []
        claims: list[tuple[str, str]] = []
        for raw in [*match.group(2).split("\n"), ""]:
            claim = re.match(r"-- (reveal|typed|error|prints): (.*)", raw)
            if claim:
                claims.append((claim.group(1), claim.group(2)))
            elif program and (not raw.strip() or claims or raw.startswith(("user", "agent"))):
                yield line, schema, "\n".join(program), claims
                program, claims = ([raw] if raw.strip() else []), []
            elif raw.strip() and not raw.startswith("--"):
                program.append(raw)
            line += 1
        if program:
            yield line, schema, "\n".join(program), claims


CASES = [(path, *example) for path in FILES for example in examples(path)]


def test_there_are_examples():
    assert len({path for path, *_ in CASES}) == len(FILES)
    assert len(CASES) > 120


@pytest.mark.parametrize(
    ("path", "line", "schema", "program", "claims"), CASES, ids=[f"{c[0].stem}:{c[1]}" for c in CASES]
)
def test_example(path, line, schema, program, claims):
    declared = read_schema(schema, path.stem)
    assert read_schema(print_schema(declared)) == declared
    checked = compile_program(program, Checker(declared))
    errors = [d for d in checked.diagnostics if d.severity == "error"]
    told = {kind: text for kind, text in claims}
    if "error" in told:
        code, _, words = told["error"].partition(" ")
        said = [(d.code, " ".join((d.message, d.label, *d.help))) for d in checked.diagnostics]
        assert any(c == code and words in text for c, text in said), said
        assert all(d.span is not None for d in checked.diagnostics)
        return
    assert not errors, [d.message for d in errors]
    canonical = told.get("prints", program)
    printed = "\n".join(print_turn(turn.turn) for turn in checked.turns)
    assert printed == canonical
    assert lower_program(parse(printed))[0] == tuple(turn.turn for turn in checked.turns)
    if "reveal" in told:
        assert show(checked.turns[-1].types[-1]) == told["reveal"]
    if "typed" in told:
        assert print_turn(checked.turns[-1].elaborated) == told["typed"]
