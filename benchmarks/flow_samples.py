"""Samples of Lispress over `smcalflow`: from which models, how they are begun, what they must show, the judge."""

import functools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sampling import BOUND, CUT, NGRAM, RANDOM, RARE, UNIFORM, WHOLE, Measures, Setting

from dlc.compiler.check import Checker
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.flow_signatures import Signatures
from dlc.neural.flow_surface import FlowLimits
from dlc.neural.flow_types import mentions
from dlc.schemas import load_schema
from dlc.targets.dataflow.judge import Judge
from dlc.targets.dataflow.names import Names

SCHEMA, LET = "smcalflow", "(let (x0"
SHARES = {
    (NGRAM, WHOLE): 42, (NGRAM, BOUND): 32, (NGRAM, CUT): 5, (NGRAM, RARE): 8, (UNIFORM, WHOLE): 6, (UNIFORM, CUT): 1,
    (RANDOM, WHOLE): 5, (RANDOM, CUT): 1,
}  # fmt: skip
"""Kinds of samples in percent."""


def setting(turns: Sequence[str], budget: int) -> Setting:
    """The corpus, a tokenizer trained on it, a decoder."""
    from tokenizers_of import trained

    tokenizer = trained("bytes split", turns, 4000)
    decoder = ConstrainedDecoder(surface="dataflow", schema=load_schema(SCHEMA), tokenizer=tokenizer, executor="cpu")
    return Setting(
        "smcalflow",
        decoder,
        lambda text: tokenizer(text, add_special_tokens=False)["input_ids"],
        turns,
        LET,
        judged,
        measures(turns),
        SHARES,
        (budget, budget),
    )


def judged(texts: Sequence[str]) -> list[list[str]]:
    """What `dlc typecheck` finds wrong with each text."""
    with tempfile.TemporaryDirectory() as folder:
        rows, out = Path(folder) / "rows.jsonl", Path(folder) / "out.jsonl"
        rows.write_text("".join(json.dumps({"program": text}) + "\n" for text in texts), encoding="utf-8")
        command = [sys.executable, "-m", "dlc", "typecheck", str(rows), "--lang", "dataflow", "--schema", SCHEMA]
        subprocess.run([*command, "--format", "json", "-o", str(out)], check=False)
        told = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(told) == len(texts)
    return [[] if row["ok"] and row["type"] is not None else [str(row["diagnostics"])] for row in told]


# ---------------------------------------------------------------- what samples show

_LITERALS = {
    "string": (r'"[^"\\]', ['"a']), "empty string": (r'""', ['""']), "string with an escape": (r'"(?:[^"\\]|\\.)*\\', ['"\\"']),
    "string beyond ASCII": (r'"[^"]*[^\x00-\x7f]', ['"\u00e9']), "long": (r"[ (]\d+L[ )]", ["3L"]), "number": (r"[ (]\d+[ )]", ["7"]),
    "negative number": (r"[ (]-\d", ["-3"]), "decimal number": (r"[ (]-?\d+\.\d+[ )]", ["2.5", "-2.5"]), "true": (r"[ (]true[ )]", ["true"]),
    "false": (r"[ (]false[ )]", ["false"]),
}  # fmt: skip
_FORMS = {
    "let": r"^\(let ", "let of several names": r"^\(let .* x1 ", "variable": r"[ )]x\d+\)",
    "type argument": r"\(\^\(", "type argument of several words": r"\(\^\(\(", "label": r" :\w+ ", "no argument": r"\(\w+\)",
}  # fmt: skip


def measures(turns: Sequence[str]) -> Measures:
    """Callables, constants of open enums that are not listed, literals, forms."""
    schema = load_schema(SCHEMA)
    names = Names(schema)
    signatures = Signatures(schema, Judge(schema, names, Checker(schema)), FlowLimits().types, len)
    pairs = zip(signatures.all, signatures.spaces, strict=True)
    callable_ = {s.head for s, space in pairs if space is not None}
    shared = frozenset(
        head
        for head, function in names.function.items()
        for name, _ in function.tparams
        if sum(name in mentions(p.type) for p in function.params) > 1
    )
    enums = [enum.name for enum in schema.enums if enum.open]
    arguments = sorted({found for text in turns for found in re.findall(r"\(\^\([^()]*\) ", text)})
    wanted: dict[str, list[str]] = {
        head: [f"({head})", f"({head} ", *(f"{argument}{head} " for argument in arguments)]
        for head in sorted(callable_)
    }
    wanted |= {f"{enum}, not listed": [f"({enum}.Q"] for enum in enums}
    wanted |= {name: texts for name, (_, texts) in _LITERALS.items()} | {name: [] for name in _FORMS}
    patterns = {name: re.compile(pattern) for name, (pattern, _) in _LITERALS.items()}
    patterns |= {name: re.compile(pattern) for name, pattern in _FORMS.items()}

    @functools.lru_cache(200_000)
    def has(text: str) -> frozenset[str]:
        heads = frozenset(_heads(text))
        free = {f"{e}, not listed" for e in enums if any(h.startswith(f"{e}.") and h not in callable_ for h in heads)}
        return (heads & callable_) | free | {name for name, pattern in patterns.items() if pattern.search(text)}

    return Measures(
        lambda text: len(_heads(text)), _uses_variable, lambda text: not shared.isdisjoint(_heads(text)), has, wanted
    )


def _bare(text: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)


def _plain(text: str) -> str:
    """Without what strings say and without type arguments."""
    bare, out, at = _bare(text), [], 0
    while (start := bare.find("(^(", at)) >= 0:
        out.append(bare[at : start + 1])
        depth, at = 1, start + 3
        while depth:
            depth += {"(": 1, ")": -1}.get(bare[at], 0)
            at += 1
        at += 1
    return "".join(out) + bare[at:]


def _uses_variable(text: str) -> bool:
    """Every bound name is there once where it is bound."""
    names = re.findall(r"(?<=[ (])x[0-9]+(?=[ )])", _bare(text))
    return len(names) > len(set(names))


def _heads(text: str) -> list[str]:
    return [head for head in re.findall(r"\(([^\s()]+)", _plain(text)) if head not in ("let", "x0")]
