"""Agreement of written ThingTalk with what people wrote for the same turns in MultiWOZ 3.0.

Act: the same act. Function: the same set of functions asked for. Slot: the same slots, by the slot-only metric of
that data set's own evaluation: what the context has executed, then what the turn asks for, in order; each call first
deletes the slots of its function; operators, order and projections do not count. A placeholder agrees with anything.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from thingtalk_items import UNKNOWN, Item, Program, program_of

Slots = dict[tuple[str, str], str]


def functions_of(classes: str) -> dict[str, set[str]]:
    """Names of a function's inputs and outputs, by `Class.function`, read off a class file's text."""
    found: dict[str, set[str]] = {}
    for text in re.split(r"^class ", re.sub(r"//.*", "", classes), flags=re.M)[1:]:
        kind = re.match(r"@[\w.]*\.(\w+)", text)
        assert kind is not None
        for part in re.split(r"\b(?:query|action) (?=\w+\()", text)[1:]:
            name = part[: part.index("(")]
            found[f"{kind[1]}.{name}"] = set(re.findall(r"\b(?:in req|in opt|out)\s+(\w+)\s*:", part))
    return found


def human_turns(path: Path) -> Iterator[tuple[str, int, Program | None, str, Program]]:
    """Dialogue, user turn, context, utterance, target."""
    for line in path.read_text(encoding="utf-8").splitlines():
        name, context, utterance, target = line.split("\t")
        dialogue, _, turn = name.partition("/")
        yield (
            dialogue.removesuffix(".json"),
            int(turn),
            None if context == "null" else program_of(context),
            utterance,
            program_of(target),
        )


def slots_of(context: Program | None, items: list[Item], functions: dict[str, set[str]]) -> Slots:
    """The state after a turn."""
    done: list[Item] = []
    for item in context.items if context is not None else []:
        if item.status != "confirmed":
            break
        done.append(item)
    state: Slots = {}
    for item in [*done, *items]:
        for name in functions[item.function]:
            if name != item.domain:
                state.pop((item.domain, _slot(name, item)), None)
        for name, value in item.slots.items():
            state[item.domain, _slot(name, item)] = value
    state.pop(("train", "name"), None)
    return state


def _slot(name: str, item: Item) -> str:
    return "name" if name in ("id", item.domain) else name


def normal(value: str) -> str:
    """Spelling differences that are not meant: case, apostrophes, punctuation, `the`, `guesthouse`."""
    value = re.sub(r" s\b", "s", value.lower().replace("'", "")).replace("guesthouse", "guest_house")
    value = re.sub(r"[^a-z0-9_|]+", " ", value.replace("guest house", "guest_house")).strip()
    return value.removeprefix("the ")


def agree(first: Slots, second: Slots) -> bool:
    return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)


def same(first: str, second: str) -> bool:
    return UNKNOWN in (first, second) or normal(first) == normal(second)


def asked(program: Program) -> list[Item]:
    """The statements a turn asks for."""
    return [i for i in program.items if i.status == "accepted"]


def causes(human: Program, ours: Program, context: Program | None, functions: dict[str, set[str]]) -> list[str]:
    """Why two programs of a turn differ, each cause once; empty if they agree."""
    found: list[str] = []
    theirs, mine = {i.function for i in asked(human)}, {i.function for i in asked(ours)}
    if human.act != ours.act:
        found.append(f"act: people {human.act}, written {ours.act}")
    if theirs != mine:
        if not theirs or not mine:
            found.append("function: one side asks for nothing")
        elif theirs > mine or theirs < mine:
            who = "people ask" if theirs > mine else "the written turn asks"
            extra = "/".join(sorted("action" if ".make_" in f else "query" for f in theirs ^ mine))
            found.append(f"function: {who} for one more ({extra})")
        else:
            found.append("function: another one")
        return found
    first, second = (slots_of(context, asked(p), functions) for p in (human, ours))
    for key in sorted(first.keys() | second.keys()):
        what = "name" if key[1] == "name" else "slot"
        if key not in second:
            found.append(f"slots: {what} only in the human target{_mark(first[key])}")
        elif key not in first:
            found.append(f"slots: {what} only in the annotated state{_mark(second[key])}")
        elif not same(first[key], second[key]):
            found.append(f"slots: {what} with two values")
    return sorted(set(found))


def _mark(value: str) -> str:
    return " (don't care)" if value == "dontcare" else ""


def measure(
    rows: list[tuple[str, int, Program | None, str, Program]],
    written: Callable[[str, int], Program],
    functions: dict[str, set[str]],
    literal: bool = False,
) -> dict[str, float]:
    """Percent of turns that agree on act, function, slots, and all three.

    literal: confirmed statements of the written turn are applied too, as if it were the whole prediction.
    """
    right: Counter[str] = Counter()
    for dialogue, turn, context, _, human in rows:
        ours = written(dialogue, turn)
        act = human.act == ours.act
        function = {i.function for i in asked(human)} == {i.function for i in asked(ours)}
        mine = ours.items if literal else asked(ours)
        slot = agree(slots_of(context, asked(human), functions), slots_of(context, mine, functions))
        right.update({"act": act, "function": function, "slot": slot, "all": act and function and slot})
    return {name: 100 * right[name] / len(rows) for name in ("act", "function", "slot", "all")}
